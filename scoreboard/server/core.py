"""Wires the actors of one server to each other and to their ports, in the order in which they need one another."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.announcements.actor import AnnouncementsActor, AnnouncementsWorld
from actors.announcements.messages import Announce
from actors.audit.actor import AuditActor, AuditWorld
from actors.audit.messages import Denied
from actors.fraud.challenges import Challenges, ChallengesActor, ChallengesWorld
from actors.fraud.messages import Action
from actors.fraud.world import FraudRules
from actors.leaderboard.active import ActiveBoards
from actors.leaderboard.published import PublishedBoards
from actors.leaderboard.remains import Remains
from actors.ledger.accounts import AccountsActor
from actors.ledger.actor import LedgerActor
from actors.ledger.history import History
from actors.ledger.publisher import PublisherActor, PublisherWorld
from actors.ledger.standing import StandingActor, StandingWorld
from actors.ledger.world import LedgerWorld
from actors.limits.players import LimitedPlayers
from actors.limits.standings import Adapting
from actors.ports import ALL_TIME, SESSION_ENDED, USER_ERASED, BoardId, Period, RowLimits, SessionId, Stood, UserId
from actors.runtime import ActorError, AnyActor, CellOptions, Directory, Ref, RestartPolicy, running_actor
from actors.service.actor import ServiceActor, ServiceRules, ServiceWorld
from actors.user.actor import UserActor
from actors.user.world import UserRules, UserWorld
from scoreboard.server.boards import Boards
from scoreboard.server.erased import Erased
from scoreboard.server.following import follow_others
from scoreboard.server.fraud import of_proofs, watch_on_fraud, watching
from scoreboard.server.limited import Limited, running_limits
from scoreboard.server.outside import CoreHooks, CorePorts

USER_IDLE_S = 120.0
#: A player who sends more than this at once is told so; nobody else waits for it.
USER_OPTIONS = CellOptions(capacity=100)
#: Batches that a service has sent and that were not judged yet; the next one is turned away.
SERVICE_OPTIONS = CellOptions(capacity=32)
#: Everybody's scores pass here: room for a second of everything that one process can take in.
LEDGER_OPTIONS = CellOptions(capacity=20_000)
#: Of what is not worth the end of a server: it begins anew, at the latest after ten seconds.
FOR_EVER = RestartPolicy(max_restarts=100_000)
#: No score depends on Redis, nor on the audit of what was refused.
PUBLISHER_OPTIONS = CellOptions(capacity=20_000, restarts=FOR_EVER)


@dataclass(frozen=True, slots=True)
class ListeningTimes:
    """How often one listens and looks for what other workers announce, and how old it may be at the start. Seconds.

    What they commit is looked for every `follow_every_s`.
    """

    listen_every_s: float = 0.5
    look_every_s: float = 10.0
    keep_s: float = 86_400.0
    follow_every_s: float = 0.4


SELDOM = ListeningTimes()


@dataclass(frozen=True, slots=True)
class Core:
    """The running actors, as the transports know them."""

    users: Directory[UserId]
    services: Directory[str]
    accounts: Ref
    standing: Ref
    audit: Ref
    limits: Limited
    actions: Ref
    announcements: Ref
    ledger: Ref
    boards: Directory[BoardId]
    audiences: Directory[str]
    published: PublishedBoards
    challenged: Callable[[UserId], bool]

    def denied(self, denied: Denied) -> None:
        """A request was refused: the audit shall know, if it has room. Its mailbox counts what it has not."""
        with suppress(ActorError):
            self.audit.tell(denied)


@asynccontextmanager
async def running_core(  # noqa: PLR0913 - all rooms come together here, each with rules of its own
    ports: CorePorts,
    hooks: CoreHooks,
    rules: UserRules,
    *,
    tick_s: float,
    services: ServiceRules | None = None,
    zones: Mapping[Period, tzinfo] | None = None,
    listening: ListeningTimes = SELDOM,
    fraud: FraudRules | None = None,
    captchas: bool = False,
    adapting: Adapting | None = None,
) -> AsyncIterator[Core]:
    """Run all actors while the body runs. They stop in the reverse order, each within its bound.

    `zones` say where days end, otherwise in UTC. Without `fraud` nobody is watched; `captchas` ask the restricted.

    Raises:
        ExceptionGroup: with a `GaveUp`, when an indispensable actor, like the ledger, fails too often.
    """
    challenges, history, every_s = Challenges(ports.clock), History(), listening.follow_every_s
    async with AsyncExitStack() as stack:
        enter, solo = stack.enter_async_context, partial(_begin, stack, ports, hooks)
        audit, publisher, remains, *_ = [await solo(*each) for each in _beside(ports, hooks, challenges, on=captchas)]
        limits = await enter(running_limits(ports, hooks, adapting or Adapting(), PUBLISHER_OPTIONS))
        wired = await enter(Boards(ports, hooks, publisher, remains, tick_s=tick_s, zones=zones or {}).running())
        await follow_others(partial(solo, options=PUBLISHER_OPTIONS), ports, hooks, wired, every_s, history)
        ledger = await solo("ledger", _ledger(ports, hooks, wired.boards, publisher, history))
        erased = Erased(hooks.user_erased)
        heard = await solo("announcements", _announcements(ports, hooks, listening, erased, history), PUBLISHER_OPTIONS)
        accounts = await solo("accounts", partial(_accounts, ports, hooks, ledger, heard))
        standing = erased.standing = await solo("standing", _standing(ports, hooks, ledger, heard, limits))
        watch = watch_on_fraud(ports, hooks, fraud, standing)
        watched = watching(watch and await solo("fraud", watch, PUBLISHER_OPTIONS))
        actions = await solo("actions", partial(ActionsActor, _actions_world(ports, hooks, watched)))
        asked = ledger, actions, limits.players
        users = await enter(_users(ports, hooks, rules, asked, watched, challenges.ask, history).running())
        batches = await enter(_services(ports, hooks, services or ServiceRules(), ledger, limits.rows).running())
        told = (accounts, standing, audit, limits, actions, heard, ledger)
        yield Core(users, batches, *told, wired.boards, wired.audiences, wired.published, challenges.ask)


async def _begin(
    stack: AsyncExitStack,
    ports: CorePorts,
    hooks: CoreHooks,
    name: str,
    make: Callable[[], AnyActor],
    options: CellOptions = LEDGER_OPTIONS,
) -> Ref:
    """An actor that runs until the stack ends."""
    running = running_actor(name, make, rng=ports.rng, options=options, observer=hooks.observer)
    return await stack.enter_async_context(running)


def _beside(
    ports: CorePorts, hooks: CoreHooks, challenges: Challenges, *, on: bool
) -> Iterator[tuple[str, Callable[[], AnyActor], CellOptions]]:
    """Who serves all others and needs none of them, in the order in which they begin."""
    yield "audit", _audit(ports, hooks), PUBLISHER_OPTIONS
    yield "publisher", _publisher(ports, hooks), PUBLISHER_OPTIONS
    yield "remains", Remains, CellOptions()
    if on:
        yield "challenges", _challenges(ports, hooks, challenges), PUBLISHER_OPTIONS


def _challenges(ports: CorePorts, hooks: CoreHooks, challenges: Challenges) -> Callable[[], ChallengesActor]:
    return partial(ChallengesActor, ChallengesWorld(ports.fraud, ports.clock, challenges, hooks.challenges_missed))


def _audit(ports: CorePorts, hooks: CoreHooks) -> Callable[[], AuditActor]:
    return partial(AuditActor, AuditWorld(ports.audit, ports.ids, hooks.audit_lost))


def _publisher(ports: CorePorts, hooks: CoreHooks) -> Callable[[], PublisherActor]:
    return partial(PublisherActor, PublisherWorld(ports.events, ports.cache, hooks.facts_dropped))


def _standing(
    ports: CorePorts, hooks: CoreHooks, ledger: Ref, announcements: Ref, limits: Limited
) -> Callable[[], StandingActor]:
    announced = _announced(announcements)

    def stood(user_id: UserId, outcome: Stood) -> None:
        announced()  # a ban ends sessions
        limits.stood(user_id, outcome)
        hooks.stood(user_id, outcome)

    return partial(StandingActor, StandingWorld(ports.standing, ledger, stood, hooks.standing_lost))


def _actions_world(ports: CorePorts, hooks: CoreHooks, watched: Callable[[Action], None]) -> ActionsWorld:
    rejected = of_proofs(watched, hooks.proof_rejected)
    return ActionsWorld(ports.catalogue, ports.evidence, ports.clock, ports.verifiers, rejected=rejected)


def _ledger(
    ports: CorePorts, hooks: CoreHooks, boards: Directory[BoardId], publisher: Ref, history: History
) -> Callable[[], LedgerActor]:
    world = LedgerWorld(
        ports.scores,
        boards.ref(ALL_TIME),
        ActiveBoards(boards),
        publisher,
        hooks.batch_done,
        rejected=hooks.write_rejected,
        scored=hooks.scored,
        history=history,
    )
    return partial(LedgerActor, world)


def _announcements(
    ports: CorePorts, hooks: CoreHooks, listening: ListeningTimes, erased: Erased, history: History
) -> Callable[[], AnnouncementsActor]:
    world = AnnouncementsWorld(
        ports.announcements,
        ports.bell,
        {SESSION_ENDED: lambda about: hooks.session_ended(SessionId(about)), USER_ERASED: erased},
        keep_s=listening.keep_s,
        listen_every_s=listening.listen_every_s,
        look_every_s=listening.look_every_s,
        missed=hooks.look_missed,
        history=history,
    )
    return partial(AnnouncementsActor, world)


def _accounts(ports: CorePorts, hooks: CoreHooks, ledger: Ref, announcements: Ref) -> AccountsActor:
    announced = _announced(announcements)
    return AccountsActor(
        ports.accounts, ledger, profiles=ports.profiles, session_ended=hooks.session_ended, announced=announced
    )


def _announced(announcements: Ref) -> Callable[[], None]:
    def announced() -> None:
        with suppress(ActorError):  # then it is heard with the next look
            announcements.tell(Announce())

    return announced


def _users(
    ports: CorePorts,
    hooks: CoreHooks,
    rules: UserRules,
    asked: tuple[Ref, Ref, LimitedPlayers],
    watched: Callable[[Action], None],
    challenged: Callable[[UserId], bool],
    history: Callable[[], str],
) -> Directory[UserId]:
    world = UserWorld(ports.clock, ports.ids, ports.keys, rules, *asked, watched, challenged, history)
    return Directory(
        "user",
        lambda user_id: UserActor(user_id, world),
        rng=ports.rng,
        options=USER_OPTIONS,
        observer=hooks.observer,
        idle_after_s=USER_IDLE_S,
        on_give_up=hooks.user_gave_up,
    )


def _services(
    ports: CorePorts, hooks: CoreHooks, rules: ServiceRules, ledger: Ref, limits: RowLimits
) -> Directory[str]:
    world = ServiceWorld(ports.clock, ports.catalogue, rules, ledger, limits)
    return Directory(
        "service",
        lambda name: ServiceActor(name, world),
        rng=ports.rng,
        options=SERVICE_OPTIONS,
        observer=hooks.observer,
        idle_after_s=USER_IDLE_S,
        on_give_up=hooks.service_gave_up,
    )
