"""What workers tell each other of where players signed in."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from actors.ports import StoreUnavailable
from scoreboard.security.familiar import TOLD_AT_ONCE, Familiar
from scoreboard.server.familiar_places import keep_familiar


class Enough(Exception):
    """It has slept so often."""


class FakeOthers:
    """Keeps what it is told; may be away."""

    def __init__(self, *pages: list[str]) -> None:
        self.told: list[str] = []
        self.away = False
        self._pages = list(pages)

    async def exchange(self, marks: Sequence[str]) -> tuple[list[str], bool]:
        """A page each time, as long as there is one."""
        if self.away:
            raise StoreUnavailable("away")
        self.told += marks
        return (self._pages.pop(0) if self._pages else []), not self._pages


async def kept(familiar: Familiar, others: FakeOthers) -> None:
    """Until it sleeps."""

    async def sleep(_: float) -> None:
        raise Enough

    with pytest.raises(Enough):
        await keep_familiar(familiar, others, sleep)


async def test_all_that_others_know_is_heard_before_it_rests() -> None:
    """Page by page, as at a start; and all that they do not know is told."""
    familiar = Familiar(b"")
    for number in range(TOLD_AT_ONCE + 1):
        familiar.signed_in("here", str(number))
    mark = familiar.mark("there", "ada")
    others = FakeOthers(["a"], ["b"], [mark])
    await kept(familiar, others)
    assert mark == familiar.known("there", "ada")
    assert (TOLD_AT_ONCE + 1, []) == (len(others.told), familiar.untold())


async def test_what_others_could_not_be_told_is_told_later() -> None:
    """Meanwhile this worker goes by what it knows."""
    familiar, others = Familiar(b""), FakeOthers()
    familiar.signed_in("here", "ada")
    others.away = True
    await kept(familiar, others)
    assert familiar.known("here", "ada")
    others.away = False
    await kept(familiar, others)
    assert [familiar.mark("here", "ada")] == others.told
