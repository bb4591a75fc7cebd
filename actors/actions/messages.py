"""What may be asked about actions, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from actors.ports import ActionKind, Source, UserId
from actors.runtime import Question, Refusal

A = TypeVar("A")


class ActionNotFound(Refusal):
    """The catalogue has no such type of action."""

    code = "ACTION_NOT_FOUND"


class ActionCompleted(Refusal):
    """An action of that id has counted; it never will again."""

    code = "ACTION_ALREADY_COMPLETED"


class ProofRefused(Refusal):
    """The proof does not show that this player did this. `details` say whether it is wrong or too old."""

    code = "FORBIDDEN"

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.details: Mapping[str, Any] = {"reason": reason}


class ActionTooSoon(ProofRefused):
    """The player did the same so short a time before that it cannot be."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="too_soon")


class ActionTooOften(Refusal):
    """The player has done the same as often as it counts."""

    code = "RATE_LIMITED"
    details: Mapping[str, Any] = {"reason": "too_often"}

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CatalogueUnavailable(Refusal):
    """The store cannot be read just now. Nothing was done."""

    code = "SERVICE_UNAVAILABLE"
    retry_after_s = 1.0
    of_store = True


class Proof(NamedTuple):
    """What the game's server says of an action: when it was done, as it wrote it and as a moment; its `signature`."""

    timestamp: str
    moment_us: int
    signature: str


class ProofRejected(NamedTuple):
    """A proof was refused, for whoever watches over fairness.

    `reason` is the refusal's own (forged, future, expired, too_soon, too_often), or unknown (no such type of action),
    honeypot (a type that nobody was told of), completed (that action has counted).
    """

    user_id: UserId
    action_type: str
    action_id: str
    reason: str
    source: Source
    at_us: int


@dataclass(frozen=True, slots=True)
class Prove(Question[A], Generic[A]):
    """Has this player done this? The answer is what `then` makes of the type of action; it is pure, and quick.

    `name` is what the action counts under, once and for ever. Refusals: all of this file.
    """

    user_id: UserId
    action_type: str
    action_id: str
    proof: Proof
    name: bytes
    source: Source
    then: Callable[[ActionKind], A]


@dataclass(frozen=True, slots=True)
class Catalogue(Question[tuple[ActionKind, ...]]):
    """What counts now, by type, honeypots excepted? Refused with CatalogueUnavailable while it never could be read."""
