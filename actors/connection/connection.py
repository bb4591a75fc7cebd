"""One client's live feed: what it asks for, who it is, and what it watches on its `Screen`."""

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
from actors.connection.screen import Screen
from actors.connection.signins import REVOKED, REVOKED_CODE
from actors.connection.transport import ConnectionDialect, Transport
from actors.connection.watched import Watched, differ_in_radius
from actors.connection.world import ConnectionWorld
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Join, JoinAround, Leave, LeaveAround
from actors.ports import NOWHERE, Source
from actors.runtime import ActorError

__all__ = ["MAX_CHANNELS", "ConnectionDialect", "ConnectionWorld", "LiveConnection", "Transport"]

#: More channels than this nobody needs at once; each costs a place in an audience.
MAX_CHANNELS = 20


class LiveConnection:
    """The actor of one client. Its audiences have its screen; its own task works on what the client asks."""

    __slots__ = (
        "__weakref__",
        "_boards",
        "_helpers",
        "_scoring",
        "_screen",
        "_signed_in",
        "_source",
        "_transport",
        "_user",
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
        self._screen = Screen(transport, dialect, world.sent, world.skipped)
        self._world = world
        self._user = user
        self._signed_in = user is not None
        self._source = source
        self._scoring: Scoring | None = None
        if user is not None:
            transport.trust()
        self._boards = BoardsSeen()
        self._helpers: trio.Nursery | None = None

    def __repr__(self) -> str:
        who = self._user.username if self._user else "anonymous"
        return f"<LiveConnection {who}, {len(self._screen.channels)} channels, {self._screen.behind} behind>"

    # --- the synchronous half ---

    def speak(self, dialect: ConnectionDialect) -> None:
        """Say everything in that wire format from now on; what was watched is watched no more."""
        for channel in tuple(self._screen.channels):
            self._screen.forget(channel)
            self._leave(channel)
        self._screen.dialect = dialect

    def sign_out(self, code: str, message: str) -> None:
        """The sign-in is over: go on as a spectator's. Commands that need one are refused for their own reasons."""
        if self._screen.is_over or self._user is None:
            return
        self._world.signins.discard(self, self._user)
        self._signed_in = False
        self._end_personal()
        self._screen.tell(self._encoded(SignedOut(code, message)))

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

    # --- the tasks ---

    async def run(
        self, commands: AsyncIterator[ClientCommand], helpers: trio.Nursery, first: Iterable[ClientCommand] = ()
    ) -> None:
        """Serve the client, the `first` commands before all else, until `commands` ends; then leave every audience.

        In `helpers` a task runs while the client is behind. What goes wrong on the way to the client is raised there;
        it is cancelled when the client is dismissed.
        """
        self._helpers = helpers
        self._screen.begin(helpers)
        if self._user is not None:
            self._world.signins.add(self, self._user)
            self._dismiss_if_ended(self._user)
        try:
            for command in first:
                await self._obey(command)
            async for command in commands:
                await self._obey(command)
        finally:
            self._helpers, watched = None, tuple(self._screen.channels)
            self._screen.end()
            if self._user is not None:
                self._world.signins.discard(self, self._user)
            if self._scoring is not None:
                self._scoring.close()
            for channel in watched:
                self._leave(channel)

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
        self._screen.watch(channel, Watched(command.full, epoch, version, believed=epoch is not None))
        try:
            await self._world.audiences.ask(channel.key, self._joining(channel), within=self._world.within_s)
        except ActorError:
            self._screen.forget(channel)
            text = "The board cannot be reached just now. Subscribe again."
            await self._say(ErrorEvent("SERVICE_UNAVAILABLE", text, channel=channel))

    def _joining(self, channel: Channel) -> Join | JoinAround:
        screen = self._screen
        return JoinAround(screen, channel, self._user.user_id) if channel.around and self._user else Join(screen)

    def _why_not(self, channel: Channel) -> ErrorEvent | None:
        """Why this one may not be watched as well, if so; otherwise the look at its board is remembered."""
        if channel.around and not self._signed_in:
            return ErrorEvent("UNAUTHORIZED", "This channel is a player's own. Send authenticate first.")
        if len(self._screen.channels) >= MAX_CHANNELS and channel not in self._screen.channels:
            text = f"A connection may watch {MAX_CHANNELS} channels. Unsubscribe from one first."
            return ErrorEvent("TOO_MANY_CHANNELS", text)
        if not self._boards.look_at(channel.board, trio.current_time()):
            text = f"A connection may look at {MAX_BOARDS} boards in {BOARDS_WITHIN_S:.0f} seconds."
            return ErrorEvent("TOO_MANY_CHANNELS", text)
        return None

    def _end_same(self, channel: Channel) -> bool:
        """Watch it no more; one's own surroundings whatever their radius. False if it was not watched."""
        same = [each for each in self._screen.channels if each == channel or differ_in_radius(each, channel)]
        for each in same:
            self._screen.forget(each)
            if each.around:
                self._leave(each)
        return bool(same)

    def _end_personal(self) -> None:
        for channel in [each for each in self._screen.channels if each.around]:
            self._screen.forget(channel)
            self._leave(channel)

    def _leave(self, channel: Channel) -> None:
        leave = LeaveAround(self._screen, channel) if channel.around else Leave(self._screen)
        try:
            self._world.audiences.tell(channel.key, leave)
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
        return self._screen.dialect.personal(event)

    def _start_helper(self, task: Callable[[], Awaitable[None]]) -> None:
        if self._helpers is not None:
            self._helpers.start_soon(task)

    async def _say(self, event: PersonalEvent) -> None:
        if isinstance(event, ErrorEvent) and event.code not in SERVED:
            self._world.scoring.denied(event.code, "live", self._user, self._source)
        frames = self._encoded(event)
        if not self._transport.write_now(frames):
            await self._transport.send(frames)
