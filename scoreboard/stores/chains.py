"""Where a worker seals what it writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID, uuid4


@dataclass(frozen=True, slots=True)
class Chains:
    """The names of a worker's two chains. New with every start, so that nobody else ever adds to them."""

    scores: UUID = field(default_factory=uuid4)
    events: UUID = field(default_factory=uuid4)
