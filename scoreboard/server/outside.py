"""What the actors of one server ask of the world, and who hears of what they do."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from actors.actions.messages import ProofRejected
from actors.actions.proof import Verifier
from actors.leaderboard.loading import Loading
from actors.ledger.follower import FollowerHooks
from actors.ports import (
    AccountStore,
    ActionCatalogue,
    AnnouncementStore,
    Archive,
    ArchivedPeriod,
    AuditLog,
    BatchStore,
    Bell,
    BoardCache,
    BoardId,
    EventLog,
    EvidenceStore,
    FraudEvent,
    FraudStore,
    Ids,
    Period,
    ProfileStore,
    ScoreStore,
    SessionId,
    SharedLimits,
    Span,
    StandingStore,
    Stood,
    StoreFault,
    UserId,
    WallClock,
)
from actors.runtime import GaveUp, Observer
from actors.user.token import ActionKeys


@dataclass(frozen=True, slots=True)
class CorePorts:
    """What the actors ask of the world."""

    scores: ScoreStore
    accounts: AccountStore
    events: EventLog
    cache: BoardCache
    clock: WallClock
    ids: Ids
    keys: Callable[[], ActionKeys]
    rng: random.Random
    catalogue: ActionCatalogue
    archive: Archive
    profiles: ProfileStore
    evidence: EvidenceStore
    verifiers: Mapping[str, Verifier]
    announcements: AnnouncementStore
    bell: Bell
    standing: StandingStore
    audit: AuditLog
    fraud: FraudStore
    limits: SharedLimits
    batches: BatchStore


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
    user_erased: Callable[[UserId], None] = lambda _: None
    look_missed: Callable[[Exception], None] = lambda _: None
    stood: Callable[[UserId, Stood], None] = lambda _user_id, _stood: None
    challenges_missed: Callable[[Exception], None] = lambda _: None
    limits_missed: Callable[[Exception], None] = lambda _: None
    standings_missed: Callable[[Exception], None] = lambda _: None
    standing_lost: Callable[[int], None] = lambda _: None
    audit_lost: Callable[[int], None] = lambda _: None
    scored: Callable[[int], None] = lambda _: None
    service_gave_up: Callable[[str, GaveUp], None] = lambda _service, _error: None
    board_gave_up: Callable[[BoardId, GaveUp], None] = lambda _board, _error: None
    fraud_detected: Callable[[str, str], None] = lambda _rule, _severity: None
    fraud_told: Callable[[FraudEvent], None] = lambda _: None
    fraud_lost: Callable[[int], None] = lambda _: None
    proof_rejected: Callable[[ProofRejected], None] = lambda _: None
    period_over: Callable[[Period, Span], None] = lambda _period, _span: None
    period_archived: Callable[[ArchivedPeriod], None] = lambda _period: None
    follower: FollowerHooks = field(default_factory=FollowerHooks)
    place_skipped: Callable[[str], None] = lambda _why: None
