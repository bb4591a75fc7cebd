"""The envelope of document B, `{"event": ..., "data": ...}`: what the core says, as ready WebSocket frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

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
from scoreboard.wire.problems import Problem, problem_of
from scoreboard.wire.rows import live_row_json
from scoreboard.wire.scores import IssuedJson, RepeatableScoreJson
from scoreboard.wire.times import iso

_encode = msgspec.json.Encoder().encode
_Fields = dict[str, Any]

#: The name of an event, and its data, ready for msgspec.
Spoken = tuple[str, _Fields | msgspec.Raw | msgspec.Struct]
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
    word = _EVENTS.get(type(event))
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


def _leader(row: Row) -> _Fields:
    return {"userId": row.user_id, "username": row.username, "score": row.score}


def _window(channel: Channel) -> _Fields:
    return {"channel": channel_name(channel), "board": channel.board}


def _full(event: BoardFull) -> _Fields:
    return {
        **_window(event.channel),
        "epoch": event.epoch,
        "version": event.version,
        "leaderboard": [live_row_json(row) for row in event.rows],
        "totalUsers": event.total,
        "check": event.check,
        **({} if event.resets_us is None else {"resetsAt": iso(event.resets_us)}),
        "timestamp": iso(event.at_us),
    }


def _diff(event: BoardDiff) -> _Fields:
    check = {} if event.check is None else {"check": event.check}
    return {
        **_window(event.channel),
        "epoch": event.epoch,
        "from": event.from_version,
        "to": event.to_version,
        "changes": [live_row_json(row) for row in event.changes],
        "removed": event.removed,
        "totalUsers": event.total,
        **check,
        "timestamp": iso(event.at_us),
    }


def _own(event: BoardFull | BoardDiff) -> _Fields:
    """Where a player stands; null for one who is not on the board."""
    rows = event.rows if isinstance(event, BoardFull) else event.changes
    row = rows[0] if rows else None
    return {
        **_window(event.channel),
        "epoch": event.epoch,
        "version": event.version if isinstance(event, BoardFull) else event.to_version,
        "userId": None if row is None else row.user_id,
        "username": None if row is None else row.username,
        "rank": None if row is None else row.rank,
        "score": None if row is None else row.score,
        "totalUsers": event.total,
        "timestamp": iso(event.at_us),
    }


def _rank_change(event: RankChange) -> _Fields:
    return {
        "channel": channel_name(event.channel),
        "userId": event.user_id,
        "username": event.username,
        "oldRank": event.old_rank,
        "newRank": event.new_rank,
        "score": event.score,
        "timestamp": iso(event.at_us),
    }


def _new_leader(event: NewLeader) -> _Fields:
    return {
        "channel": channel_name(event.channel),
        **_leader(event.leader),
        "previousLeader": None if event.previous is None else _leader(event.previous),
        "timestamp": iso(event.at_us),
    }


def _signed_in(event: SignedIn) -> _Fields:
    return {"userId": event.user_id, "username": event.username}


def _unsubscribed(event: Unsubscribed) -> _Fields:
    return {"channel": channel_name(event.channel)}


def _pong(event: Pong) -> msgspec.Raw:
    return msgspec.Raw(event.echo)


def _error(event: ErrorEvent | SignedOut) -> _Fields:
    told = {"code": event.code, "message": event.message}
    channel = event.channel if isinstance(event, ErrorEvent) else None
    if channel is None:
        return told
    return {**told, "channel": channel if isinstance(channel, str) else channel_name(channel)}


def _refused(event: Refused) -> _Fields:
    problem = (problem_of(event.reason) if isinstance(event.reason, ActorError) else None) or _UNEXPECTED
    wait = {} if problem.retry_after is None else {"retryAfter": problem.retry_after}
    return {"code": problem.code, "message": problem.message, **wait}


def _ack(event: Answered) -> msgspec.Struct:
    answer = event.answer
    return IssuedJson.of(answer) if isinstance(answer, TokenIssued) else RepeatableScoreJson.of(answer)


_EVENTS: dict[type, tuple[str, Callable[[Any], _Fields | msgspec.Raw | msgspec.Struct]]] = {
    BoardFull: ("leaderboard.update", _full),
    BoardDiff: ("leaderboard.diff", _diff),
    OwnFull: ("player.update", _own),
    OwnDiff: ("player.update", _own),
    RankChange: ("leaderboard.rank_change", _rank_change),
    NewLeader: ("leaderboard.new_leader", _new_leader),
    SignedIn: ("authenticated", _signed_in),
    Unsubscribed: ("unsubscribed", _unsubscribed),
    Pong: ("pong", _pong),
    ErrorEvent: ("error", _error),
    SignedOut: ("error", _error),
    Refused: ("error", _refused),
    Answered: ("ack", _ack),
}
