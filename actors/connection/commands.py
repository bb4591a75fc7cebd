"""What a client of the live feed may ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from actors.leaderboard.events import Channel
from actors.user.messages import ActionToken

#: What a client calls a command by; its answer carries the same.
CommandId = str | int


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Show me this channel from now on; `full` asks for snapshots instead of differences.

    Who was shown it before says what (epoch, version), and is shown nothing that it has seen.
    """

    channel: Channel
    full: bool = False
    shown: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Show me this channel no more."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Authenticate:
    """This is who I am: an access token."""

    token: str


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there? `echo` is JSON that comes back as it is."""

    echo: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class RequestToken:
    """Give me the right to score once."""

    name: ClassVar[str] = "action.token"

    id: CommandId


@dataclass(frozen=True, slots=True)
class SpendToken:
    """Count one point for this token. With the same `idempotency_key` it may be said again, and counts once."""

    name: ClassVar[str] = "score.increment"

    id: CommandId
    token: ActionToken
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class BadInput:
    """Something that was no command: what was wrong, by code and in words; its id and channel, if they were read."""

    code: str
    message: str
    id: CommandId | None = None
    channel: str | None = None


ScoringCommand = RequestToken | SpendToken
ClientCommand = Subscribe | Unsubscribe | Authenticate | Ping | ScoringCommand | BadInput
