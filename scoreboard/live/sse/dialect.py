"""Document B's events as a stream of text (WHATWG HTML, section 9.2), and the ids by which a client goes on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

from actors.connection.events import PersonalEvent
from actors.leaderboard.events import BoardDiff, BoardEvent, BoardFull, Channel
from scoreboard.live.channels import channel_name
from scoreboard.live.dialect import Spoken, spoken_b

_encode = msgspec.json.Encoder().encode
_ID = re.compile(r"([0-9A-Za-z_-]{1,64}):([0-9]{1,15})(?::([0-9A-Za-z_.]{1,64}))?")

HEARTBEAT = b":\n\n"


class EventDialect:
    """Encodes; without state. An id stands on what shows where a channel is, so news has none.

    Args:
        several: The stream has several channels, so that an id must say of which it is.
    """

    def __init__(self, *, several: bool) -> None:
        self.name = "events of several" if several else "events"
        self._id_of: Callable[[Channel, str, int], str] = _long_id if several else _id

    def __repr__(self) -> str:
        return f"<EventDialect {self.name}>"

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """Board events, one after the other."""
        return b"".join(self._event(event) for event in events)

    def personal(self, event: PersonalEvent) -> bytes:
        """An event for one client."""
        return _told(spoken_b(event))

    def _event(self, event: BoardEvent) -> bytes:
        told = _told(spoken_b(event))
        match event:
            case BoardFull():
                return self._numbered(event.channel, event.epoch, event.version, told)
            case BoardDiff():
                return self._numbered(event.channel, event.epoch, event.to_version, told)
        return told

    def _numbered(self, channel: Channel, epoch: str, version: int, told: bytes) -> bytes:
        return b"id: %b\n%b" % (self._id_of(channel, epoch, version).encode(), told)


def retry(milliseconds: int) -> bytes:
    """How long a client shall wait before it comes back."""
    return b"retry: %d\n\n" % milliseconds


def position_in(text: str, channels: Sequence[Channel]) -> dict[Channel, tuple[str, int]]:
    """What a client has been shown, by the last id that it saw; nothing for an id that is none of ours."""
    match = _ID.fullmatch(text)
    if match is None:
        return {}
    of_it = [each for each in channels if (channel_name(each) if len(channels) > 1 else None) == match[3]]
    return {channel: (match[1], int(match[2])) for channel in of_it}


def _told(spoken: Spoken | None) -> bytes:
    return b"" if spoken is None else b"event: %b\ndata: %b\n\n" % (spoken[0].encode(), _encode(spoken[1]))


def _id(_: Channel, epoch: str, version: int) -> str:
    return f"{epoch}:{version}"


def _long_id(channel: Channel, epoch: str, version: int) -> str:
    return f"{epoch}:{version}:{channel_name(channel)}"
