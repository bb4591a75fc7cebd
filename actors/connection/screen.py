"""How far one client has been shown each channel that it watches.

The outbox is latest-wins. A step goes out at once when the client's socket can take it; otherwise only the newest
step of each channel is remembered (by reference: it is shared by all), and when the socket has drained the client
gets one fresh snapshot. So a slow reader holds a bounded amount of memory and delays nobody.

A client that is up to date costs no work of this module: it has a seat at its channel, where it is given the
bytes, until its transport has something else under way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import trio

from actors.connection.transport import ConnectionDialect, Transport
from actors.connection.watched import Watched
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Seats, Update

#: What is said without being asked for while the client does not read; the newest of it.
MOST_UNTOLD = 4

#: A transport that says it has drained and yet takes nothing is asked again after so many seconds.
BREATH_S = 0.05


class Screen:
    """What a client's audiences call: see `Subscriber`. `sent` and `skipped` hear of each step."""

    __slots__ = (
        "_broken",
        "_catching_up",
        "_gone",
        "_helpers",
        "_lagging",
        "_late",
        "_sent",
        "_skipped",
        "_transport",
        "_untold",
        "_watched",
        "dialect",
    )

    def __init__(
        self,
        transport: Transport,
        dialect: ConnectionDialect,
        sent: Callable[[], None],
        skipped: Callable[[], None],
    ) -> None:
        self.dialect = dialect
        self._transport = transport
        self._sent = sent
        self._skipped = skipped
        self._watched: dict[Channel, Watched] = {}
        self._late: dict[Channel, Update] = {}  # what must be shown next; who has waited longest comes first
        self._untold: tuple[bytes, ...] = ()  # hardly anybody ever has some
        self._lagging = False
        self._catching_up = False
        self._helpers: trio.Nursery | None = None
        self._gone = False
        self._broken: Exception | None = None

    def __repr__(self) -> str:
        return f"<Screen, {len(self._watched)} channels, {self.behind} behind>"

    # --- what is watched ---

    @property
    def channels(self) -> Collection[Channel]:
        """What is watched."""
        return self._watched.keys()

    @property
    def behind(self) -> int:
        """How many channels the client has yet to catch up with."""
        return len(self._late)

    @property
    def is_over(self) -> bool:
        """Whether nothing is shown any more."""
        return self._gone

    def watch(self, channel: Channel, watched: Watched) -> None:
        """Show it from now on."""
        self._watched[channel] = watched

    def forget(self, channel: Channel) -> None:
        """Stop showing a channel, if it was shown."""
        self._late.pop(channel, None)
        watched = self._watched.pop(channel, None)
        if watched is not None:
            self._stand(watched)

    def begin(self, helpers: trio.Nursery) -> None:
        """In `helpers` a task runs while the client is behind; what goes wrong on the way to it is raised there."""
        self._helpers = helpers
        self._transport.when_busy(self._busy)

    def end(self) -> None:
        """Nothing is shown any more."""
        self._gone, self._helpers = True, None
        for watched in self._watched.values():
            self._stand(watched)
        self._watched.clear()
        self._late.clear()

    # --- steps of boards ---

    def offer(self, update: Update) -> bool:
        """Take a step of a channel, or remember it as the one to catch up to; False when nobody watches it here.

        One that has been shown, or is older than what was shown, changes nothing. Never raises: what goes wrong on the
        way to this client ends its own task, not the audience.
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
            self._skipped()
            self._late[update.channel] = update
            self._lag()

    def _frames(self, watched: Watched, update: Update) -> bytes:
        if update.follows(watched.epoch, watched.version):
            return update.step_frames(self.dialect, full=watched.full)
        return update.full_frames(self.dialect)

    def _shown(self, watched: Watched, update: Update) -> None:
        watched.epoch = update.epoch
        watched.version = update.version
        self._sent()

    def tell(self, frames: bytes) -> None:
        """Say what nobody asked for, as soon as the client can take it."""
        if self._untold or not self._transport.write_now(frames):
            self._untold = (*self._untold, frames)[-MOST_UNTOLD:]
            self._lag()

    # --- the seats ---

    def settle(self, seats: Seats) -> None:
        """Take a seat at a channel that has been shown, while nothing else is under way."""
        watched, send = self._watched.get(seats.channel), self._transport.direct
        if watched is None or watched.epoch is None or send is None:
            return
        if seats.seat(self, self.dialect, send, full=watched.full, shown=(watched.epoch, watched.version)):
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

    # --- who is behind ---

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
            if not self._transport.write_now(update.full_frames(self.dialect)):
                self._lagging = True
                return count > 0
            del self._late[channel]
            self._shown(self._watched[channel], update)
        return True
