"""One session of Socket.IO: who one is, what one asks and is told, on whatever way its packets travel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import trio

from actors.ports import Source
from scoreboard.live.guard import FrameGuard, FrameViolation
from scoreboard.live.socketio.codecs import CLOSE, NOOP, OPEN
from scoreboard.live.socketio.engine import (
    AnswerProbe,
    Command,
    Deliver,
    DropCandidate,
    End,
    EndPoll,
    Engine,
    Finish,
    Refuse,
    Say,
    Switch,
    Way,
)
from scoreboard.live.socketio.outbox import Outbox
from scoreboard.live.socketio.packets import (
    BadPacket,
    control,
    engine_packet,
    engine_packets,
    payload,
)
from scoreboard.live.socketio.places import Place
from scoreboard.live.socketio.speech import framed
from scoreboard.live.socketio.talk import Talk
from scoreboard.live.socketio.world import SocketIoWorld
from scoreboard.live.stream import FeedStream

_ENDS = (trio.BrokenResourceError, trio.ClosedResourceError)


class RequestRefused(Exception):
    """The request may not do this; the sentence says why."""


@dataclass(slots=True, eq=False)
class Socket:
    """A WebSocket of a session: its bytes, and how to end it."""

    stream: FeedStream
    scope: trio.CancelScope


class Session:
    """From its handshake to its end, which is told to `ended` once.

    Args:
        sid: The id of the session, which its requests show.
        way: How it begins.
        world: What it needs from outside.
        source: Where the client is, for the audit.
        place: Its own among all sessions.
        ended: Is called when it is over.
    """

    __slots__ = (
        "_ended",
        "_engine",
        "_get",
        "_give",
        "_guard",
        "_outbox",
        "_place",
        "_poll",
        "_scope",
        "_socket",
        "_source",
        "_world",
        "sid",
    )

    def __init__(
        self,
        sid: str,
        way: Way,
        world: SocketIoWorld,
        source: Source,
        place: Place,
        ended: Callable[[Session], None],
    ) -> None:
        self.sid = sid
        self._world = world
        self._source = source
        self._place = place
        self._ended = ended
        self._engine = Engine(way, world.limits.patience, trio.current_time())
        polls = way is Way.POLLING
        guard = FrameGuard(world.limits.frames, source.address) if polls else None  # a WebSocket has its own
        self._guard = guard
        self._outbox = Outbox(_nothing if guard is None else guard.trust)
        self._give, self._get = trio.open_memory_channel[str | bytes](0)
        self._scope: trio.CancelScope | None = None  # of its task, while that runs
        self._poll: trio.CancelScope | None = None  # of a request that waits
        self._socket: Socket | None = None  # the way, or what wants to become it

    def __repr__(self) -> str:
        return f"<Session {self._engine!r}, {self._outbox!r}>"

    @property
    def opening(self) -> str:
        """The first packet of the session."""
        patience = self._world.limits.patience
        told = {
            "sid": self.sid,
            "upgrades": [Way.WEBSOCKET.value] if self._engine.way is Way.POLLING else [],
            "pingInterval": int(patience.ping_interval_s * 1000),
            "pingTimeout": int(patience.ping_timeout_s * 1000),
            "maxPayload": self._world.limits.message_bytes,
        }
        return control(OPEN, msgspec.json.encode(told).decode())

    @property
    def why_over(self) -> End | None:
        """Why it is over; None while it is not."""
        return self._engine.over

    # --- its own task ---

    async def run(self) -> None:
        """Let the client connect to Socket.IO, again and again, until the session is over. Raises nothing."""
        why = End.OVER
        if self._engine.over is not None:
            return
        try:
            async with trio.open_nursery() as helpers:
                self._scope = helpers.cancel_scope
                talk = Talk(self._world, self._outbox, self._get.receive, self._place, self._source)
                why = await talk.run(helpers)
                helpers.cancel_scope.cancel()
            why = End.SIGNED_OUT if self._outbox.dismissed else why
        except* _ENDS:
            why = End.GONE
        except* Exception as errors:  # noqa: BLE001 - the barrier: what goes wrong in one session costs only this one
            why = End.FAILED
            self._world.failed(errors)
        finally:
            self._scope = None
            self.end(why)

    # --- requests ---

    async def poll(self) -> bytes:
        """The body of the answer to a request for packets, when there are some, or when it has waited long enough.

        Cancelled, it ends the session: what was meant for this request may be lost.

        Raises:
            RequestRefused: not now.
        """
        begun = self._accepted(self._engine.poll_begins())
        self._poll = scope = trio.CancelScope(deadline=trio.current_time() + self._world.limits.poll_within_s)
        self._obey_now(begun)
        heard = False
        try:
            with scope:
                await self._outbox.filled()
            heard = True
            return payload(self._for_poll())
        finally:
            self._poll = None
            self._obey_now(self._engine.poll_ends(heard=heard))

    def _for_poll(self) -> list[str]:
        packets = self._outbox.take() if self._engine.way is Way.POLLING else []
        # Nothing with the last packet of all: socket.io-client would keep it for the next time it is connected.
        return packets or [control(NOOP if self._engine.over is None else CLOSE)]

    def release(self) -> None:
        """Answer a poll that waits, with what there is or with a packet that says nothing; the session goes on."""
        self._end_poll()

    async def post(self, body: bytes) -> None:
        """The packets of a request; returns when they have been taken.

        Raises:
            RequestRefused: not now, or not this.
        """
        self._accepted(self._engine.post_begins())
        try:
            await self._take_in(body)
        finally:
            self._engine.post_ends()

    async def _take_in(self, body: bytes) -> None:
        try:
            packets = engine_packets(body)
            self._guard = self._guard or FrameGuard(self._world.limits.frames, self._source.address)
            await trio.sleep(self._guard.wait_for(len(packets), trio.current_time()))
        except BadPacket as error:
            self._obey_now(self._engine.garbage_came(Way.POLLING))
            raise RequestRefused(str(error)) from error
        except FrameViolation as violation:
            self.end(End.FAST)
            raise RequestRefused(violation.reason) from violation
        with trio.move_on_after(self._world.limits.hand_on_within_s) as patience:
            for packet in packets:
                await self._obey(self._engine.came(packet, Way.POLLING))
        if patience.cancelled_caught:
            self.end(End.SLOW)
            raise RequestRefused("What came before is still being worked on.")

    def _accepted(self, commands: Sequence[Command]) -> Sequence[Command]:
        """What is still to be done, if nothing was refused."""
        for command in commands:
            if isinstance(command, Refuse):
                self._obey_now(commands)
                raise RequestRefused(command.sentence)
        return commands

    # --- a WebSocket ---

    async def open_on(self, socket: Socket) -> None:
        """This is the way from the beginning."""
        self._socket = socket
        await socket.stream.send(framed(self.opening))
        await self._outbox.switch(socket.stream)

    def attach(self, socket: Socket) -> None:
        """This wants to become the way.

        Raises:
            RequestRefused: there is one already.
        """
        self._accepted(self._engine.socket_opens(trio.current_time()))
        self._socket = socket

    async def heard(self, text: str | bytes, socket: Socket) -> None:
        """A message of a WebSocket of its; returns when it has been taken."""
        if self._socket is not socket:
            return
        try:
            packet = engine_packet(text)
        except BadPacket:
            self._obey_now(self._engine.garbage_came(Way.WEBSOCKET))
        else:
            await self._obey(self._engine.came(packet, Way.WEBSOCKET))

    def detach(self, socket: Socket) -> None:
        """That WebSocket is closed."""
        if self._socket is socket:
            self._socket = None
            self._obey_now(self._engine.socket_closes())

    # --- time and the end ---

    def look(self, now: float) -> None:
        """So late it is."""
        self._obey_now(self._engine.look(now))

    def end(self, why: End) -> None:
        """It is over, if it was not."""
        self._obey_now(self._engine.end(why))

    # --- what the engine says ---

    async def _obey(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Deliver(data):
                    await self._hand_on(data)
                case AnswerProbe(packet) if self._socket is not None:
                    await self._socket.stream.send(framed(packet))
                case Switch() if self._socket is not None:
                    await self._outbox.switch(self._socket.stream)
                case _:
                    self._obey_now([command])

    async def _hand_on(self, data: str | bytes) -> None:
        try:
            await self._give.send(data)
        except _ENDS:
            return  # the session is over

    def _obey_now(self, commands: Sequence[Command]) -> None:
        for command in commands:
            match command:
                case Say(packet):
                    if not self._outbox.write_now(framed(packet)):
                        self._engine.was_not_said()
                case EndPoll():
                    self._end_poll()
                case DropCandidate():
                    self._drop_socket()
                case Finish():
                    self._finish()

    def _end_poll(self) -> None:
        if self._poll is not None:
            self._poll.cancel()

    def _drop_socket(self) -> None:
        socket, self._socket = self._socket, None
        if socket is not None:
            socket.scope.cancel()

    def _finish(self) -> None:
        self._outbox.close()
        if self._scope is not None:
            self._scope.cancel()
        self._get.close()
        self._drop_socket()
        self._place.give_back()
        self._ended(self)


def _nothing() -> None:
    """Where nothing is to be done."""
