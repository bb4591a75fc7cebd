"""Sends cases to a server, many at once, each on a connection of its own, and judges what is said to them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from tests.edge.mutator import Case

AT_ONCE = 60
#: For an answer to the end; a server that has heard the end of what a client sends has nothing to wait for.
WITHIN_S = 20.0
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) [ -~]*\r\n")
#: A case asks for nothing of which the server may say that it failed; 501, 503 and 505 are refusals.
_REFUSALS = frozenset({501, 503, 505})


@dataclass(slots=True)
class Outcome:
    """How a volley went: answers by status, and what should not have been, by the number of its case."""

    statuses: Counter[int] = field(default_factory=Counter)
    silent: int = 0
    wrong: dict[int, str] = field(default_factory=dict)


async def volley(port: int, cases: Iterable[Case], at_once: int = AT_ONCE) -> Outcome:
    """Send them all, so many at once."""
    outcome, waiting = Outcome(), iter(cases)
    async with trio.open_nursery() as nursery:
        for _ in range(at_once):
            nursery.start_soon(_some, port, waiting, outcome)
    return outcome


async def _some(port: int, waiting: Iterator[Case], outcome: Outcome) -> None:
    for case in waiting:
        answer = await answer_to(port, case.sent)
        if answer is None:
            outcome.wrong[case.number] = f"no end within {WITHIN_S} s"
            continue
        _judge(case, answer, outcome)


async def answer_to(port: int, sent: bytes) -> bytes | None:
    """All that is said to it until the server ends the connection; None if it does not."""
    answer = b""
    with trio.move_on_after(WITHIN_S) as waiting:
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream, trio.open_nursery() as nursery:
            nursery.start_soon(_say, stream, sent)
            with suppress(trio.BrokenResourceError):
                async for data in stream:
                    answer += data
            nursery.cancel_scope.cancel()
    return None if waiting.cancelled_caught else answer


async def _say(stream: trio.SocketStream, sent: bytes) -> None:
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):  # it was refused before its end
        await stream.send_all(sent)
        await stream.send_eof()


def _judge(case: Case, answer: bytes, outcome: Outcome) -> None:
    """It is nothing at all, or begins like an answer; and no answer says that the server failed."""
    if not answer:
        outcome.silent += 1
        return
    first = _STATUS.match(answer)
    if first is None:
        outcome.wrong[case.number] = f"began with {answer[:60]!r}"
        return
    outcome.statuses[int(first[1])] += 1
    said = answer[:0] if case.upgraded and first[1] == b"101" else answer
    failed = [int(status) for status in _STATUS.findall(said) if int(status) >= 500 and int(status) not in _REFUSALS]
    if failed:
        outcome.wrong[case.number] = f"was told {failed}"
