"""What may be asked about actions, and how it is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from actors.ports import ActionKind, UserId
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
    then: Callable[[ActionKind], A]


@dataclass(frozen=True, slots=True)
class Catalogue(Question[tuple[ActionKind, ...]]):
    """What counts now, by type? Refused with CatalogueUnavailable while it never could be read."""
