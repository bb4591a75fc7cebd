"""Keeps in touch: one socket after the other, pauses in between, and polling while no socket is to be had."""

from __future__ import annotations

import math
from collections.abc import Callable

import trio

from scoreboard.client.account import Account
from scoreboard.client.entry import Entrance, Entry
from scoreboard.client.errors import ClientError, LineLost, ScoreboardError, is_later
from scoreboard.client.frames import Frames
from scoreboard.client.line import AUTHENTICATE, Line
from scoreboard.client.pace import (
    ANSWER_WITHIN_S,
    ATTEMPTS_AFTER_OUR_FAULT,
    BACK_WITHIN_S,
    CLOSED_FOR_OUR_FAULT,
    REFUSALS_BEFORE_POLLING,
    RENEWED,
    STABLE_AFTER_S,
    obeyed_s,
    retry_delay_s,
)
from scoreboard.client.poller import Poller
from scoreboard.client.records import Status
from scoreboard.client.requests import Requests
from scoreboard.client.transport import Socket
from scoreboard.client.watch import Channel


class Upkeep:
    """Holds the line for as long as `run` is let run.

    Args:
        requests: The way to REST, and to sockets.
        account: Who is signed in, if anybody.
        chance: A number from 0 to 1, asked for each pause.
        on_status: Hears of every change of the way to the server.
        on_error: Hears of what nobody waits for.
    """

    def __init__(
        self,
        requests: Requests,
        account: Account,
        chance: Callable[[], float],
        on_status: Callable[[Status], None],
        on_error: Callable[[ScoreboardError], None],
    ) -> None:
        self.channels: dict[str, Channel] = {}
        self.line: Line | None = None
        self._transport = requests.transport
        self._account = account
        self._chance = chance
        self._on_status = on_status
        self._on_error = on_error
        self._entrance = Entrance(account, requests, self.signed_out)
        self._frames = Frames(self.channels, on_error, self.renew, self._introduced)
        self._poller = Poller(requests.get, lambda: list(self.channels.values()), self._polled)
        self._polling: trio.CancelScope | None = None
        self._nursery: trio.Nursery | None = None
        self._pause = trio.CancelScope()
        self._retry_at: float | None = None
        self._live_since = math.inf
        self._ever_live = False
        self._was_live = False
        self._attempt = self._refusals = 0
        self._renewing = False
        self._signed_out_by: ScoreboardError | None = None
        self._changed = trio.Event()

    def __repr__(self) -> str:
        return f"<Upkeep {self.status.state}, attempt {self._attempt}>"

    # --- for those who watch and score ---

    @property
    def status(self) -> Status:
        """How the way to the server is now."""
        if self.line is not None and self.line.live:
            return Status("live")
        if self._polling is not None:
            return Status("polling") if self._poller.answered else Status("offline", self._poller.next_at)
        return Status("reconnecting" if self._ever_live or self._retry_at else "connecting", self._retry_at)

    def watched(self, channel: Channel) -> None:
        """Somebody watches a channel that nobody watched before, or not so."""
        self.channels[channel.name] = channel
        if self.line is not None:
            self._frames.subscribe(self.line, channel)
        if self._polling is not None:
            self._poller.hurry()

    def left(self, channel: Channel) -> None:
        """Nobody watches this channel any more."""
        if self.channels.get(channel.name) is not channel:
            return
        del self.channels[channel.name]
        if self.line is not None:
            self.line.say("unsubscribe", {"channel": channel.name})
            self._frames.forgotten(self.line, channel)

    def retry_now(self) -> None:
        """The network may be back: do not wait out the pause."""
        if self.line is not None and self.line.live:
            self.line.ping()
        self._pause.cancel()
        if self._polling is not None:
            self._poller.hurry()

    async def way(self) -> Line | None:
        """Waits for a way to send commands: a line on which we may speak, or None for REST.

        Raises:
            ScoreboardError: nobody is signed in.
        """
        while True:
            if not self._account.signed_in:
                raise self._signed_out_by or ScoreboardError("UNAUTHORIZED", "Nobody is signed in.")
            if not self._renewing:
                if self.line is not None and self.line.may_speak:
                    return self.line
                if self._polling is not None:
                    return None
            await self._changed.wait()

    # --- who is signed in ---

    def introduce(self, token: str) -> None:
        """Tell the open socket who we are now; one that is not open yet is told when it opens."""
        self._signed_out_by = None
        if self.line is not None:
            self.line.may_speak = False
            self.line.say("authenticate", {"token": token})
            self.line.expect(AUTHENTICATE)

    def renew(self, why: ScoreboardError) -> None:
        """The server says that the sign-in is no longer good: get a new token, or tell that one must sign in."""
        if self._renewing or self._nursery is None:
            return
        self._renewing = True
        if self.line is not None:
            self.line.may_speak = False
            self.line.awaited.pop(AUTHENTICATE, None)
        self._nursery.start_soon(self._renew, why)

    async def _renew(self, why: ScoreboardError) -> None:
        try:
            self.introduce(await self._account.renew())
        except ClientError as failure:
            if isinstance(failure, ScoreboardError) and not is_later(failure):
                self.signed_out(why if failure.code == "ACCESS_TOKEN_EXPIRED" else failure)
            elif self.line is not None:
                self.line.lose()
        finally:
            self._renewing = False
            self._ring()

    def signed_out(self, why: ScoreboardError) -> None:
        """One goes on as a spectator; commands fail with this error."""
        self._account.forget()
        self._signed_out_by = why
        self._on_error(why)
        if self.line is not None:
            self.line.settle()
        self._ring()

    def _introduced(self, line: Line) -> None:
        line.may_speak = True
        self._frames.subscribe_personal(line)
        line.settle(AUTHENTICATE)
        self._ring()

    # --- one socket after the other ---

    async def run(self) -> None:
        """Never ends by itself."""
        async with trio.open_nursery() as self._nursery:
            while True:
                self._report()
                await self._recover(await self._one_line())

    async def _one_line(self) -> LineLost:
        self._live_since = math.inf
        async with trio.open_nursery() as nursery:
            try:
                socket, entry = await self._opened(nursery)
            except LineLost as lost:
                return lost
            try:
                return await self._held(Line(socket, self._frames.heard, self._became_live), entry)
            finally:
                await socket.aclose()

    async def _opened(self, nursery: trio.Nursery) -> tuple[Socket, Entry]:
        with trio.move_on_after(ANSWER_WITHIN_S):
            entry = await self._entrance.entry()
            return await self._transport.open_socket(nursery, entry.path), entry
        raise LineLost

    async def _held(self, line: Line, entry: Entry) -> LineLost:
        reason = LineLost()
        self.line = line
        try:
            self._begin(line, entry)
            await line.run()
        except LineLost as lost:
            reason = lost
        finally:
            self.line = None
            self._was_live = line.live
            line.hang_up(reason)
        return reason

    def _begin(self, line: Line, entry: Entry) -> None:
        line.may_speak = entry.signed_in
        if entry.token is not None:
            self.introduce(entry.token)
        for channel in list(self.channels.values()):
            self._frames.subscribe(line, channel)
        line.settle()
        self._ring()

    def _became_live(self) -> None:
        self._live_since = trio.current_time()
        self._ever_live = True
        self._stop_polling()
        self._report()

    async def _recover(self, lost: LineLost) -> None:
        """Waits before the next try."""
        # A server that takes us in and throws us out again must not be asked again ever faster.
        if trio.current_time() - self._live_since >= STABLE_AFTER_S:
            self._attempt = 0
        self._refusals = 0 if self._was_live else self._refusals + 1
        if self._refusals == REFUSALS_BEFORE_POLLING:
            self._start_polling()
        # Who is cut for what it sent comes back slowly: the same would happen again.
        if lost.code in CLOSED_FOR_OUR_FAULT:
            self._attempt = max(self._attempt, ATTEMPTS_AFTER_OUR_FAULT)
            self._on_error(ScoreboardError("LINE_CLOSED", f"Close code {lost.code}."))
        self._retry_at = trio.current_time() + self._delay_s(lost)
        self._attempt += 1
        self._report()
        with trio.CancelScope(deadline=self._retry_at) as self._pause:
            await trio.sleep_forever()
        self._retry_at, self._was_live = None, False

    def _delay_s(self, lost: LineLost) -> float:
        chance = self._chance()
        if lost.code == RENEWED and lost.retry_after_s is not None and self._was_live:
            return lost.retry_after_s
        delay_s = retry_delay_s(self._attempt, chance, polling=self._polling is not None)
        return max(delay_s, obeyed_s(lost.retry_after_s, chance))

    # --- while the socket is refused ---

    def _start_polling(self) -> None:
        assert self._nursery is not None  # noqa: S101 - called by `run` alone
        self._attempt = 0
        self._poller.answered = True
        self._polling = trio.CancelScope()
        self._nursery.start_soon(self._poll, self._polling)
        self._ring()

    def _stop_polling(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            self._polling = None

    async def _poll(self, scope: trio.CancelScope) -> None:
        with scope:
            await self._poller.run()

    def _polled(self, is_back: bool) -> None:  # noqa: FBT001 - what the poller tells
        if is_back and self._retry_at is not None:
            # The server is back from the dead: try the socket soon, but not all clients in the same instant.
            self._retry_at = self._pause.deadline = trio.current_time() + self._chance() * BACK_WITHIN_S
        self._report()

    # --- reports ---

    def _report(self) -> None:
        self._on_status(self.status)

    def _ring(self) -> None:
        self._changed.set()
        self._changed = trio.Event()
