"""The envelope of document B, `{"event": ..., "data": ...}`: what the core says, as ready WebSocket frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from actors.connection.commands import CommandId
from actors.connection.events import (
    Answered,
    ErrorEvent,
    PersonalEvent,
    Pong,
    Refused,
    SignedIn,
    SignedOut,
    Unsubscribed,
)
from actors.leaderboard.events import (
    BoardDiff,
    BoardEvent,
    BoardFull,
    Channel,
    NewLeader,
    OwnDiff,
    OwnFull,
    RankChange,
    Row,
)
from actors.runtime import ActorError
from actors.user.messages import TokenIssued
from scoreboard.live.channels import channel_name
from scoreboard.live.frames import text_frame
from scoreboard.live.said_b import (
    ChannelJson,
    DiffOfB,
    ErrorJson,
    LeaderJson,
    NewLeaderOfB,
    RankChangeOfB,
    RefusalJson,
    SignedInJson,
    StandingOfB,
    UpdateOfB,
)
from scoreboard.wire.problems import Problem, problem_of
from scoreboard.wire.rows import live_row_json
from scoreboard.wire.scores import IssuedJson, RepeatableScoreJson
from scoreboard.wire.times import iso

_encode = msgspec.json.Encoder().encode

#: The name of an event, and its data, ready for msgspec.
Spoken = tuple[str, msgspec.Raw | msgspec.Struct]
_UNEXPECTED = Problem("INTERNAL_ERROR", "Something went wrong on our side. Ask the same again in a moment.", 1.0)


class DialectB:
    """Encodes; without state."""

    name = "b"

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """Board events as text frames, one each, one after the other."""
        return b"".join(framed(spoken_b(event)) for event in events)

    def personal(self, event: PersonalEvent) -> bytes:
        """An event for one client as a text frame."""
        return framed(spoken_b(event), name_in(event))


def spoken_b(event: BoardEvent | PersonalEvent) -> Spoken | None:
    """How document B says it; None for what it has no word for."""
    word = EVENTS.get(type(event))
    return None if word is None else (word[0], word[1](event))


def framed(spoken: Spoken | None, name: CommandId | None = None) -> bytes:
    """What is said as a text frame; `name` is that of the command which is answered. Nothing for what is not said."""
    if spoken is None:
        return b""
    named = {} if name is None else {"id": name}
    return text_frame(_encode({"event": spoken[0], **named, "data": spoken[1]}))


def name_in(event: PersonalEvent) -> CommandId | None:
    """What the client calls the command that this answers."""
    return event.id if isinstance(event, Answered | Refused | ErrorEvent) else None


def _leader(row: Row) -> LeaderJson:
    return LeaderJson(userId=row.user_id, username=row.username, score=row.score)


def _full(event: BoardFull) -> UpdateOfB:
    return UpdateOfB(
        channel=channel_name(event.channel),
        board=event.channel.board,
        epoch=event.epoch,
        version=event.version,
        leaderboard=[live_row_json(row) for row in event.rows],
        totalUsers=event.total,
        check=event.check,
        resetsAt=UNSET if event.resets_us is None else iso(event.resets_us),
        timestamp=iso(event.at_us),
    )


def _diff(event: BoardDiff) -> DiffOfB:
    return DiffOfB(
        channel=channel_name(event.channel),
        board=event.channel.board,
        epoch=event.epoch,
        from_=event.from_version,
        to=event.to_version,
        changes=[live_row_json(row) for row in event.changes],
        removed=event.removed,
        totalUsers=event.total,
        check=UNSET if event.check is None else event.check,
        timestamp=iso(event.at_us),
    )


def _own(event: BoardFull | BoardDiff) -> StandingOfB:
    """Where a player stands; null for one who is not on the board."""
    rows = event.rows if isinstance(event, BoardFull) else event.changes
    row = rows[0] if rows else None
    return StandingOfB(
        channel=channel_name(event.channel),
        board=event.channel.board,
        epoch=event.epoch,
        version=event.version if isinstance(event, BoardFull) else event.to_version,
        userId=None if row is None else row.user_id,
        username=None if row is None else row.username,
        rank=None if row is None else row.rank,
        score=None if row is None else row.score,
        totalUsers=event.total,
        timestamp=iso(event.at_us),
    )


def _rank_change(event: RankChange) -> RankChangeOfB:
    return RankChangeOfB(
        channel=channel_name(event.channel),
        userId=event.user_id,
        username=event.username,
        oldRank=event.old_rank,
        newRank=event.new_rank,
        score=event.score,
        timestamp=iso(event.at_us),
    )


def _new_leader(event: NewLeader) -> NewLeaderOfB:
    return NewLeaderOfB(
        channel=channel_name(event.channel),
        userId=event.leader.user_id,
        username=event.leader.username,
        score=event.leader.score,
        previousLeader=None if event.previous is None else _leader(event.previous),
        timestamp=iso(event.at_us),
    )


def _signed_in(event: SignedIn) -> SignedInJson:
    return SignedInJson(userId=event.user_id, username=event.username)


def _unsubscribed(event: Unsubscribed) -> ChannelJson:
    return ChannelJson(channel=channel_name(event.channel))


def _pong(event: Pong) -> msgspec.Raw:
    return msgspec.Raw(event.echo)


def error_json(event: ErrorEvent | SignedOut) -> ErrorJson:
    """What could not be done, or is over."""
    channel = event.channel if isinstance(event, ErrorEvent) else None
    if isinstance(channel, Channel):
        channel = channel_name(channel)
    return ErrorJson(event.code, event.message, UNSET if channel is None else channel)


def _refused(event: Refused) -> RefusalJson:
    problem = (problem_of(event.reason) if isinstance(event.reason, ActorError) else None) or _UNEXPECTED
    wait = UNSET if problem.retry_after is None else problem.retry_after
    return RefusalJson(problem.code, problem.message, wait)


def _ack(event: Answered) -> IssuedJson | RepeatableScoreJson:
    answer = event.answer
    return IssuedJson.of(answer) if isinstance(answer, TokenIssued) else RepeatableScoreJson.of(answer)


#: By what the core says: the name of the event, and what makes its data. Its type is what the description is made of.
EVENTS: dict[type, tuple[str, Callable[[Any], msgspec.Raw | msgspec.Struct]]] = {
    BoardFull: ("leaderboard.update", _full),
    BoardDiff: ("leaderboard.diff", _diff),
    OwnFull: ("player.update", _own),
    OwnDiff: ("player.update", _own),
    RankChange: ("leaderboard.rank_change", _rank_change),
    NewLeader: ("leaderboard.new_leader", _new_leader),
    SignedIn: ("authenticated", _signed_in),
    Unsubscribed: ("unsubscribed", _unsubscribed),
    Pong: ("pong", _pong),
    ErrorEvent: ("error", error_json),
    SignedOut: ("error", error_json),
    Refused: ("error", _refused),
    Answered: ("ack", _ack),
}
