"""What the listener may be asked."""

from __future__ import annotations

from dataclasses import dataclass

from actors.runtime import Question


@dataclass(frozen=True, slots=True)
class Announce:
    """This worker did something that is announced: look, and tell the others to."""


@dataclass(frozen=True, slots=True)
class Listening(Question[None]):
    """Answered when all is known that was announced before."""
