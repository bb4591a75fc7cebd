"""One HTTP connection: its requests, one after the other, in one task."""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass, field

import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ConnectionState, LifespanState

from scoreboard.door.admission import site_of
from scoreboard.door.farewell import last_answer
from scoreboard.door.head import Kind, RequestHead, as_text
from scoreboard.door.idle import IdleLimit
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop
from scoreboard.door.parser import HeadError, HeadParser, ParsedHead
from scoreboard.door.proxies import Proxies
from scoreboard.door.relay import RELAYED, Elsewhere, Hurry, RelayedTurn, let_it_wait, nowhere_else, reach
from scoreboard.door.rounds import Rounds
from scoreboard.door.stream import HttpStream
from scoreboard.door.turn import Turn
from scoreboard.door.words import Words, plain
from scoreboard.ends import Waiting

READ_BYTES = 16 * 1024
#: So much of what a client sends ahead is kept while its request is being served; the rest stays in the kernel.
AHEAD_BYTES = 64 * 1024

Name = tuple[str, int] | None


@dataclass(slots=True)
class Site:
    """What all connections of one door share."""

    app: ASGIWrapper
    config: Config
    limits: DoorLimits
    constant: Callable[[], bytes]
    dropped: Callable[[Drop], None]
    streams: Container[str] = ()
    words: Words = plain
    proxies: Proxies = field(default_factory=Proxies)
    state: LifespanState = field(default_factory=dict)
    elsewhere: Elsewhere = nowhere_else
    hurry: Hurry = let_it_wait
    context: WorkerContext = field(default_factory=lambda: WorkerContext(max_requests=None))
    rounds: Rounds = field(default_factory=Rounds)

    def piece_within_s(self) -> float:
        """How long the next piece of a body is waited for, from now on."""
        return self.rounds.ends.within(self.config.read_timeout or float("inf"), Waiting.BODY, trio.current_time())


class Http1Connection:
    """In place of Hypercorn's `TCPServer` and `H11Protocol`, which read on while the application works.

    That needs two tasks, a queue between them, locks, and a protocol that says whose turn it is. Here one task reads a
    head, is the application, writes the answer, and reads on; llhttp takes the place of h11 (``scripts/bench top`` has
    a plain Hypercorn beside it). The request as the application sees it is Hypercorn's still; see `Turn`.
    """

    def __init__(
        self, site: Site, stream: HttpStream, received: HeadParser, closing: trio.Event, client: Name, server: Name
    ) -> None:
        self.site = site
        self.client = client
        self.server = server
        self._peer_site = "" if client is None else site_of(client[0])
        self._own_site = self._peer_site if client is not None and client[0] not in site.proxies else None
        self.state = ConnectionState(site.state)
        self.received = received
        self.broken = False  # nothing more can be said
        self.ended = False  # nothing more will be heard
        self._stream = stream
        self.closing = closing
        self._served = 0
        idle_s = site.rounds.ends.within(site.config.keep_alive_timeout, Waiting.REQUEST, trio.current_time())
        self._idle = IdleLimit(idle_s, closing, stream.close)

    def __repr__(self) -> str:
        return f"<Http1Connection, {self._served} served, {self._idle}>"

    @property
    def is_last(self) -> bool:
        """Whether the request that is being served should be the last one, whatever its client would like."""
        return self._served >= self.site.config.keep_alive_max_requests or self.closing.is_set()

    async def run(self) -> RequestHead | None:
        """Serve until either side ends the connection. What was received already begins with a whole head.

        Returns the head of a request for a stream or a WebSocket, which is served by somebody else.
        """
        handed_over = None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._idle.watch)
                handed_over = await self._serve_all()
                self._idle.end()
        finally:
            self._stream.close()
        return handed_over

    async def _serve_all(self) -> RequestHead | None:
        try:
            while (head := await self._next_head()) is not None:
                if self._is_for_others(head):
                    return as_text(head, self.received.take())
                if not await self._serve(head):
                    break
        except HeadError as error:
            self.site.dropped(error.drop)
            await self.write(last_answer(self.site.words, error.target, error.status, str(error)))
        return None

    def _is_for_others(self, head: ParsedHead) -> bool:
        """By the rule that holds for the first request of a connection, too."""
        is_usual = not head.upgrade and head.target.partition(b"?")[0].decode("ascii") not in self.site.streams
        return not is_usual and as_text(head, b"").kind(self.site.streams) is not Kind.HTTP

    def client_of(self, head: ParsedHead) -> Name:
        """Who sent a request: the other end, or whom it speaks for as a proxy of ours."""
        address = None if self.client is None else self.site.proxies.client_of(self.client[0], head.fields)
        return self.client if address is None else (address, 0)

    async def _serve(self, head: ParsedHead) -> bool:
        """One request and its answer; whether another may follow."""
        self._served += 1
        _require_servable(head)
        await self._wait_for_its_round(head)
        turn = await self._turn(head)
        await turn.serve()
        return turn.may_go_on and not (self.is_last or self.broken or self.ended)

    async def _wait_for_its_round(self, head: ParsedHead) -> None:
        if self.client is None or self._served == 1:  # the first one has waited at the door
            return
        if self.client[0] not in self.site.proxies:
            await self.site.rounds.begin(self._peer_site)
        elif (client := self.client_of(head)) is not None:
            await self.site.rounds.begin(site_of(client[0]))

    async def _turn(self, head: ParsedHead) -> Turn | RelayedTurn:
        """Here, or at the worker that holds what it asks for."""
        elsewhere = self.site.elsewhere(head.target.decode("latin-1")) if head.method in RELAYED else None
        if elsewhere is not None and self.client is not None:
            line = await reach(elsewhere, self.client[0])
            if line is not None:
                return RelayedTurn(self, head, line)
        return Turn(self, head)

    async def _next_head(self) -> ParsedHead | None:
        self._idle.restart()
        head = self.received.next_head()
        if head is not None:
            self._idle.stop()  # it has begun: what closes idle connections must leave it its answer
            await trio.lowlevel.checkpoint()  # many requests in one piece must not keep all others waiting
        elif self.received or await self.read():
            head = self.received.next_head() or await self._rest_of_head()
        self._idle.stop()
        return head

    async def _rest_of_head(self) -> ParsedHead | None:
        """Of one that has begun: it has as long as the first one had. Raises HeadError: it took longer."""
        head = None
        within_s, now = self.site.limits.head_within_s, trio.current_time()
        with trio.move_on_after(self.site.rounds.ends.within(within_s, Waiting.HEAD, now)):
            while head is None and await self.read_on():
                head = self.received.next_head()
            return head
        raise HeadError(408, "The request was not complete in time.", self.received.target())

    # --- what a turn needs ---

    async def read(self) -> bool:
        """Wait for more from the client; False when no more will come."""
        try:
            data = await self._stream.receive_some(READ_BYTES)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        self.received.feed(data)
        self.ended = self.ended or not data
        return not self.ended

    async def read_on(self) -> bool:
        """As `read`, for who has sent a part already and may send the rest byte by byte: its address has its turns."""
        await self.site.rounds.pieces.before_more(self._own_site, self._stream.has_come)
        return await self.read()

    async def write(self, data: bytes) -> None:
        """Send all of it; does nothing once the client is gone. Lets other tasks run only if the socket is full."""
        if self.broken:
            return
        try:
            await self._stream.send_all(data)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            self.broken = self.ended = True

    async def until_gone(self) -> None:
        """Wait until the client has hung up, as long as that can be seen."""
        more = self.read
        while len(self.received) < AHEAD_BYTES:
            if self.ended or not await more():
                return
            more = self.read_on
        await trio.sleep_forever()


def _require_servable(head: ParsedHead) -> None:
    """Raises HeadError for what is a request, but none for the application."""
    if not head.target.startswith(b"/"):
        raise HeadError(400, "The target of a request must be a path.", head.target)
    if head.upgrade.strip().lower() == b"websocket":
        raise HeadError(400, "A WebSocket begins with a GET with Connection: Upgrade.", head.target)
