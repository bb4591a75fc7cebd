"""In-memory stand-ins for what the core asks of the world; they pass the same contract tests as the real ones."""

from tests.fakes.accounts import FakeAccountStore
from tests.fakes.announcements import FakeAnnouncements, FakeBell
from tests.fakes.archive import FakeArchive
from tests.fakes.audit import FakeAuditLog
from tests.fakes.batches import FakeBatches
from tests.fakes.board import FakeBoardCache
from tests.fakes.clock import FakeClock
from tests.fakes.events import Bus, FakeEventLog
from tests.fakes.evidence import FakeEvidenceStore
from tests.fakes.faults import Faults
from tests.fakes.fraud import FakeFraudStore
from tests.fakes.learner import FakeLearner
from tests.fakes.limits import FakeSharedLimits
from tests.fakes.players import Player, Players
from tests.fakes.profiles import FakeProfileStore
from tests.fakes.scores import FakeScoreStore, Replica
from tests.fakes.standing import FakeStandingStore

__all__ = [
    "Bus",
    "FakeAccountStore",
    "FakeAnnouncements",
    "FakeArchive",
    "FakeAuditLog",
    "FakeBatches",
    "FakeBell",
    "FakeBoardCache",
    "FakeClock",
    "FakeEventLog",
    "FakeEvidenceStore",
    "FakeFraudStore",
    "FakeLearner",
    "FakeProfileStore",
    "FakeScoreStore",
    "FakeSharedLimits",
    "FakeStandingStore",
    "Faults",
    "Player",
    "Players",
    "Replica",
]
