"""The composition root: everything that one server consists of, as nested scopes in the order of their start.

Stores, then actors, then transports, then the door. They end in the reverse order, each within a bound of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import trio

from actors.announcements import messages as announcements
from actors.leaderboard.messages import Loaded
from actors.ports import ALL_TIME, CaptchaAway
from scoreboard.api.app import create_app
from scoreboard.api.captcha import Captcha
from scoreboard.api.gate import Gate
from scoreboard.api.kept import KeptAnswers
from scoreboard.api.world import ApiWorld
from scoreboard.door.admission import site_of
from scoreboard.door.front_door import FrontDoor
from scoreboard.door.tls import Tls
from scoreboard.live import asyncapi
from scoreboard.live.caretaker import in_waves
from scoreboard.live.ending import renewed
from scoreboard.observe.lag import RecentLag
from scoreboard.observe.logs import Logger, lost_lines
from scoreboard.observe.loop_watch import LoopWatch
from scoreboard.observe.metrics import LAG_BUCKETS, Metrics
from scoreboard.security.common import Judge, common_passwords, judge
from scoreboard.security.familiar import Familiar
from scoreboard.security.passwords import Passwords
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.services import ServiceTokens
from scoreboard.security.tickets import Tickets
from scoreboard.security.tokens import AccessTokens
from scoreboard.server.core import Core
from scoreboard.server.crew.listener import SharedListener
from scoreboard.server.crew.neighbours import RELEASE, Neighbours
from scoreboard.server.encryption import kept_fresh, open_tls
from scoreboard.server.entrance import make_entrance
from scoreboard.server.feeds import Feeds, make_feeds
from scoreboard.server.hooks import CoreWatch
from scoreboard.server.housekeeping import BOARD_LOAD_S, keep_house
from scoreboard.server.keychain import open_keys
from scoreboard.server.limited import marked
from scoreboard.server.opening import open_all
from scoreboard.server.operating.operated import Operated
from scoreboard.server.operating.rebuilding import rebuild_boards, refill_cache
from scoreboard.server.operating.report import Reporter
from scoreboard.server.parts import Parts
from scoreboard.server.place import Place
from scoreboard.server.port import open_port, port_of, require_free, url_of
from scoreboard.server.process_log import silence_of
from scoreboard.server.readiness import readiness_of
from scoreboard.server.supplies import gate_rules, supplied_core
from scoreboard.server.system import SystemClock
from scoreboard.settings import Settings
from scoreboard.stores.kept_archive import KeptArchive
from scoreboard.stores.opening import Stores
from scoreboard.stores.redis_answers import RedisAnswers
from scoreboard.stores.redis_tickets import RedisTickets
from scoreboard.wire.origins import Origins

PACKAGE = Path(__file__).parent.parent

#: For what was announced before the start to be read.
LISTENING_WITHIN_S = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, as its starter sees it: where it listens, how to end it, how many connections are open.

    `operated` is what it does for its operator; `familiar` knows from where players signed in.
    """

    port: int
    close: Callable[[], None]
    core: Core
    connections: Callable[[], int]
    operated: Operated
    familiar: Familiar


async def serve(
    settings: Settings,
    log: Logger,
    *,
    place: Place | None = None,
    task_status: trio.TaskStatus[Server] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Run a server until its `close` is called or it is cancelled. Started when it listens; ready a little later.

    One of several workers has a `place`, and listens when it is ready.

    Raises:
        SecurityError, TlsFilesError, EmbeddedError, StoreError, MigrationError, OSError: it cannot start; the
            sentence says why.
        ExceptionGroup: something indispensable failed again and again.
    """
    if place is None:
        await require_free(settings.door.host, settings.door.port)
    keychain = await open_keys(settings, log, make=place is None)
    keys = keychain.live
    tls = await open_tls(settings.door)
    clock = SystemClock()
    revoked = RevokedSessions(keep_s=settings.tokens.access_s, now_us=clock.now_us)
    familiar = Familiar(keys.now().refresh_key)
    parts = Parts(settings, log, Metrics(), keys, clock, revoked, familiar, place)
    async with AsyncExitStack() as scopes:
        scopes.enter_context(LoopWatch(parts.metrics.loop_held, log).running())
        with keychain.fits():
            stores = await open_all(scopes, parts)
        watch = CoreWatch(parts.metrics, log)
        core = await scopes.enter_async_context(supplied_core(parts, stores, watch))
        background = await scopes.enter_async_context(trio.open_nursery())
        background.start_soon(partial(keep_house, parts, stores, core, watch))
        await _open_door(parts, stores, core, watch, tls, task_status)
        log.info("stopping")
        background.cancel_scope.cancel()


# --- the door and what stands behind it ---


async def _open_door(
    parts: Parts, stores: Stores, core: Core, watch: CoreWatch, tls: Tls | None, task_status: trio.TaskStatus[Server]
) -> None:
    """Listen and serve until the door is closed."""
    await core.announcements.ask(announcements.Listening(), within=LISTENING_WITHIN_S)  # of ended sessions
    tokens = _tokens(parts)
    tickets = Tickets(parts.keys.now().refresh_key, now_us=parts.clock.now_us, used=RedisTickets(stores.redis))
    unguessable = judge(await trio.to_thread.run_sync(common_passwords))
    neighbours = Neighbours(parts.place)
    world = _api_world(parts, stores, core, tokens, tickets, unguessable)
    world = replace(world, all_metrics=neighbours.metrics, familiar=parts.familiar)
    feeds = _feeds(parts, core, tokens, tickets)
    api = await trio.to_thread.run_sync(create_app, world)  # reads, describes and compresses for half a second
    http, door = make_entrance(parts, api, feeds, tls, neighbours.elsewhere, neighbours.hurry)
    operated = _operated(parts, stores, core, watch, door, feeds, tls)
    listeners = await _listeners(parts, core, door, tls)
    async with http.lifespan(), feeds.running(door.closing), kept_fresh(tls, parts.log), operated.running():
        open_now = (port_of(listeners), door.close, core, lambda: door.connections)
        task_status.started(Server(*open_now, operated, parts.familiar))
        async with neighbours.served(door.take_over, {**operated.answers, RELEASE: feeds.release}):
            await door.serve(listeners)


def _operated(
    parts: Parts, stores: Stores, core: Core, watch: CoreWatch, door: FrontDoor, feeds: Feeds, tls: Tls | None
) -> Operated:
    lag = RecentLag(lambda: parts.metrics.turns, LAG_BUCKETS)
    reporter = Reporter(
        parts.place,
        core,
        stores,
        watch,
        parts.metrics,
        lag,
        door,
        lambda: feeds.connected,
        partial(_troubles, parts, tls),
    )

    def warn() -> None:
        parts.ending = True

    async def rebuild(with_redis: bool) -> str:  # noqa: FBT001 - as `Operated` calls it
        began = trio.current_time()
        boards = await rebuild_boards(core.boards, core.published)
        copied = f", {await refill_cache(stores.scores, stores.cache)} players to Redis" if with_redis else ""
        return f"{boards} boards read anew{copied}, in {trio.current_time() - began:.1f} s"

    async def send_home(over_s: float, back_after_s: Callable[[], float]) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(feeds.send_home, over_s, back_after_s)
            nursery.start_soon(door.send_home, partial(in_waves, over_s=over_s), lambda: renewed(back_after_s()))

    return Operated(reporter, door, send_home, rebuild, warn, parts.log, parts.rng)


def _troubles(parts: Parts, tls: Tls | None) -> list[str]:
    """What serves on as read before, and will not be there when the server starts the next time; a silent log."""
    certificate = None if tls is None else tls.trouble(time.time())
    return [each for each in (certificate, parts.keys.trouble, silence_of(parts.log)) if each is not None]


def _feeds(parts: Parts, core: Core, tokens: AccessTokens, tickets: Tickets) -> Feeds:
    feeds = make_feeds(parts, core, tokens, tickets)
    parts.metrics.follow_sockets(lambda: feeds.connected)
    parts.metrics.follow_log(lambda: lost_lines(parts.log))
    parts.metrics.follow_tasks(lambda: trio.lowlevel.current_statistics().tasks_living)
    return feeds


async def _listeners(
    parts: Parts, core: Core, door: FrontDoor, tls: Tls | None
) -> list[trio.SocketListener] | list[SharedListener]:
    """Of several workers one takes nobody in before it can serve: the others do."""
    if parts.place is not None:
        await core.boards.ask(ALL_TIME, Loaded(), within=BOARD_LOAD_S)
        return await parts.place.listeners(lambda: door.connections)
    wanted = parts.settings.door
    listeners = await open_port(wanted.host, wanted.port)
    url = url_of(wanted.host, port_of(listeners), secure=tls is not None)
    parts.log.info("listening", url=url)
    return listeners


def _tokens(parts: Parts) -> AccessTokens:
    wanted = parts.settings.tokens
    return AccessTokens(
        parts.keys.now,
        parts.revoked,
        issuer=wanted.issuer,
        audience=wanted.audience,
        lifetime_s=wanted.access_s,
        now_us=parts.clock.now_us,
        services=ServiceTokens(Path(parts.settings.data_dir), now_s=time.monotonic),
    )


def _gate(parts: Parts, core: Core) -> Gate | None:
    limits = parts.settings.limits
    if not limits.enabled:
        return None
    key, counted = parts.keys.now().refresh_key, core.limits
    mark = partial(marked, key)
    return Gate(counted.requests, counted.attempts, counted.players, gate_rules(limits), mark, parts.clock)


def _api_world(
    parts: Parts, stores: Stores, core: Core, tokens: AccessTokens, tickets: Tickets, unguessable: Judge
) -> ApiWorld:
    settings = parts.settings
    return ApiWorld(
        users=core.users,
        services=core.services,
        accounts=core.accounts,
        actions=core.actions,
        standing=core.standing,
        audit=core.audit,
        audit_log=stores.audit,
        fraud=stores.fraud,
        boards=core.boards,
        archive=KeptArchive(stores.archive),
        published=core.published,
        tokens=tokens,
        tickets=tickets,
        kept=KeptAnswers(RedisAnswers(stores.redis), parts.keys.now().refresh_key),
        passwords=_passwords(settings),
        refresh_key=parts.keys.now().refresh_key,
        client_keys=lambda: parts.keys.now().client_keys,
        clock=parts.clock,
        ids=parts.ids,
        metrics=parts.metrics,
        logger=parts.log,
        readiness=readiness_of(stores, core.published, lambda: parts.ending),
        page_dir=PACKAGE / "web",
        docs_dir=PACKAGE / "docs",
        unguessable=unguessable,
        site_of=site_of,
        refresh_lifetime_s=settings.tokens.refresh_s,
        refresh_grace_s=settings.tokens.refresh_grace_s,
        captcha=_captcha(settings, core, parts.log),
        public_boards=settings.board.public,
        denied=core.denied,
        live_feed=asyncapi.document(),
        origins=Origins.of(settings.door.origins),
        gate=_gate(parts, core),
    )


def _captcha(settings: Settings, core: Core, log: Logger) -> Captcha | None:
    url, secret = settings.captcha.url, settings.captcha.secret
    if url is None or secret is None:
        return None

    from scoreboard.watch.captcha import HttpCaptcha  # noqa: PLC0415 - brings a client of HTTP: only if wanted

    def away(error: CaptchaAway) -> None:
        log.warning("captcha_not_judged", reason=str(error))

    return Captcha(HttpCaptcha(url, secret), core.challenged, away)


def _passwords(settings: Settings) -> Passwords:
    wanted = settings.passwords
    return Passwords(
        rounds=wanted.rounds,
        concurrency=wanted.concurrency,
        waiting=wanted.waiting,
        share=wanted.share,
        kept=wanted.kept,
    )
