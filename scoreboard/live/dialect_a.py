"""The event names and fields of document A: what the core says, in its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from actors.connection.events import ErrorEvent, PersonalEvent
from actors.leaderboard.events import (
    BoardDiff,
    BoardEvent,
    BoardFull,
    NewLeader,
    OwnDiff,
    OwnFull,
    RankChange,
    ScoreChange,
)
from scoreboard.live.channels import channel_name
from scoreboard.live.dialect import Spoken, error_json, framed, name_in, spoken_b
from scoreboard.live.said_a import DiffOfA, RankChangeOfA, ScoreChangeOfA, UpdateOfA
from scoreboard.live.said_b import ErrorJson
from scoreboard.wire.rows import row_json

_UPDATE = "leaderboard_update"
_TOP = 10
_UNAUTHORIZED, _AUTH_FAILED = "UNAUTHORIZED", "AUTH_FAILED"  # what B calls it, and what A does


class DialectA:
    """Document A's events in the envelope of document B. Encodes; without state."""

    name = "a"

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """Board events as text frames, one each, one after the other."""
        return b"".join(framed(spoken_a(event)) for event in events)

    def personal(self, event: PersonalEvent) -> bytes:
        """An event for one client as a text frame."""
        return framed(spoken_a(event), name_in(event))


def spoken_a(event: BoardEvent | PersonalEvent) -> Spoken | None:
    """How document A says it; None for what it has no word for. What is for one client it says as B does."""
    word = EVENTS.get(type(event))
    if word is None:
        return spoken_b(event)
    data = word[1](event)
    return None if data is None else (word[0], data)


def _full(event: BoardFull) -> UpdateOfA:
    return UpdateOfA(
        type="full",
        data=[row_json(row) for row in event.rows],
        channel=channel_name(event.channel),
        epoch=event.epoch,
        version=event.version,
        totalUsers=event.total,
        check=event.check,
        resetsAt=UNSET if event.resets_us is None else _ms(event.resets_us),
        timestamp=_ms(event.at_us),
    )


def _diff(event: BoardDiff) -> DiffOfA:
    return DiffOfA(
        type="diff",
        data=[row_json(row) for row in event.changes],
        removed=event.removed,
        channel=channel_name(event.channel),
        epoch=event.epoch,
        from_=event.from_version,
        to=event.to_version,
        totalUsers=event.total,
        check=UNSET if event.check is None else event.check,
        timestamp=_ms(event.at_us),
    )


def _rank_change(event: RankChange) -> RankChangeOfA | None:
    """Only of who entered or left the first ten; of oneself any."""
    within = event.new_rank <= _TOP
    was_within = event.old_rank is not None and event.old_rank <= _TOP
    if within == was_within and not event.channel.around:
        return None
    entered = within and not was_within
    return RankChangeOfA(
        userId=event.user_id,
        username=event.username,
        newRank=event.new_rank,
        enteredTop10=entered,
        timestamp=_ms(event.at_us),
    )


def _score_change(event: ScoreChange) -> ScoreChangeOfA:
    return ScoreChangeOfA(
        userId=event.user_id,
        username=event.username,
        previousScore=event.old_score,
        newScore=event.new_score,
        previousRank=event.old_rank,
        newRank=event.new_rank,
        timestamp=_ms(event.at_us),
    )


def _own(event: OwnFull) -> ScoreChangeOfA | None:
    """Where a player stands is said as a change that was none."""
    if not event.rows:
        return None
    row = event.rows[0]
    return _score_change(
        ScoreChange(event.channel, row.user_id, row.username, row.score, row.score, row.rank, row.rank, event.at_us)
    )


def _own_diff(_: OwnDiff) -> None:
    """The news of the same step says it."""


def _new_leader(_: NewLeader) -> None:
    """The rows say it."""


def _error(event: ErrorEvent) -> ErrorJson:
    told = error_json(event)
    return msgspec.structs.replace(told, code=_AUTH_FAILED) if event.code == _UNAUTHORIZED else told


def _ms(moment_us: int) -> int:
    return moment_us // 1000


#: As B's; what makes no data says nothing.
EVENTS: dict[type, tuple[str, Callable[[Any], msgspec.Struct | None]]] = {
    BoardFull: (_UPDATE, _full),
    BoardDiff: (_UPDATE, _diff),
    OwnFull: ("score_changed", _own),
    OwnDiff: ("score_changed", _own_diff),
    RankChange: ("rank_changed", _rank_change),
    ScoreChange: ("score_changed", _score_change),
    NewLeader: ("leaderboard.new_leader", _new_leader),
    ErrorEvent: ("error", _error),
}
