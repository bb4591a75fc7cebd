"""One request on a connection and the application's answer to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio
from hypercorn.protocol.events import EndBody, Event, Request, Response

from scoreboard.door.app_stream import AppStream, Fields
from scoreboard.door.app_tasks import InPlace
from scoreboard.door.body import BodyError, body_of
from scoreboard.door.farewell import last_answer
from scoreboard.door.observer import Drop
from scoreboard.door.parser import ParsedHead
from scoreboard.door.reply import INVITATION, Reply

if TYPE_CHECKING:
    from scoreboard.door.connection import Http1Connection

_STREAM_ID = 1
_DISCONNECT: Any = {"type": "http.disconnect"}


class Turn:
    """`AppStream` makes the scope of ASGI and watches over the order of its messages; bytes are made here.

    `receive` takes the body from the socket when the application asks for it. One that answers without having asked for
    all of it gets no further requests from that connection, unless the rest has come already.
    """

    def __init__(self, connection: Http1Connection, head: ParsedHead) -> None:
        site = connection.site
        self._connection = connection
        self._head = head
        self._body = body_of(head, connection.received, site.limits)
        self._given_up = False  # no more of the body will be heard
        self._told_all = False  # the application has heard the end of the body
        self._invited = not head.wants_invitation
        self._in_pieces = False
        self._waiting: trio.CancelScope | None = None
        self._reply = Reply(to_head=head.method == b"HEAD", to_http10=head.version == b"1.0", constant=site.constant)

    @property
    def may_go_on(self) -> bool:
        """Whether both request and answer are complete and neither was the last one."""
        return self._reply.complete and not self._reply.last and self._body.complete

    async def serve(self) -> None:
        """Run the application on it, to its end."""
        connection, site, head = self._connection, self._connection.site, self._head
        stream = AppStream(
            self._begin,
            self._go_on,
            site.app,
            site.config,
            site.context,
            InPlace(self.receive, whole=self._body.is_here),
            False,
            connection.client_of(head),
            connection.server,
            self._send,
            _STREAM_ID,
        )
        method, version = head.method.decode("ascii"), head.version.decode("ascii")
        await stream.handle(Request(_STREAM_ID, head.fields, version, method, head.target, connection.state))
        if self._reply.complete:
            while not self._body.complete and await self._taken():  # what has come of it unasked for
                await trio.lowlevel.checkpoint()

    # --- in ---

    async def receive(self) -> Any:
        """The next piece of the body; behind its end, that the client is gone or the answer complete."""
        while not self._told_all:
            piece = await self._take()
            if piece is None:
                return _DISCONNECT
            if piece or self._body.complete:
                self._told_all = self._body.complete
                if not self._told_all:
                    await trio.lowlevel.checkpoint()  # chunks are dear; others have their turn between some of them
                return {"type": "http.request", "body": piece, "more_body": not self._told_all}
        await self._until_over()
        return _DISCONNECT

    async def _take(self) -> bytes | None:
        """What there is of the body, having waited if that is nothing; None if it will never be complete."""
        piece = await self._taken()
        if piece or self._body.complete:
            return piece
        if self._connection.ended:
            return None
        await self._invite()
        with trio.move_on_after(self._connection.site.piece_within_s()) as waiting:
            if await self._more():
                return await self._taken()
        if waiting.cancelled_caught:
            await self._refuse(408, Drop.SLOW_BODY, "The body of the request did not come in time.")
        else:
            await self._refuse(400, Drop.GONE, "The body of the request is not complete.")
        return None

    async def _more(self) -> bool:
        """A body often comes behind its head, in a piece of its own."""
        connection, in_pieces, self._in_pieces = self._connection, self._in_pieces, True
        return await (connection.read_on() if in_pieces else connection.read())

    async def _taken(self) -> bytes:
        try:
            return b"" if self._given_up else self._body.take()
        except BodyError as error:
            await self._refuse(400, Drop.BAD_BODY, str(error))
            return b""

    async def _invite(self) -> None:
        if not self._invited and not self._reply.begun:
            await self._connection.write(INVITATION)
        self._invited = True

    async def _refuse(self, status: int, why: Drop, sentence: str) -> None:
        """Hear nothing more, and answer in place of the application; one that has begun its answer may end it."""
        connection = self._connection
        connection.site.dropped(why)
        connection.ended = self._given_up = True
        if not self._reply.begun:
            await connection.write(last_answer(connection.site.words, self._head.target, status, sentence))
            connection.broken = True

    async def _until_over(self) -> None:
        if not self._reply.complete:
            with trio.CancelScope() as self._waiting:
                await self._connection.until_gone()

    # --- out ---

    def _begin(self, status: int, fields: Fields) -> None:
        self._reply.head(status, fields, last=self._should_be_last())

    async def _go_on(self, data: bytes, last: bool) -> None:  # noqa: FBT001 - as `AppStream` says it
        if data:
            await self._connection.write(self._reply.body(data))
        if last:
            rest = self._reply.end()
            if rest:
                await self._connection.write(rest)
            if self._waiting is not None:
                self._waiting.cancel()

    async def _send(self, event: Event) -> None:
        """What Hypercorn says in place of an application that failed."""
        if isinstance(event, Response):
            self._begin(event.status_code, event.headers)
        elif isinstance(event, EndBody):
            await self._go_on(b"", True)

    def _should_be_last(self) -> bool:
        return self._head.last or self._connection.is_last or not self._body.is_here
