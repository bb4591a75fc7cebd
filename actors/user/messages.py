"""What a player may ask for, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

from actors.ports import Source
from actors.runtime import Question
from actors.user.token import ActionToken

__all__ = ["ActionToken", "Increment", "IssueToken", "ScoreAnswer", "TokenIssued"]


@dataclass(frozen=True, slots=True)
class TokenIssued:
    """A fresh action token; it can be used until `expires_at_ms`, `expires_in_s` seconds from now."""

    token: ActionToken
    expires_at_ms: int
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class IssueToken(Question[TokenIssued]):
    """Give me the right to score once. Refusals: RateLimited."""


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
