"""What the core asks of the world: records that cross the border, and the Protocols that adapters and fakes fulfil.

Times are integers, microseconds since the Unix epoch (``_us``). Ids are text. Scores are integers in 0 .. 2**53.
An adapter raises only the errors that stand here; nothing of a driver leaks through.
Everybody outside imports from here.
"""

from actors.ports.accounts import (
    Account,
    AccountStore,
    EmailTaken,
    NameTaken,
    NewAccount,
    NewSession,
    OpenedSession,
    OutOfReach,
    Registered,
    RoleChanged,
    Rotated,
    RotationRefused,
    SignedOut,
)
from actors.ports.announcements import SESSION_ENDED, USER_ERASED, Announcement, AnnouncementStore, Bell, News
from actors.ports.archive import Archive, ArchivedPeriod, ArchivedRow, ArchivePage
from actors.ports.audit import Act, AuditEvent, AuditLog, EventKind
from actors.ports.batches import Batch, BatchStore, Sight, Stretch
from actors.ports.board_cache import SHOWN_S, BoardCache, BoardPart, SpentToken
from actors.ports.boards import EVERYBODY, BoardScope, MemberPages, Members, Period, Span
from actors.ports.captcha import CaptchaAway, CaptchaVerifier
from actors.ports.catalogue import ED25519, GAME_KEY, HMAC, ActionCatalogue, ActionKind
from actors.ports.clock import CLOCK_SKEW_US, NEVER_US, WallClock
from actors.ports.errors import CommitUnknown, StoreError, StoreFault, StoreUnavailable
from actors.ports.event_log import EventLog, Heard, LoggedFacts
from actors.ports.evidence import MOST_EARLIER, Earlier, Evidence, EvidenceStore, Grant
from actors.ports.facts import MAX_SCORE, ScoreFact
from actors.ports.fraud import Consequence, FraudEvent, FraudStore, Habits, Moments, Severity
from actors.ports.ids import ALL_TIME, BoardId, ChainId, EventId, Ids, OperationId, SessionId, UserId, key_id
from actors.ports.learner import Learner
from actors.ports.limits import Limits, PlayerLimits, Quota, RowLimits, SharedLimits, Taken, Wanted
from actors.ports.profiles import UNCHANGED, Profile, ProfileChange, ProfileStore, Unchanged
from actors.ports.scores import (
    LATEST_US,
    AnswerRecord,
    BannedUser,
    CommitOutcome,
    Committed,
    KeyConflict,
    KeyLookup,
    Repeated,
    ScoreStore,
    ScoreWrite,
    TokenSpent,
    UnknownUser,
)
from actors.ports.source import ERASED, NOWHERE, Source
from actors.ports.standing import PlayerStanding, StandingChange, StandingStore, Stood

__all__ = [
    "ALL_TIME",
    "CLOCK_SKEW_US",
    "ED25519",
    "ERASED",
    "EVERYBODY",
    "GAME_KEY",
    "HMAC",
    "LATEST_US",
    "MAX_SCORE",
    "MOST_EARLIER",
    "NEVER_US",
    "NOWHERE",
    "SESSION_ENDED",
    "SHOWN_S",
    "UNCHANGED",
    "USER_ERASED",
    "Account",
    "AccountStore",
    "Act",
    "ActionCatalogue",
    "ActionKind",
    "Announcement",
    "AnnouncementStore",
    "AnswerRecord",
    "Archive",
    "ArchivePage",
    "ArchivedPeriod",
    "ArchivedRow",
    "AuditEvent",
    "AuditLog",
    "BannedUser",
    "Batch",
    "BatchStore",
    "Bell",
    "BoardCache",
    "BoardId",
    "BoardPart",
    "BoardScope",
    "CaptchaAway",
    "CaptchaVerifier",
    "ChainId",
    "CommitOutcome",
    "CommitUnknown",
    "Committed",
    "Consequence",
    "Earlier",
    "EmailTaken",
    "EventId",
    "EventKind",
    "EventLog",
    "Evidence",
    "EvidenceStore",
    "FraudEvent",
    "FraudStore",
    "Grant",
    "Habits",
    "Heard",
    "Ids",
    "KeyConflict",
    "KeyLookup",
    "Learner",
    "Limits",
    "LoggedFacts",
    "MemberPages",
    "Members",
    "Moments",
    "NameTaken",
    "NewAccount",
    "NewSession",
    "News",
    "OpenedSession",
    "OperationId",
    "OutOfReach",
    "Period",
    "PlayerLimits",
    "PlayerStanding",
    "Profile",
    "ProfileChange",
    "ProfileStore",
    "Quota",
    "Registered",
    "Repeated",
    "RoleChanged",
    "Rotated",
    "RotationRefused",
    "RowLimits",
    "ScoreFact",
    "ScoreStore",
    "ScoreWrite",
    "SessionId",
    "Severity",
    "SharedLimits",
    "Sight",
    "SignedOut",
    "Source",
    "Span",
    "SpentToken",
    "StandingChange",
    "StandingStore",
    "Stood",
    "StoreError",
    "StoreFault",
    "StoreUnavailable",
    "Stretch",
    "Taken",
    "TokenSpent",
    "Unchanged",
    "UnknownUser",
    "UserId",
    "WallClock",
    "Wanted",
    "key_id",
]
