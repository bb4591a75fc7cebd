"""Wires the actors of one server to each other and to their ports, in the order in which they need one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.proof import HmacVerifier
from actors.announcements.actor import AnnouncementsActor, AnnouncementsWorld
from actors.announcements.messages import Announce
from actors.leaderboard.active import ActiveBoards
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.remains import Remains
from actors.ledger.accounts import AccountsActor
from actors.ledger.actor import LedgerActor
from actors.ledger.publisher import PublisherActor, PublisherWorld
from actors.ledger.world import LedgerWorld
from actors.ports import ALL_TIME, HMAC, SESSION_ENDED, BoardId, Period, SessionId, UserId
from actors.runtime import ActorError, CellOptions, Directory, Ref, RestartPolicy, running_actor
from actors.service.actor import ServiceActor, ServiceRules, ServiceWorld
from actors.user.actor import UserActor
from actors.user.world import UserRules, UserWorld
from scoreboard.server.boards import Boards
from scoreboard.server.outside import CoreHooks, CorePorts

USER_IDLE_S = 120.0
#: A player who sends more than this at once is told so; nobody else waits for it.
USER_OPTIONS = CellOptions(capacity=100)
#: Batches that a service has sent and that were not judged yet; the next one is turned away.
SERVICE_OPTIONS = CellOptions(capacity=32)
#: Everybody's scores pass here: room for a second of everything that one process can take in.
LEDGER_OPTIONS = CellOptions(capacity=20_000)
#: No score depends on Redis: whatever it does, the publisher comes back, at the latest after ten seconds.
PUBLISHER_OPTIONS = CellOptions(capacity=20_000, restarts=RestartPolicy(max_restarts=100_000))


@dataclass(frozen=True, slots=True)
class Listening:
    """How often one listens and looks for what other workers announce, and how old it may be at the start. Seconds."""

    listen_every_s: float = 0.5
    look_every_s: float = 10.0
    keep_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class Core:
    """The running actors, as the transports know them."""

    users: Directory[UserId]
    services: Directory[str]
    accounts: Ref
    actions: Ref
    announcements: Ref
    ledger: Ref
    boards: Directory[BoardId]
    audiences: Directory[str]
    published: PublishedBoards


@asynccontextmanager
async def running_core(
    ports: CorePorts,
    hooks: CoreHooks,
    rules: UserRules,
    *,
    tick_s: float,
    services: ServiceRules | None = None,
    zones: Mapping[Period, tzinfo] | None = None,
    listening: Listening | None = None,
) -> AsyncIterator[Core]:
    """Run all actors while the body runs. They stop in the reverse order, each within its bound.

    `zones` says where the days of a period end, UTC for those that are not named.

    Raises:
        ExceptionGroup: with a `GaveUp`, when the ledger, the board of all time or another indispensable actor fails too
            often.
    """
    solo = partial(running_actor, rng=ports.rng, observer=hooks.observer)
    publisher_world = PublisherWorld(ports.events, ports.cache, hooks.facts_dropped)
    async with AsyncExitStack() as stack:
        publisher = await stack.enter_async_context(
            solo("publisher", partial(PublisherActor, publisher_world), options=PUBLISHER_OPTIONS)
        )
        remains = await stack.enter_async_context(solo("remains", Remains))
        wired = Boards(ports, hooks, publisher, remains, tick_s=tick_s, zones=zones or {})
        await stack.enter_async_context(wired.running())
        boards = wired.boards
        make_ledger = partial(LedgerActor, _ledger_world(ports, hooks, boards, publisher))
        ledger = await stack.enter_async_context(solo("ledger", make_ledger, options=LEDGER_OPTIONS))
        listener = partial(AnnouncementsActor, _announcements_world(ports, hooks, listening or Listening()))
        heard = await stack.enter_async_context(solo("announcements", listener, options=PUBLISHER_OPTIONS))
        make_accounts = partial(_accounts, ports, hooks, ledger, heard)
        accounts = await stack.enter_async_context(solo("accounts", make_accounts, options=LEDGER_OPTIONS))
        actions_world = ActionsWorld(ports.catalogue, ports.clock, {HMAC: HmacVerifier(ports.game_keys)})
        make_actions = partial(ActionsActor, actions_world)
        actions = await stack.enter_async_context(solo("actions", make_actions, options=LEDGER_OPTIONS))
        users = await stack.enter_async_context(_users(ports, hooks, rules, ledger, actions).running())
        batches = await stack.enter_async_context(_services(ports, hooks, services or ServiceRules(), ledger).running())
        yield Core(users, batches, accounts, actions, heard, ledger, boards, wired.audiences, wired.published)


def _ledger_world(ports: CorePorts, hooks: CoreHooks, boards: Directory[BoardId], publisher: Ref) -> LedgerWorld:
    return LedgerWorld(
        ports.scores,
        boards.ref(ALL_TIME),
        ActiveBoards(boards),
        publisher,
        hooks.batch_done,
        rejected=hooks.write_rejected,
        scored=hooks.scored,
    )


def _announcements_world(ports: CorePorts, hooks: CoreHooks, listening: Listening) -> AnnouncementsWorld:
    return AnnouncementsWorld(
        ports.announcements,
        ports.bell,
        {SESSION_ENDED: lambda about: hooks.session_ended(SessionId(about))},
        keep_s=listening.keep_s,
        listen_every_s=listening.listen_every_s,
        look_every_s=listening.look_every_s,
        missed=hooks.look_missed,
    )


def _accounts(ports: CorePorts, hooks: CoreHooks, ledger: Ref, announcements: Ref) -> AccountsActor:
    def announced() -> None:
        with suppress(ActorError):  # then it is heard with the next look
            announcements.tell(Announce())

    return AccountsActor(
        ports.accounts, ledger, profiles=ports.profiles, session_ended=hooks.session_ended, announced=announced
    )


def _users(ports: CorePorts, hooks: CoreHooks, rules: UserRules, ledger: Ref, actions: Ref) -> Directory[UserId]:
    world = UserWorld(ports.clock, ports.ids, ports.keys, rules, ledger, actions)
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
