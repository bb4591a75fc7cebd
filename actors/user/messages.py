"""What a player may ask for, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.actions.messages import Proof
from actors.ports import Source
from actors.runtime import Question
from actors.user.token import ActionToken

__all__ = [
    "ActionToken",
    "Complete",
    "Increment",
    "IssueToken",
    "Proof",
    "ScoreAnswer",
    "TokenEarned",
    "TokenIssued",
    "Update",
    "UpdateAnswer",
]


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A fresh action token; it can be used until `expires_at_ms`, `expires_in_s` seconds from now."""

    token: ActionToken
    expires_at_ms: int
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class IssueToken(Question[TokenIssued]):
    """Give me the right to score once. `person`: that was shown just now. Refusals: RateLimited, CaptchaRequired."""

    person: bool = False


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """The score is on disk. Ranks count from 1; None where the board could not be asked. `repeated`: a retry."""

    new_score: int
    previous_rank: int | None
    new_rank: int | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Increment(Question[ScoreAnswer]):
    """Count one point for this token. Refusals: all of ``actors.user.refusals``."""

    token: ActionToken
    idempotency_key: str | None
    source: Source


# --- the same in document B's form -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenEarned:
    """The right to score `points` once for an action that was proven, within `expires_in_s` seconds."""

    token: str
    expires_in_s: int
    points: int


@dataclass(frozen=True, slots=True)
class Complete(Question[TokenEarned]):
    """The game's server proves that I did this. Refusals: those of `IssueToken` and of ``actors.actions.messages``.

    `action_id` is a UUID in lower case. `person` is as in `IssueToken`.
    """

    action_type: str
    action_id: str
    proof: Proof
    source: Source
    person: bool = False


@dataclass(frozen=True, slots=True)
class UpdateAnswer:
    """The score is on disk since `reached_us`; `points` are what it added. Otherwise as `ScoreAnswer`."""

    new_score: int
    points: int
    previous_rank: int | None
    new_rank: int | None
    reached_us: int
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Update(Question[UpdateAnswer]):
    """Count the points that this token was given for. Refusals: all of ``actors.user.refusals``.

    All texts are as the client wrote them: it signed them so, with one of `secrets`. `moment_us` is what `timestamp`
    says.
    """

    token: str | None
    user_text: str
    action_type: str
    action_id: str
    points: int
    timestamp: str
    moment_us: int
    signature: str
    secrets: tuple[bytes, ...] = field(repr=False)
    idempotency_key: str | None
    source: Source
