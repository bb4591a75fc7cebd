"""Whose end a cancellation is: a task is cancelled by who ends it, or what it waits for is, by anybody."""

from __future__ import annotations

import asyncio


def is_ended() -> bool:
    """Whether somebody has ended the present task; if not, it was what it waited for. For asyncio."""
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0
