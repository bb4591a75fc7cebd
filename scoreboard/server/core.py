"""Wires the actors of one server to each other and to their ports, in the order in which they need one another."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from actors.leaderboard.actor import BoardWorld, LeaderboardActor
from actors.leaderboard.audience import AudienceActor
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import Channel
from actors.leaderboard.loading import Loading
from actors.leaderboard.messages import Show
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.update import Update
from actors.ledger.accounts import AccountsActor
from actors.ledger.actor import LedgerActor
from actors.ledger.publisher import PublisherActor, PublisherWorld
from actors.ledger.world import LedgerWorld
from actors.ports import (
    ALL_TIME,
    AccountStore,
    ActionCatalogue,
    BoardCache,
    BoardId,
    EventLog,
    Ids,
    ScoreStore,
    SessionId,
    StoreFault,
    UserId,
    WallClock,
)
from actors.runtime import CellOptions, Directory, GaveUp, Observer, Ref, RestartPolicy, running_actor
from actors.service.actor import ServiceActor, ServiceRules, ServiceWorld
from actors.user.actor import UserActor, UserRules, UserWorld
from actors.user.token import ActionKeys

USER_IDLE_S = 120.0
AUDIENCE_IDLE_S = 60.0
#: A player who sends more than this at once is told so; nobody else waits for it.
USER_OPTIONS = CellOptions(capacity=100)
#: Batches that a service has sent and that were not judged yet; the next one is turned away.
SERVICE_OPTIONS = CellOptions(capacity=32)
#: Everybody's scores pass here: room for a second of everything that one process can take in.
LEDGER_OPTIONS = CellOptions(capacity=20_000)
#: No score depends on Redis: whatever it does, the publisher comes back, at the latest after ten seconds.
PUBLISHER_OPTIONS = CellOptions(capacity=20_000, restarts=RestartPolicy(max_restarts=100_000))
#: A board of a million players takes some seconds to load.
BOARD_OPTIONS = CellOptions(capacity=20_000, start_within_s=120.0)
#: Everybody may come back at the same moment.
AUDIENCE_OPTIONS = CellOptions(capacity=50_000)


@dataclass(frozen=True, slots=True)
class CorePorts:
    """What the actors ask of the world."""

    scores: ScoreStore
    accounts: AccountStore
    events: EventLog
    cache: BoardCache
    clock: WallClock
    ids: Ids
    keys: ActionKeys
    rng: random.Random
    catalogue: ActionCatalogue


@dataclass(frozen=True, slots=True)
class CoreHooks:
    """Who hears of what the actors do, for logs and counters."""

    observer: Observer
    batch_done: Callable[[int, float], None]
    facts_dropped: Callable[[int], None]
    user_gave_up: Callable[[UserId, GaveUp], None]
    board_stepped: Callable[[], None] = lambda: None
    frames_sent: Callable[[int], None] = lambda _: None
    frames_skipped: Callable[[int], None] = lambda _: None
    board_loading: Callable[[Loading], None] = lambda _: None
    write_rejected: Callable[[StoreFault], None] = lambda _: None
    session_ended: Callable[[SessionId], None] = lambda _: None
    scored: Callable[[int], None] = lambda _: None
    service_gave_up: Callable[[str, GaveUp], None] = lambda _service, _error: None


@dataclass(frozen=True, slots=True)
class Core:
    """The running actors, as the transports know them."""

    users: Directory[UserId]
    services: Directory[str]
    accounts: Ref
    ledger: Ref
    boards: Directory[BoardId]
    audiences: Directory[str]
    published: PublishedBoards


@asynccontextmanager
async def running_core(
    ports: CorePorts, hooks: CoreHooks, rules: UserRules, *, tick_s: float, services: ServiceRules | None = None
) -> AsyncIterator[Core]:
    """Run all actors while the body runs. They stop in the reverse order, each within its bound.

    Raises:
        ExceptionGroup: with a `GaveUp`, when the ledger, a board or another indispensable actor fails too often.
    """
    published = PublishedBoards()
    boards, audiences = _boards_and_audiences(ports, hooks, published, tick_s)
    solo = partial(running_actor, rng=ports.rng, observer=hooks.observer)
    publisher_world = PublisherWorld(ports.events, ports.cache, hooks.facts_dropped)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(boards.running())
        await stack.enter_async_context(audiences.running())
        publisher = await stack.enter_async_context(
            solo("publisher", partial(PublisherActor, publisher_world), options=PUBLISHER_OPTIONS)
        )
        ledger_world = LedgerWorld(
            ports.scores,
            boards.ref(ALL_TIME),
            publisher,
            hooks.batch_done,
            rejected=hooks.write_rejected,
            scored=hooks.scored,
        )
        ledger = await stack.enter_async_context(
            solo("ledger", partial(LedgerActor, ledger_world), options=LEDGER_OPTIONS)
        )
        accounts = await stack.enter_async_context(
            solo(
                "accounts",
                partial(AccountsActor, ports.accounts, ledger, session_ended=hooks.session_ended),
                options=LEDGER_OPTIONS,
            )
        )
        users = await stack.enter_async_context(_users(ports, hooks, rules, ledger).running())
        batches = await stack.enter_async_context(_services(ports, hooks, services or ServiceRules(), ledger).running())
        yield Core(users, batches, accounts, ledger, boards, audiences, published)


def _boards_and_audiences(
    ports: CorePorts, hooks: CoreHooks, published: PublishedBoards, tick_s: float
) -> tuple[Directory[BoardId], Directory[str]]:
    """A board tells its audiences; an audience asks its board. Each is found by key when it is needed."""
    watched: set[Channel] = set()
    crowds: dict[Channel, Crowd] = {}

    def broadcast(update: Update) -> None:
        hooks.board_stepped()
        # An audience that has no room raises, and the board says it again with its next tick.
        audiences.tell(update.channel.key, Show(update))

    def make_audience(key: str) -> AudienceActor:
        channel = Channel.of_key(key)
        crowd = crowds.setdefault(channel, Crowd(channel, hooks.frames_sent, hooks.frames_skipped))
        return AudienceActor(boards.ref(channel.board), crowd)

    world = BoardWorld(ports.scores, ports.clock, ports.ids, published, watched, broadcast, tick_s, hooks.board_loading)
    boards: Directory[BoardId] = Directory(
        "board",
        lambda board: LeaderboardActor(board, world),
        rng=ports.rng,
        options=BOARD_OPTIONS,
        observer=hooks.observer,
    )
    audiences: Directory[str] = Directory(
        "audience",
        make_audience,
        rng=ports.rng,
        options=AUDIENCE_OPTIONS,
        observer=hooks.observer,
        idle_after_s=AUDIENCE_IDLE_S,
    )
    return boards, audiences


def _users(ports: CorePorts, hooks: CoreHooks, rules: UserRules, ledger: Ref) -> Directory[UserId]:
    world = UserWorld(ports.clock, ports.ids, ports.keys, rules, ledger)
    return Directory(
        "user",
        lambda user_id: UserActor(user_id, world),
        rng=ports.rng,
        options=USER_OPTIONS,
        observer=hooks.observer,
        idle_after_s=USER_IDLE_S,
        on_give_up=hooks.user_gave_up,
    )


def _services(ports: CorePorts, hooks: CoreHooks, rules: ServiceRules, ledger: Ref) -> Directory[str]:
    world = ServiceWorld(ports.clock, ports.catalogue, rules, ledger)
    return Directory(
        "service",
        lambda name: ServiceActor(name, world),
        rng=ports.rng,
        options=SERVICE_OPTIONS,
        observer=hooks.observer,
        idle_after_s=USER_IDLE_S,
        on_give_up=hooks.service_gave_up,
    )
