"""The envelope of document B, `{"event": ..., "data": ...}`: what the core says, as ready WebSocket frames."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from actors.connection.events import ErrorEvent, PersonalEvent, Pong, SignedIn, Unsubscribed
from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel, NewLeader, RankChange, Row
from scoreboard.live.channels import channel_name
from scoreboard.live.frames import text_frame
from scoreboard.wire.rows import row_json
from scoreboard.wire.times import iso

_encode = msgspec.json.Encoder().encode
_Fields = dict[str, Any]


class DialectB:
    """Encodes; without state."""

    name = "b"

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """Board events as text frames, one each, one after the other."""
        return b"".join(_frame(event) for event in events)

    def personal(self, event: PersonalEvent) -> bytes:
        """An event for one client as a text frame."""
        return _frame(event)


def _frame(event: BoardEvent | PersonalEvent) -> bytes:
    name, fields_of = _EVENTS[type(event)]
    return text_frame(_encode({"event": name, "data": fields_of(event)}))


def _leader(row: Row) -> _Fields:
    return {"userId": row.user_id, "username": row.username, "score": row.score}


def _window(channel: Channel) -> _Fields:
    return {"channel": channel_name(channel), "board": channel.board}


def _full(event: BoardFull) -> _Fields:
    return {
        **_window(event.channel),
        "epoch": event.epoch,
        "version": event.version,
        "leaderboard": [row_json(row) for row in event.rows],
        "totalUsers": event.total,
        "check": event.check,
        "timestamp": iso(event.at_us),
    }


def _diff(event: BoardDiff) -> _Fields:
    check = {} if event.check is None else {"check": event.check}
    return {
        **_window(event.channel),
        "epoch": event.epoch,
        "from": event.from_version,
        "to": event.to_version,
        "changes": [row_json(row) for row in event.changes],
        "removed": event.removed,
        "totalUsers": event.total,
        **check,
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


def _error(event: ErrorEvent) -> _Fields:
    return {"code": event.code, "message": event.message}


_EVENTS: dict[type, tuple[str, Callable[[Any], _Fields | msgspec.Raw]]] = {
    BoardFull: ("leaderboard.update", _full),
    BoardDiff: ("leaderboard.diff", _diff),
    RankChange: ("leaderboard.rank_change", _rank_change),
    NewLeader: ("leaderboard.new_leader", _new_leader),
    SignedIn: ("authenticated", _signed_in),
    Unsubscribed: ("unsubscribed", _unsubscribed),
    Pong: ("pong", _pong),
    ErrorEvent: ("error", _error),
}
