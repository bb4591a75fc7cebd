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
    Registered,
    Rotated,
    RotationRefused,
)
from actors.ports.board_cache import BoardCache
from actors.ports.catalogue import ActionCatalogue
from actors.ports.clock import NEVER_US, WallClock
from actors.ports.errors import CommitUnknown, StoreError, StoreFault, StoreUnavailable
from actors.ports.event_log import EventLog, LoggedFacts
from actors.ports.facts import MAX_SCORE, Members, ScoreFact
from actors.ports.ids import ALL_TIME, BoardId, Ids, OperationId, SessionId, UserId
from actors.ports.origin import Origin
from actors.ports.scores import (
    AnswerRecord,
    BannedUser,
    CommitOutcome,
    Committed,
    KeyConflict,
    KeyLookup,
    MemberPages,
    Repeated,
    ScoreStore,
    ScoreWrite,
    TokenSpent,
    UnknownUser,
)

__all__ = [
    "ALL_TIME",
    "MAX_SCORE",
    "NEVER_US",
    "Account",
    "AccountStore",
    "ActionCatalogue",
    "AnswerRecord",
    "BannedUser",
    "BoardCache",
    "BoardId",
    "CommitOutcome",
    "CommitUnknown",
    "Committed",
    "EmailTaken",
    "EventLog",
    "Ids",
    "KeyConflict",
    "KeyLookup",
    "LoggedFacts",
    "MemberPages",
    "Members",
    "NameTaken",
    "NewAccount",
    "NewSession",
    "OperationId",
    "Origin",
    "Registered",
    "Repeated",
    "Rotated",
    "RotationRefused",
    "ScoreFact",
    "ScoreStore",
    "ScoreWrite",
    "SessionId",
    "StoreError",
    "StoreFault",
    "StoreUnavailable",
    "TokenSpent",
    "UnknownUser",
    "UserId",
    "WallClock",
]
