"""The accept loop and the barrier round every connection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import trio
from trio.socket import IPPROTO_TCP

from scoreboard.door.accepting import Queue
from scoreboard.door.admission import Admission, site_of
from scoreboard.door.farewell import last_answer, linger, say_and_leave, say_at_once
from scoreboard.door.head import HeadRefused, Kind, RequestHead, read_head
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import DoorObserver, Drop
from scoreboard.door.pace import has_come
from scoreboard.door.proxies import Proxies
from scoreboard.door.relay import Elsewhere, nowhere_else, reach
from scoreboard.door.relayed_sockets import RelayedSockets, Waves
from scoreboard.door.rounds import Rounds
from scoreboard.door.seats import Seats
from scoreboard.door.tls import Tls, TlsRefused
from scoreboard.door.tls_stream import TlsStream
from scoreboard.door.transport import Transport
from scoreboard.door.words import Words, plain
from scoreboard.ends import Waiting

Handler = Callable[[Transport, RequestHead, trio.Event], Awaitable[RequestHead | None]]
"""Serves one connection whose head was read. The event is set when the door closes and the handler should come to an
end. What it raises costs its own connection only. It need not close the stream; the door does, after lingering. Of one
that has come to a request for a stream or a WebSocket it returns the head, and the rest of the connection is theirs."""

FULL_S = 5  # who is turned away may come again after so many seconds
_TCP_USER_TIMEOUT = getattr(trio.socket, "TCP_USER_TIMEOUT", None)  # Linux only


@dataclass(slots=True, eq=False)
class _Visit:
    """One connection while it is inside."""

    stream: Transport
    client: str
    site: str | None
    kind: str = "unknown"
    relayed: bool = False  # another worker has it, and has done with TLS
    no_place: Drop | None = None  # and why: it is heard, but counts nowhere


class FrontDoor:
    """Serves listeners: WebSocket handshakes go to one handler, all other requests of HTTP/1.x to the other.

    Those of paths in `streams` go to theirs, which answers for as long as it likes and with the end of the connection.
    `words` says what is told to who is let in to none of them. Those whom `proxies` speak for are counted for their own
    addresses, if they have a connection to themselves.
    Where there is no place left, the paths `probes` are still answered: whoever asks there would start a server anew,
    or send its clients elsewhere, if it heard nothing or a refusal; and a full one works.
    Connections of one address, or site, begin by `rounds`, which are kept while the door serves.
    With `tls` all of them are spoken within it, and nothing in the clear. WebSockets for what is `elsewhere` are passed
    on to the worker that has it; requests are, by who serves them.
    """

    def __init__(  # noqa: PLR0913 - all of them named
        self,
        *,
        http: Handler,
        websocket: Handler,
        limits: DoorLimits,
        observer: DoorObserver,
        streams: Mapping[str, Handler] | None = None,
        words: Words = plain,
        proxies: Proxies | None = None,
        tls: Tls | None = None,
        elsewhere: Elsewhere = nowhere_else,
        probes: Container[str] = (),
        rounds: Rounds | None = None,
    ) -> None:
        self._handlers = {Kind.HTTP: http, Kind.WEBSOCKET: websocket}
        self._streams = streams or {}
        self._limits = limits
        self._observer = observer
        self._words = words
        self._proxies = proxies or Proxies()
        self._tls = tls
        self._elsewhere = elsewhere
        self._relayed = RelayedSockets(limits.write_within_s)
        self._probes = probes
        self._rounds = rounds or Rounds()
        self._admission = Admission(limits)
        self._seats = Seats(limits)
        self._visits: set[_Visit] = set()
        self._leaving = trio.Event()
        self._closing = trio.Event()
        self._empty = trio.Event()
        self._only_one = trio.Event()  # as if the door closed: no second request follows
        self._only_one.set()

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return self._admission.inside

    @property
    def closing(self) -> trio.Event:
        """Set when `close` is called."""
        return self._closing

    @property
    def is_leaving(self) -> bool:
        """Whether nobody new is let in."""
        return self._leaving.is_set()

    def leave(self) -> None:
        """Let nobody new in, but for what other workers pass on; those inside go on until they end, or `close`.

        Who waits in the queue of a port that others share is taken in by them.
        """
        self._leaving.set()

    async def send_home(self, waves: Waves, parting: Callable[[], tuple[int, str]]) -> None:
        """Close the WebSockets that are passed on, in these waves; each client is told a code and a reason."""
        await self._relayed.send_home(waves, parting)

    def close(self) -> None:
        """Let `serve` come to an end: nobody new, a bounded time for those inside. May be called at any time, twice."""
        self._leaving.set()
        self._closing.set()
        self._seats.clear()

    async def serve(
        self,
        listeners: Sequence[trio.abc.Listener[trio.SocketStream]],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve until `close` is called; then those inside have `stop_within_s` before their sockets are closed.

        Cancelled, it closes all sockets at once. The listeners are closed in both cases. Nothing that a client
        sends ends it.
        """
        async with trio.open_nursery() as inside:
            try:
                await inside.start(self._rounds.run)
                await self._accept_until_leaving(listeners, inside, task_status)
                await self._closing.wait()
                with trio.move_on_after(self._limits.stop_within_s):
                    await self._until_empty()
            finally:
                self._cut_all()
                inside.cancel_scope.cancel()

    async def take_over(self, stream: trio.SocketStream, client: str) -> None:
        """Serve to its end a connection that another worker has with that client, and passes on to us."""
        site = None if client in self._proxies else site_of(client)
        why = Drop.STOPPED if self._closing.is_set() else self._admission.enter(site)
        if why is not None:
            self._turn_away(stream, why, relayed=True)
            return
        visit = _Visit(stream, client, site, relayed=True)
        self._visits.add(visit)
        await self._host(visit)

    async def _accept_until_leaving(
        self,
        listeners: Sequence[trio.abc.Listener[trio.SocketStream]],
        inside: trio.Nursery,
        task_status: trio.TaskStatus[None],
    ) -> None:
        try:
            async with trio.open_nursery() as accepting:
                for listener in listeners:
                    accepting.start_soon(self._accept_all, listener, inside)
                task_status.started()
                await self._leaving.wait()
                accepting.cancel_scope.cancel()
        finally:
            for listener in listeners:
                await trio.aclose_forcefully(listener)

    async def _accept_all(self, listener: trio.abc.Listener[trio.SocketStream], inside: trio.Nursery) -> None:
        with closing(Queue(listener)) as queue:
            while True:
                try:
                    stream = await queue.accept()
                except trio.ClosedResourceError:
                    return
                except OSError as error:  # no descriptor or no memory left: those inside will give some back
                    self._observer.accept_failed(error)
                    await trio.sleep(self._limits.accept_pause_s)
                else:
                    self._admit_all(chain((stream,), queue.ready()), inside)

    def _admit_all(self, streams: Iterable[trio.SocketStream], inside: trio.Nursery) -> None:
        """To the first without a place, told so before the next is let in: each takes a descriptor until then."""
        for stream in streams:
            if not self._admit(stream, inside):
                return

    def _admit(self, stream: trio.SocketStream, inside: trio.Nursery) -> bool:
        """Whether there was a place."""
        try:
            client = str(stream.socket.getpeername()[0])
            self._set_options(stream)
        except (OSError, IndexError):
            self._turn_away(stream, Drop.GONE)
            return True
        site = None if client in self._proxies else site_of(client)
        visit = _Visit(stream, client, site, no_place=self._admission.enter(site))
        self._visits.add(visit)
        inside.start_soon(self._host, visit)
        return visit.no_place is None

    def _set_options(self, stream: trio.SocketStream) -> None:
        """A small frame must not wait for an earlier one's acknowledgement, and a dead peer not hold our memory."""
        stream.setsockopt(IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
        if _TCP_USER_TIMEOUT is not None:
            within_s, now = self._limits.write_within_s, trio.current_time()
            within_s = self._rounds.ends.within(within_s, Waiting.ACKNOWLEDGEMENT, now)
            stream.setsockopt(IPPROTO_TCP, _TCP_USER_TIMEOUT, int(within_s * 1000))

    def _turn_away(self, stream: Transport, why: Drop, target: bytes = b"", *, relayed: bool = False) -> None:
        """Without waiting: being full must cost less than being served."""
        self._observer.dropped(why)
        if self._tls is None or relayed or isinstance(stream, TlsStream):  # else nothing can be said yet
            say_at_once(stream, last_answer(self._words, target, 503, "Too many connections.", retry_after_s=FULL_S))
        stream.socket.close()

    async def _host(self, visit: _Visit) -> None:
        """The barrier: whatever happens in here stays in here, except cancellation."""
        try:
            await (self._converse(visit) if visit.no_place is None else self._hear_out(visit, visit.no_place))
        except* (trio.BrokenResourceError, trio.ClosedResourceError):
            self._observer.dropped(Drop.GONE)
        except* Exception as errors:  # noqa: BLE001  # a handler that fails must not end its neighbours
            self._observer.failed(errors, kind=visit.kind, client=visit.client)
        finally:
            self._see_off(visit)

    async def _converse(self, visit: _Visit) -> None:
        try:
            await self._encrypt(visit)
            turn, pace, within_s = self._turn_of(visit), self._pace_of(visit), self._head_within_s()
            head: RequestHead | None = await read_head(visit.stream, self._limits, turn, pace, within_s)
            while head is not None:
                serving = await self._serve(visit, self._from_client(visit, head))
                del head  # who stays for hours need not be remembered by it
                head = await serving
        except TlsRefused as refused:
            await self._refuse(visit, refused.why, b"", refused.status, str(refused))
            return
        except HeadRefused as refused:
            await self._refuse(visit, refused.why, refused.target, refused.status, str(refused))
            return
        await linger(visit.stream, self._limits)

    async def _hear_out(self, visit: _Visit, why: Drop) -> None:
        """Who has no place may ask how the server is, once; everybody else is told to come again."""
        target, wrong = b"", (TlsRefused, HeadRefused, trio.BrokenResourceError, trio.ClosedResourceError)
        with suppress(*wrong), self._seats.seat() as seat:
            await self._encrypt(visit)
            head = await read_head(visit.stream, self._limits)
            target = head.target.encode("latin-1")
            if head.path in self._probes and head.kind(self._streams) is Kind.HTTP:
                seat.serve(visit.stream.socket.close)
                visit.kind = Kind.HTTP.value
                await self._handlers[Kind.HTTP](visit.stream, head, self._only_one)
                return
        self._turn_away(visit.stream, why, target)

    async def _serve(self, visit: _Visit, head: RequestHead) -> Awaitable[RequestHead | None]:
        """Its handler at work: not awaited here, that would be one more frame for each who stays."""
        kind = head.kind(self._streams)
        visit.kind = kind.value
        handler = self._streams[head.path] if kind is Kind.STREAM else self._handlers[kind]
        if kind is Kind.WEBSOCKET and (line := await self._line_for(visit, head)) is not None:
            handler = partial(self._relayed.serve, line=line)
        ends = self._leaving if kind is Kind.HTTP else self._closing
        return handler(visit.stream, head, ends)

    async def _line_for(self, visit: _Visit, head: RequestHead) -> trio.SocketStream | None:
        elsewhere = self._elsewhere(head.target)
        return None if elsewhere is None else await reach(elsewhere, visit.client)

    def _from_client(self, visit: _Visit, head: RequestHead) -> RequestHead:
        """Whom a connection through a proxy of ours is for; one that may have many requests is not for one client.

        Raises:
            HeadRefused: that client has too many connections.
        """
        if visit.relayed:
            head = replace(head, peer=visit.client, client=visit.client)
        if visit.site is not None or head.kind(self._streams) is Kind.HTTP:
            return head
        client = self._proxies.client_of(visit.client, head.fields()) or visit.client
        site = site_of(client)
        if client not in self._proxies:
            if (why := self._admission.settle(site)) is not None:
                raise HeadRefused(503, why, "Too many connections from this address.", head.target.encode("latin-1"))
            visit.site = site
        return replace(head, client=client)

    async def _refuse(self, visit: _Visit, why: Drop, target: bytes, status: int | None, sentence: str) -> None:
        self._observer.dropped(why)
        if status is not None:
            await say_and_leave(visit.stream, last_answer(self._words, target, status, sentence), self._limits)

    async def _encrypt(self, visit: _Visit) -> None:
        if self._tls is not None and not visit.relayed and isinstance(visit.stream, trio.SocketStream):
            visit.stream = await self._tls.shake_hands(visit.stream, self._head_within_s(), self._turn_of(visit))

    def _head_within_s(self) -> float:
        return self._rounds.ends.within(self._limits.head_within_s, Waiting.HEAD, trio.current_time())

    def _turn_of(self, visit: _Visit) -> Callable[[], Awaitable[None]]:
        """What to wait for before anything that costs is done for it. Behind a proxy all share one, until they ask."""
        return partial(self._rounds.begin, visit.site or "")

    def _pace_of(self, visit: _Visit) -> Callable[[], Awaitable[None]]:
        """What to wait for before more of a head is read."""
        return partial(self._rounds.pieces.before_more, visit.site, partial(has_come, visit.stream))

    def _see_off(self, visit: _Visit) -> None:
        visit.stream.socket.close()
        self._visits.discard(visit)
        if visit.no_place is None:
            self._admission.leave(visit.site)
        if not self._visits:
            self._empty.set()

    async def _until_empty(self) -> None:
        if self._visits:
            self._empty = trio.Event()
            await self._empty.wait()

    def _cut_all(self) -> None:
        """Close the sockets of all who are left: a shielded write of theirs ends by that and by nothing else."""
        for visit in self._visits:
            self._observer.dropped(Drop.STOPPED)
            visit.stream.socket.close()

    def __repr__(self) -> str:
        state = "closing" if self._closing.is_set() else "leaving" if self.is_leaving else "open"
        return f"<FrontDoor {state}, {self.connections} inside>"
