"""What a worker does when it hears that a player was erased."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from actors.ledger.messages import LookAgain
from actors.ports import UserId
from actors.runtime import ActorError, Ref


class Erased:
    """Forgets the player's key, and has the boards look at the player again. `standing` is there once that runs.

    What is announced before that is on no board: they are read later.
    """

    def __init__(self, forget: Callable[[UserId], None]) -> None:
        self._forget = forget
        self.standing: Ref | None = None

    def __repr__(self) -> str:
        return "<Erased>"

    def __call__(self, about: str) -> None:
        """The player of that id was erased."""
        self._forget(UserId(about))
        if self.standing is not None:
            with suppress(ActorError):  # a board that comes back is read anew
                self.standing.tell(LookAgain(UserId(about)))
