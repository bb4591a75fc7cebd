"""One client's live feed: what it watches, and how far it has been shown each channel.

The outbox is latest-wins. A step goes out at once when the client's socket can take it; otherwise only the newest
step of each channel is remembered (by reference: it is shared by all), and when the socket has drained the client
gets one fresh snapshot. So a slow reader holds a bounded amount of memory and delays nobody.

A client that is up to date costs no work of this module: it has a seat at its channel, where it is given the
bytes, until its transport has something else under way.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace

import trio

from actors.connection.boards_seen import BOARDS_WITHIN_S, MAX_BOARDS, BoardsSeen
from actors.connection.commands import (
    Authenticate,
    BadInput,
    ClientCommand,
    Ping,
    RequestToken,
    ScoringCommand,
    SpendToken,
    Subscribe,
    Unsubscribe,
)
from actors.connection.events import SESSION_ENDED, ErrorEvent, PersonalEvent, Pong, SignedIn, SignedOut, Unsubscribed
from actors.connection.scoring import SERVED, Scoring
from actors.connection.signins import REVOKED, REVOKED_CODE
from actors.connection.transport import ConnectionDialect, Transport
from actors.connection.watched import Watched, differ_in_radius
from actors.connection.world import ConnectionWorld
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Join, JoinAround, Leave, LeaveAround, Seats, Update
from actors.ports import NOWHERE, Source
from actors.runtime import ActorError

__all__ = ["MAX_CHANNELS", "ConnectionDialect", "ConnectionWorld", "LiveConnection", "Transport"]

#: More channels than this nobody needs at once; each costs a place in an audience.
MAX_CHANNELS = 20


#: What is said without being asked for while the client does not read; the newest of it.
MOST_UNTOLD = 4

#: A transport that says it has drained and yet takes nothing is asked again after so many seconds.
BREATH_S = 0.05


class LiveConnection:
    """The actor of one client. Its audiences call `offer`; its own task works on what the client asks."""

    __slots__ = (
        "__weakref__",
        "_boards",
        "_broken",
        "_catching_up",
        "_dialect",
        "_gone",
        "_helpers",
        "_lagging",
        "_late",
        "_scoring",
        "_signed_in",
        "_source",
        "_transport",
        "_untold",
        "_user",
        "_watched",
        "_world",
    )

    def __init__(
        self,
        transport: Transport,
        dialect: ConnectionDialect,
        world: ConnectionWorld,
        user: SignedIn | None = None,
        source: Source = NOWHERE,
    ) -> None:
        self._transport = transport
        self._dialect = dialect
        self._world = world
        self._user = user
        self._signed_in = user is not None
        self._source = source
        self._scoring: Scoring | None = None
        if user is not None:
            transport.trust()
        self._watched: dict[Channel, Watched] = {}
        self._boards = BoardsSeen()
        self._late: dict[Channel, Update] = {}  # what must be shown next; who has waited longest comes first
        self._untold: tuple[bytes, ...] = ()  # hardly anybody ever has some
        self._lagging = False
        self._catching_up = False
        self._helpers: trio.Nursery | None = None
        self._gone = False
        self._broken: Exception | None = None

    def __repr__(self) -> str:
        who = self._user.username if self._user else "anonymous"
        return f"<LiveConnection {who}, {len(self._watched)} channels, {len(self._late)} behind>"

    # --- the synchronous half: steps of boards ---

    def offer(self, update: Update) -> bool:
        """Take a step of a channel, or remember it as the one to catch up to; False when nobody watches it here.

        One that has been shown, or is older than what was shown, changes nothing. Never raises: what goes wrong on the
        way to this client ends its own `run`, not the audience.
        """
        watched = self._watched.get(update.channel)
        if self._gone or watched is None:
            return False
        self._stand(watched)
        try:
            self._take(watched, update)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where it belongs
            self._gone, self._broken = True, error
            self._lag()
        return not self._gone

    def _take(self, watched: Watched, update: Update) -> None:
        watched.doubt(update)
        late = self._late.get(update.channel)
        shown = watched if late is None else late
        if shown.epoch == update.epoch and shown.version >= update.version:
            return  # it, or something later, has been shown or soon will be
        if late is None and self._transport.write_now(self._frames(watched, update)):
            self._shown(watched, update)
        else:
            self._world.skipped()
            self._late[update.channel] = update
            self._lag()

    def _frames(self, watched: Watched, update: Update) -> bytes:
        if update.follows(watched.epoch, watched.version):
            return update.step_frames(self._dialect, full=watched.full)
        return update.full_frames(self._dialect)

    def _shown(self, watched: Watched, update: Update) -> None:
        watched.epoch = update.epoch
        watched.version = update.version
        self._world.sent()

    def speak(self, dialect: ConnectionDialect) -> None:
        """Say everything in that wire format from now on; what was watched is watched no more."""
        for channel in tuple(self._watched):
            self._forget(channel)
            self._leave(channel)
        self._dialect = dialect

    def sign_out(self, code: str, message: str) -> None:
        """The sign-in is over: go on as a spectator's. Commands that need one are refused for their own reasons."""
        if self._gone or self._user is None:
            return
        self._world.signins.discard(self, self._user)
        self._signed_in = False
        self._end_personal()
        frames = self._dialect.personal(SignedOut(code, message))
        if self._untold or not self._transport.write_now(frames):
            self._untold = (*self._untold, frames)[-MOST_UNTOLD:]
            self._lag()

    def dismiss(self, code: str, message: str) -> None:
        """The sign-in was taken back, so the talk is over: the client is told why and closed, by which `run` ends."""
        self.sign_out(code, message)
        self._transport.dismiss(SESSION_ENDED, message)
        if self._helpers is not None:
            self._helpers.cancel_scope.cancel()

    def _dismiss_if_ended(self, user: SignedIn) -> None:
        """Its session may have ended while the client was on its way here, when nobody could be told."""
        refusal = self._world.scoring.refusal(user)
        if refusal is not None and refusal.code == REVOKED_CODE:
            self.dismiss(*REVOKED)

    # --- the seats ---

    def settle(self, seats: Seats) -> None:
        """Take a seat at a channel that has been shown, while nothing else is under way."""
        watched, send = self._watched.get(seats.channel), self._transport.direct
        if watched is None or watched.epoch is None or send is None:
            return
        if seats.seat(self, self._dialect, send, full=watched.full, shown=(watched.epoch, watched.version)):
            watched.seats = seats

    def fell_out(self, channel: Channel, shown: Update, rest: bytes) -> None:
        """The seat is lost; what follows is offered."""
        watched = self._watched.get(channel)
        if watched is not None:
            watched.epoch, watched.version, watched.seats = shown.epoch, shown.version, None
        if rest:
            self._transport.finish(rest)

    def _busy(self) -> None:
        """Nobody else may write now: leave all seats, and wait until everything has left."""
        for watched in self._watched.values():
            self._stand(watched)
        self._lag()

    def _stand(self, watched: Watched) -> None:
        shown = watched.seats.unseat(self) if watched.seats is not None else None
        if shown is not None:
            watched.epoch, watched.version = shown.epoch, shown.version
        watched.seats = None

    # --- the tasks ---

    async def run(
        self, commands: AsyncIterator[ClientCommand], helpers: trio.Nursery, first: Iterable[ClientCommand] = ()
    ) -> None:
        """Serve the client, the `first` commands before all else, until `commands` ends; then leave every audience.

        In `helpers` a task runs while the client is behind. What goes wrong on the way to the client is raised there;
        it is cancelled when the client is dismissed.
        """
        self._helpers = helpers
        self._transport.when_busy(self._busy)
        if self._user is not None:
            self._world.signins.add(self, self._user)
            self._dismiss_if_ended(self._user)
        try:
            for command in first:
                await self._obey(command)
            async for command in commands:
                await self._obey(command)
        finally:
            self._gone, self._helpers = True, None
            if self._user is not None:
                self._world.signins.discard(self, self._user)
            if self._scoring is not None:
                self._scoring.close()
            for channel, watched in self._watched.items():
                self._stand(watched)
                self._leave(channel)
            self._watched.clear()
            self._late.clear()

    def _lag(self) -> None:
        """See to it that somebody waits until the client reads again."""
        self._lagging = True
        if not self._catching_up and self._helpers is not None:
            self._catching_up = True
            self._helpers.start_soon(self._catch_up)

    async def _catch_up(self) -> None:
        """Once the client reads again, show it the newest state of all channels it fell behind on."""
        try:
            while self._lagging:
                self._lagging = False
                if self._broken is not None:
                    raise self._broken
                await self._transport.drained()
                if not self._show_newest():
                    await trio.sleep(BREATH_S)
        except trio.ClosedResourceError:
            return  # in good order; whoever closed it ends the commands too
        finally:
            self._catching_up = False

    def _show_newest(self) -> bool:
        """What is untold, and one snapshot for each channel that is behind; False when the transport took nothing."""
        while self._untold:
            if not self._transport.write_now(self._untold[0]):
                self._lagging = True
                return False
            self._untold = self._untold[1:]
        for count, (channel, update) in enumerate(tuple(self._late.items())):
            if not self._transport.write_now(update.full_frames(self._dialect)):
                self._lagging = True
                return count > 0
            del self._late[channel]
            self._shown(self._watched[channel], update)
        return True

    async def _obey(self, command: ClientCommand) -> None:
        match command:
            case RequestToken() | SpendToken():
                await self._score(command)
            case Subscribe():
                await self._subscribe(command)
            case Unsubscribe(channel):
                if self._end_same(channel) and not channel.around:
                    self._leave(channel)
                await self._say(Unsubscribed(channel))
            case Ping(echo):
                await self._say(Pong(echo))
            case Authenticate(token):
                await self._authenticate(token)
            case BadInput(code, message, name, channel_name):
                await self._say(ErrorEvent(code, message, name, channel_name))

    async def _subscribe(self, command: Subscribe) -> None:
        channel = command.channel
        refusal = self._why_not(channel)
        if refusal is not None:
            await self._say(replace(refusal, channel=channel))
            return
        self._end_same(channel)  # a second subscription begins anew, with a snapshot
        epoch, version = command.shown or (None, 0)
        self._watched[channel] = Watched(command.full, epoch, version, believed=epoch is not None)
        try:
            await self._world.audiences.ask(channel.key, self._joining(channel), within=self._world.within_s)
        except ActorError:
            self._forget(channel)
            text = "The board cannot be reached just now. Subscribe again."
            await self._say(ErrorEvent("SERVICE_UNAVAILABLE", text, channel=channel))

    def _joining(self, channel: Channel) -> Join | JoinAround:
        return JoinAround(self, channel, self._user.user_id) if channel.around and self._user else Join(self)

    def _why_not(self, channel: Channel) -> ErrorEvent | None:
        """Why this one may not be watched as well, if so; otherwise the look at its board is remembered."""
        if channel.around and not self._signed_in:
            return ErrorEvent("UNAUTHORIZED", "This channel is a player's own. Send authenticate first.")
        if len(self._watched) >= MAX_CHANNELS and channel not in self._watched:
            text = f"A connection may watch {MAX_CHANNELS} channels. Unsubscribe from one first."
            return ErrorEvent("TOO_MANY_CHANNELS", text)
        if not self._boards.look_at(channel.board, trio.current_time()):
            text = f"A connection may look at {MAX_BOARDS} boards in {BOARDS_WITHIN_S:.0f} seconds."
            return ErrorEvent("TOO_MANY_CHANNELS", text)
        return None

    def _end_same(self, channel: Channel) -> bool:
        """Watch it no more; one's own surroundings whatever their radius. False if it was not watched."""
        same = [each for each in self._watched if each == channel or differ_in_radius(each, channel)]
        for each in same:
            self._forget(each)
            if each.around:
                self._leave(each)
        return bool(same)

    def _end_personal(self) -> None:
        for channel in [each for each in self._watched if each.around]:
            self._forget(channel)
            self._leave(channel)

    def _forget(self, channel: Channel) -> bool:
        """Stop showing a channel; False if it was not shown."""
        self._late.pop(channel, None)
        watched = self._watched.pop(channel, None)
        if watched is not None:
            self._stand(watched)
        return watched is not None

    def _leave(self, channel: Channel) -> None:
        try:
            self._world.audiences.tell(channel.key, LeaveAround(self, channel) if channel.around else Leave(self))
        except ActorError:
            return  # the audience forgets a connection that has gone when it offers it the next step

    async def _authenticate(self, token: str) -> None:
        verdict: SignedIn | ErrorEvent = ErrorEvent(
            "SERVICE_UNAVAILABLE", "You cannot be signed in just now. Try again."
        )
        with trio.move_on_after(self._world.within_s):
            verdict = await self._world.who(token)
        if isinstance(verdict, SignedIn):
            self._sign_in(verdict)
        await self._say(verdict)

    def _sign_in(self, user: SignedIn) -> None:
        if self._user is not None:
            self._world.signins.discard(self, self._user)
            if self._user.user_id != user.user_id:
                self._end_personal()
        self._user, self._signed_in = user, True
        self._world.signins.add(self, user)
        self._transport.trust()

    async def _score(self, command: ScoringCommand) -> None:
        if self._scoring is None:
            self._scoring = Scoring(
                self._transport, self._encoded, self._world.scoring, self._source, self._start_helper
            )
        await self._scoring.take(command, self._user)

    def _encoded(self, event: PersonalEvent) -> bytes:
        """In the wire format that is spoken now, which may have changed since the first score."""
        return self._dialect.personal(event)

    def _start_helper(self, task: Callable[[], Awaitable[None]]) -> None:
        if self._helpers is not None:
            self._helpers.start_soon(task)

    async def _say(self, event: PersonalEvent) -> None:
        if isinstance(event, ErrorEvent) and event.code not in SERVED:
            self._world.scoring.denied(event.code, "live", self._user, self._source)
        frames = self._dialect.personal(event)
        if not self._transport.write_now(frames):
            await self._transport.send(frames)
