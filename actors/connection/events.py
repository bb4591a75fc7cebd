"""What a connection may tell its own client, beside the steps of the boards."""

from __future__ import annotations

from dataclasses import dataclass

from actors.leaderboard.events import Channel
from actors.ports import UserId


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who the client is, from now on."""

    user_id: UserId
    username: str


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """No more of this channel will come."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Pong:
    """I am here."""

    echo: bytes


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """A command was refused, and nothing has changed."""

    code: str
    message: str


PersonalEvent = SignedIn | Unsubscribed | Pong | ErrorEvent
