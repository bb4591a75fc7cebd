"""Those who watch: screens that follow, fall behind, vanish and come back, on whichever worker is there."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import trio

from actors.connection.commands import ClientCommand, Subscribe, Unsubscribe
from actors.connection.connection import LiveConnection
from actors.connection.events import ErrorEvent, SignedIn
from actors.leaderboard.events import BoardDiff, BoardFull, Channel, RankChange, Row, ScoreChange
from actors.ports import Span, UserId
from tests.connection.feed import PersonalPickles, Wire
from tests.leaderboard.naive import Client
from tests.simulation.worker import Crew, Serving
from tests.simulation.world import World


class Frames(list[bytes]):
    """What a wire takes is heard at once."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        super().__init__()
        self._heard = heard

    def append(self, frames: bytes) -> None:
        self._heard(frames)


@dataclass
class View:
    """What a client shows of one channel, held against the laws with every frame."""

    channel: Channel
    user_id: UserId | None
    world: World
    client: Client = field(default_factory=Client)
    serving: Serving | None = None
    resets_us: int | None = None
    reached: dict[UserId, int] = field(default_factory=dict)  # the version of each player that was shown
    left: set[str] = field(default_factory=set)  # epochs of this connection that are over

    def __repr__(self) -> str:
        return f"<View of {self.channel}, {self.client.epoch}/{self.client.version}>"

    def begin(self, serving: Serving, *, wishes: bool) -> None:
        """On a new connection; who wishes goes on from what is shown."""
        if serving is not self.serving:
            self.reached = {}  # another worker may be a little behind
        self.serving, self.left = serving, set()
        if not wishes:
            self.client.epoch, self.client.version = None, 0

    def subscription(self, *, wishes: bool) -> Subscribe:
        """What is said to be shown it."""
        known = self.client.epoch
        shown = (known, self.client.version) if known is not None and wishes else None
        return Subscribe(self.channel, full=self.world.rng.random() < 0.2, shown=shown)

    # --- what it is shown ---

    def hear(self, events: Iterable[object]) -> None:
        """All that one frame holds; what is of other channels changes nothing here."""
        before, moved = self.client.rows, False
        for event in events:
            if isinstance(event, BoardFull | BoardDiff) and event.channel == self.channel:
                before, version = self.client.rows, (self.client.epoch, self.client.version)
                self._show(event)
                moved = version != (self.client.epoch, self.client.version)  # or it was said that less had been shown
            elif isinstance(event, RankChange | ScoreChange) and event.channel == self.channel and moved:
                self._hear(event, before)

    def _show(self, event: BoardFull | BoardDiff) -> None:
        laws, before = self.world.laws, self.client.epoch
        laws.require(event.epoch not in self.left, f"{self} is led back to {event.epoch}")
        try:
            self.client.take(event)
        except AssertionError as error:
            laws.require(False, f"{self}: {error}")
        laws.require(self.client.asks == 0, f"{self} was shown what does not fit")
        if before not in {None, self.client.epoch}:
            self.left.add(before)
        if isinstance(event, BoardFull):
            self.resets_us = event.resets_us
        self._judge(self.client.rows)

    def _hear(self, news: RankChange | ScoreChange, before: tuple[Row, ...]) -> None:
        """News of a step tell what has changed between the rows before it and those behind it."""
        was = next((row for row in before if row.user_id == news.user_id), None)
        row = next((row for row in self.client.rows if row.user_id == news.user_id), None)
        true = was is None or news.old_rank == was.rank
        true &= row is None or news.new_rank == row.rank
        if isinstance(news, ScoreChange):
            true &= was is None or news.old_score == was.score
            true &= row is None or news.new_score == row.score
        self.world.laws.require(true, f"{self} hears {news}, and showed {was} and then {row}")

    def _judge(self, rows: tuple[Row, ...]) -> None:
        laws, board = self.world.laws, self.channel.board
        laws.ordered(board, rows, first=None if self.channel.around else 1)
        if not self.channel.around:
            laws.require(len(rows) <= self.channel.size, f"{self} shows more than it should")
            laws.require(len(rows) <= self.client.total, f"{self} shows more than there are")
        span = self._span()
        for row in rows:
            fit = laws.fit(board, span, row, own=row.user_id == self.user_id)
            laws.require(fit.last >= self.reached.get(row.user_id, 0), f"{self} goes back to an older {row}")
            self.reached[row.user_id] = max(fit.first, self.reached.get(row.user_id, 0))

    def _span(self) -> Span | None:
        """The period that is shown; of surroundings nobody tells it, and it is that of the board."""
        if self.channel.around and self.serving is not None:
            view = self.serving.core.published.current(self.channel.board)
            return None if view is None else view.span
        if self.resets_us is None:
            return None
        return self.world.laws.span(self.channel.board, self.resets_us - 1)

    # --- in the end ---

    @property
    def expected(self) -> list[tuple[int, int, str, str | None]]:
        """What it should show. Who is hidden stands among the others in its own eyes."""
        laws, board, now_us = self.world.laws, self.channel.board, self.world.clock.now_us()
        if not self.channel.around:
            return laws.truth(board, now_us)[: self.channel.size]
        truth = laws.truth(board, now_us, eyes=self.user_id)
        own = next((place for place, each in enumerate(truth) if each[2] == self.user_id), None)
        if own is None:
            return []
        return truth[max(own - self.channel.size, 0) : own + self.channel.size + 1]

    def unlike(self) -> str | None:
        """How what it shows differs from what is true, if it does."""
        expected = self.expected
        shown = [(row.score, row.reached_us, row.user_id, row.country) for row in self.client.rows]
        if shown != expected:
            return f"{self} shows {shown}, the truth is {expected}"
        total = len(self.world.laws.truth(self.channel.board, self.world.clock.now_us()))
        if not self.channel.around and self.client.total != total:
            return f"{self} shows {self.client.total} players of {total}"
        return None


@dataclass
class Spectator:
    """One client with a channel, or several by one way."""

    views: list[View]
    user_id: UserId | None
    world: World
    crew: Crew
    serving: Serving | None = None
    wire: Wire = field(default_factory=Wire)
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    say: trio.MemorySendChannel[ClientCommand] | None = None
    hung_up: trio.Event = field(default_factory=trio.Event)
    wishes: bool = False  # to be told from what it shows, when it comes back

    def __repr__(self) -> str:
        return f"<Spectator of {self.views}>"

    async def watch(self) -> None:
        """Connect somewhere, and again whenever that ends."""
        while True:
            there = self.crew.serving
            if there:
                await self._watch(self.world.rng.choice(there))
            await trio.sleep(self.world.rng.uniform(0.1, 1))

    async def _watch(self, serving: Serving) -> None:
        self.serving, self.wire, self.scope = serving, Wire(), trio.CancelScope()
        self.wire.taken = Frames(self._heard)
        self.hung_up = trio.Event()
        self.say, commands = trio.open_memory_channel[ClientCommand](100)
        user = None if self.user_id is None else SignedIn(self.user_id, self.user_id)
        connection = LiveConnection(self.wire, PersonalPickles(), serving.connections, user)
        for view in self.views:
            view.begin(serving, wishes=self.wishes)
            self.say.send_nowait(view.subscription(wishes=self.wishes))
        serving.life.clients[self.scope] = None
        try:
            with self.scope:
                async with trio.open_nursery() as helpers:
                    helpers.start_soon(self._until_hung_up, helpers.cancel_scope)
                    await connection.run(commands, helpers)
        finally:
            serving.life.clients.pop(self.scope, None)
            self.say.close()
            self.say = None
            self.serving = serving if not serving.life.over else None

    async def _until_hung_up(self, scope: trio.CancelScope) -> None:
        await self.hung_up.wait()
        scope.cancel()

    def _heard(self, frames: bytes) -> None:
        if self.serving is None or self.serving.life.over or self.hung_up.is_set():
            return
        events = pickle.loads(frames)
        for view in self.views:
            view.hear(events)
        for event in events:
            if isinstance(event, ErrorEvent):
                self.world.trace.note(f"{self} is told {event.code}")
                self.hang_up()

    # --- what it does ---

    def any_view(self) -> View:
        """One of them."""
        return self.views[0] if len(self.views) == 1 else self.world.rng.choice(self.views)

    def hang_up(self) -> None:
        """Vanish, in the middle of a frame perhaps."""
        self.hung_up.set()

    def change_its_mind(self) -> None:
        """Watch something no more, and then all the same; or watch once more what is watched."""
        if self.say is not None and self.say.statistics().current_buffer_used < 50 and self.serving is not None:
            view = self.any_view()
            if self.world.rng.random() < 0.7:
                self.say.send_nowait(Unsubscribe(view.channel))
            self.say.send_nowait(view.subscription(wishes=self.wishes))

    # --- in the end ---

    def unlike(self) -> str | None:
        """How what it shows differs from what is true, if it does."""
        if self.serving is None:
            return f"{self} is not connected"
        return next((found for found in (view.unlike() for view in self.views) if found is not None), None)
