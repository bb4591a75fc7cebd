"""Whose end a cancellation is: a task is cancelled by who ends it, or what it waits for is, by anybody."""

from __future__ import annotations

import asyncio


def is_our_end(error: BaseException) -> bool:
    """Whether that is the end of the present task; if it is a cancellation and not, what it waited for was cancelled.

    For asyncio.
    """
    task = asyncio.current_task()
    return isinstance(error, asyncio.CancelledError) and (task is None or task.cancelling() > 0)
