"""What the core says, as packets of Socket.IO in ready frames of a WebSocket; polls take the packets out again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from actors.connection.commands import CommandId
from actors.connection.events import Answered, ErrorEvent, PersonalEvent, Pong, Refused, SignedOut
from actors.leaderboard.events import BoardEvent
from scoreboard.live.dialect import Spoken, spoken_b
from scoreboard.live.dialect_a import spoken_a
from scoreboard.live.frames import text_frame
from scoreboard.live.socketio.codecs import ACK, EVENT
from scoreboard.live.socketio.packets import message

_Said = BoardEvent | PersonalEvent


def framed(packet: str) -> bytes:
    """A packet as a frame."""
    return text_frame(packet.encode())


def done(name: int) -> bytes:
    """The acknowledgement of a command whose answer is none or goes another way."""
    return framed(message(ACK, [{}], name=name))


class Speech:
    """A wire format (see `actors.connection.connection.ConnectionDialect`) in the words of one document; no state."""

    def __init__(self, name: str, spoken: Callable[[_Said], Spoken | None]) -> None:
        self.name = name
        self._spoken = spoken

    def __repr__(self) -> str:
        return f"<Speech {self.name}>"

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """Events of a board, a frame each, one after the other."""
        return b"".join(self._event(event) for event in events)

    def personal(self, event: PersonalEvent) -> bytes:
        """An event for one client; what answers a command that had a name is an acknowledgement."""
        if isinstance(event, Answered | Refused | ErrorEvent) and event.id is not None:
            return self.acknowledgement(event.id, event)
        return self._event(event)

    def acknowledgement(self, name: CommandId, event: PersonalEvent) -> bytes:
        """The answer to the command of that name: its data, or `{"error": ...}`."""
        spoken = self._spoken(event)
        data: msgspec.Raw | msgspec.Struct | dict[str, str] = {} if spoken is None else spoken[1]
        failed = isinstance(event, Refused | ErrorEvent)
        return framed(message(ACK, [{"error": data} if failed else data], name=int(name)))

    def _event(self, event: _Said) -> bytes:
        if isinstance(event, Pong) and not event.echo:
            return framed(message(EVENT, ["pong"]))
        spoken = self._spoken(event)
        return b"" if spoken is None else framed(message(EVENT, list(spoken)))


SPEECH_A = Speech("socketio-a", spoken_a)
SPEECH_B = Speech("socketio-b", spoken_b)


class Answering:
    """A speech for one connection, that acknowledges the command which is being worked on, if its client wants that.

    Nothing of the connection is reached from here but the name of that command: a lane keeps the first speech it sees.

    Args:
        speech: How it speaks.
    """

    __slots__ = ("_speech", "awaited", "name")

    def __init__(self, speech: Speech) -> None:
        self._speech = speech
        self.name = speech.name
        self.awaited: int | None = None

    def frames(self, events: Sequence[BoardEvent]) -> bytes:
        """See `Speech`."""
        return self._speech.frames(events)

    def personal(self, event: PersonalEvent) -> bytes:
        """See `Speech`; the first one after a command of which an answer is awaited is that answer."""
        of_another = isinstance(event, Answered | Refused | ErrorEvent) and event.id is not None
        if self.awaited is None or of_another or isinstance(event, SignedOut):
            return self._speech.personal(event)
        name, self.awaited = self.awaited, None
        if isinstance(event, Pong) and not event.echo:
            event = Pong(b"{}")
        return self._speech.acknowledgement(name, event)
