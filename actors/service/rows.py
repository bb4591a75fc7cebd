"""The judgement of a batch: pure functions. What needs the player's row is left to the transaction that locks it.

An actor a row would decide nothing that the transaction does not decide anyway: whether the player exists, is banned,
or has that action already. So a batch is one message, and a row a few look-ups (``scripts/bench batch``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from actors.ledger.messages import Moves, Result
from actors.ports import (
    NEVER_US,
    BannedUser,
    Committed,
    OperationId,
    ScoreWrite,
    Source,
    TokenSpent,
    UnknownUser,
    UserId,
)
from actors.service.messages import RowRefused, RowResult, RowScored, ScoreRow

UNCONFIRMED = ("SERVICE_UNAVAILABLE", "The row could not be confirmed. Send it again: it counts once.")
COMPLETED = ("ACTION_ALREADY_COMPLETED", "This actionId has counted for another userId or actionType.")
REFUSALS: Mapping[type, tuple[str, str]] = {
    TokenSpent: COMPLETED,
    UnknownUser: ("USER_NOT_FOUND", "There is no such player."),
    BannedUser: ("USER_BANNED", "This account may not score."),
}


class Verdict(NamedTuple):
    """Of one row: the position of the write that decides it, or why there is none (`refusal`: code and sentence).

    `twin`: an earlier row of the batch is the same. `clash`: an earlier one has its action id for something else.
    """

    write: int = -1
    twin: bool = False
    clash: bool = False
    refusal: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to be written, and a verdict for each row."""

    writes: tuple[ScoreWrite, ...]
    verdicts: list[Verdict]


def judge(service: str, rows: Sequence[ScoreRow], points: Mapping[str, int], source: Source, *, now_us: int) -> Judged:
    """Points by the catalogue; names by what was done, so that the same row again is the same operation."""
    writes: list[ScoreWrite] = []
    verdicts: list[Verdict] = []
    seen: dict[str, int] = {}
    for row in rows:
        worth = points.get(row.action_type)
        if worth is None or row.score_increment not in (None, worth):
            verdicts.append(Verdict(refusal=_unlike_the_catalogue(worth)))
            continue
        earlier = seen.get(row.action_id)
        if earlier is not None:
            first = writes[earlier]
            same = (first.user_id, first.action_type) == (row.user_id, row.action_type)
            verdicts.append(Verdict(earlier, twin=same, clash=not same))
            continue
        seen[row.action_id] = len(writes)
        verdicts.append(Verdict(len(writes)))
        writes.append(write_of(service, row, worth, source, now_us))
    return Judged(tuple(writes), verdicts)


def write_of(service: str, row: ScoreRow, points: int, source: Source, now_us: int) -> ScoreWrite:
    """The write of one row. No service name and no action id holds a line break."""
    user_id, action_id, action_type, _ = row
    name = sha256(f"{service}\n{action_id}".encode())
    token = name.digest()
    name.update(f"\n{action_type}\n{user_id}".encode())
    return ScoreWrite(
        OperationId(name.hexdigest()[:32]),
        UserId(user_id),
        points,
        action_type,
        token,
        NEVER_US,
        None,
        b"",
        source,
        now_us,
        action_id,
    )


def _unlike_the_catalogue(worth: int | None) -> tuple[str, str]:
    if worth is None:
        return "INVALID_INPUT", "The catalogue has no such actionType."
    return "INVALID_INPUT", f"scoreIncrement must be {worth} for this actionType, or absent."


def conclude(
    rows: Sequence[ScoreRow], verdicts: Sequence[Verdict], results: Sequence[Result], moves: Moves
) -> list[RowResult]:
    """A result for each row, in order, of what became of the writes."""
    return [
        _refused(row, verdict.refusal)
        if verdict.refusal is not None
        else _concluded(row, verdict, results[verdict.write], moves)
        for row, verdict in zip(rows, verdicts, strict=True)
    ]


def _concluded(row: ScoreRow, verdict: Verdict, result: Result, moves: Moves) -> RowResult:
    if verdict.clash:
        return _refused(row, COMPLETED if isinstance(result, Committed) else _clash(result))
    if not isinstance(result, Committed):
        return _refused(row, REFUSALS.get(type(result), UNCONFIRMED))
    fact = result.fact
    if result.again or verdict.twin:
        return RowScored(row.action_id, row.user_id, fact.score, None, None, True)
    move = moves.get((fact.user_id, fact.version))
    previous, new = (None, None) if move is None else (move.previous, move.new)
    return RowScored(row.action_id, row.user_id, fact.score, previous, new, False)


def _clash(first: Result) -> tuple[str, str]:
    """The row that came first with this action id does not count, so this one might: but it was not tried."""
    if isinstance(first, TokenSpent):
        return COMPLETED
    return "INVALID_INPUT", "An earlier row of this batch has this actionId for something else. Send it by itself."


def _refused(row: ScoreRow, why: tuple[str, str]) -> RowRefused:
    return RowRefused(row.action_id, row.user_id, *why)
