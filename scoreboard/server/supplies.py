"""What the actors are supplied with: ports by the stores, hooks by logs and counters, rules by the settings."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import trio

from actors.leaderboard.loading import Loading
from actors.limits.standings import Adapting
from actors.ports import Period, Quota, UserId
from actors.service.actor import ServiceRules
from actors.user.world import INCREMENTS, TOKENS, UPDATES, UserRules
from scoreboard.api.gate import GateRules
from scoreboard.security.service_limits import ServiceLimits
from scoreboard.server.core import Core, ListeningTimes, running_core
from scoreboard.server.following import FollowingLog
from scoreboard.server.fraud import fraud_rules
from scoreboard.server.hooks import CoreWatch
from scoreboard.server.keychain import ActionKeysNow, verifiers
from scoreboard.server.outside import CoreHooks, CorePorts
from scoreboard.server.parts import Parts
from scoreboard.server.progress import LoadingLog
from scoreboard.settings import BoardZones, Limits, Settings
from scoreboard.stores.opening import Stores


def supplied_core(parts: Parts, stores: Stores, watch: CoreWatch) -> AbstractAsyncContextManager[Core]:
    """The actors over these stores, with the rules of the settings, while its body runs."""
    settings, limits = parts.settings, parts.settings.limits
    own = ServiceLimits(Path(settings.data_dir), now_s=time.monotonic)
    services = ServiceRules(limits.service_rows_per_minute, own.rows_of) if limits.enabled else ServiceRules()
    return running_core(
        _ports(parts, stores),
        _hooks(parts, watch, stores.erasure.forget),
        _user_rules(settings),
        tick_s=settings.board.tick_s,
        services=services,
        zones=_zones(settings.boards),
        captchas=settings.captcha.url is not None,
        fraud=fraud_rules(settings, parts.keys.now().refresh_key),
        adapting=_adapting(limits),
        listening=_listening(settings),
    )


def _listening(settings: Settings) -> ListeningTimes:
    sessions, following = settings.sessions, settings.following
    return ListeningTimes(sessions.listen_s, sessions.look_s, settings.tokens.access_s, following.look_s)


def _user_rules(settings: Settings) -> UserRules:
    limits = settings.limits

    def quota(count: int) -> Quota | None:
        return Quota(count, longest_s=limits.longest_wait_s) if limits.enabled else None

    return UserRules(
        token_age_s=settings.tokens.action_s,
        earned_age_s=settings.tokens.earned_s,
        tokens=quota(limits.tokens_per_minute),
        increments=quota(limits.increments_per_minute),
        updates=quota(limits.updates_per_minute),
    )


def _adapting(limits: Limits) -> Adapting:
    tiers = {"premium": limits.premium_factor}
    return Adapting(limits.restricted_per_minute, tiers, limits.reputation_factor)


def gate_rules(limits: Limits) -> GateRules:
    """The limits of addresses, of this worker, and of who signs in."""

    def quota(count: int) -> Quota:
        return Quota(count, longest_s=limits.longest_wait_s)

    tokens = TOKENS, quota(limits.tokens_per_minute)
    return GateRules(
        address=quota(limits.requests_per_minute_per_address),
        worker=Quota(limits.requests_per_minute),
        sign_ins_of_address=quota(limits.sign_ins_per_minute_per_address),
        registrations=quota(limits.registrations_per_minute_per_address),
        sign_ins_of_account=Quota(limits.sign_ins_per_minute_per_account),  # or others could keep a player out
        of_players={
            "/api/actions/token": tokens,
            "/api/v1/actions/complete": tokens,
            "/api/scores/increment": (INCREMENTS, quota(limits.increments_per_minute)),
            "/api/v1/scores/update": (UPDATES, quota(limits.updates_per_minute)),
        },
    )


def _ports(parts: Parts, stores: Stores) -> CorePorts:
    return CorePorts(
        scores=stores.scores,
        accounts=stores.accounts,
        events=stores.events,
        cache=stores.cache,
        clock=parts.clock,
        ids=parts.ids,
        keys=ActionKeysNow(parts.keys),
        rng=parts.rng,
        catalogue=stores.catalogue,
        archive=stores.archive,
        profiles=stores.profiles,
        standing=stores.standing,
        audit=stores.audit,
        fraud=stores.fraud,
        evidence=stores.evidence,
        verifiers=verifiers(parts.keys),
        announcements=stores.announcements,
        bell=stores.bell,
        batches=stores.batches,
        limits=stores.limits,
    )


def _loading_told(parts: Parts) -> Callable[[Loading], None]:
    """The log hears of it; of several workers the parent, too, that the start gets on."""
    log = LoadingLog(parts.log, trio.current_time)

    def heard(loading: Loading) -> None:
        log.heard(loading)
        if parts.place is not None:
            parts.place.line.step()

    return heard


def _hooks(parts: Parts, watch: CoreWatch, forget: Callable[[UserId], None]) -> CoreHooks:
    metrics = parts.metrics
    following = FollowingLog(metrics, parts.log, trio.current_time)
    return CoreHooks(
        observer=watch,
        batch_done=metrics.committed,
        facts_dropped=metrics.event_log_dropped,
        audit_lost=metrics.audit_lost,
        standing_lost=metrics.standing_lost,
        user_gave_up=watch.user_gave_up,
        board_stepped=metrics.board_stepped,
        frames_sent=metrics.frames_sent,
        frames_skipped=metrics.frames_skipped,
        board_loading=_loading_told(parts),
        write_rejected=watch.write_rejected,
        session_ended=parts.revoked.add,
        user_erased=forget,
        look_missed=watch.look_missed,
        challenges_missed=watch.challenges_missed,
        limits_missed=watch.limits_missed,
        standings_missed=watch.standings_missed,
        scored=metrics.scored,
        service_gave_up=watch.service_gave_up,
        board_gave_up=watch.board_gave_up,
        fraud_detected=metrics.fraud,
        fraud_told=watch.fraud_told,
        fraud_lost=metrics.fraud_lost,
        proof_rejected=watch.proof_rejected,
        period_over=watch.period_over,
        period_archived=watch.period_archived,
        follower=following.hooks,
        place_skipped=following.skipped,
    )


def _zones(boards: BoardZones) -> dict[Period, tzinfo]:
    return {
        Period.DAILY: ZoneInfo(boards.daily_zone),
        Period.WEEKLY: ZoneInfo(boards.weekly_zone),
        Period.MONTHLY: ZoneInfo(boards.monthly_zone),
    }
