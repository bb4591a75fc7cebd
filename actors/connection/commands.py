"""What a client of the live feed may ask."""

from __future__ import annotations

from dataclasses import dataclass

from actors.leaderboard.events import Channel


@dataclass(frozen=True, slots=True)
class Subscribe:
    """Show me this channel from now on; `full` asks for snapshots instead of differences."""

    channel: Channel
    full: bool = False


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
class BadInput:
    """Something that was no command: what was wrong, by code and in words."""

    code: str
    message: str


ClientCommand = Subscribe | Unsubscribe | Authenticate | Ping | BadInput
