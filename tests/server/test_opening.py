"""Workers that start while Postgres is away, under a virtual clock."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import pytest
import trio
from structlog.testing import CapturingLogger
from trio.testing import MockClock

from actors.ports import StoreUnavailable
from scoreboard.server.opening import enter_when_there
from scoreboard.stores.migrate import MigrationError
from scoreboard.stores.opening import Stores
from scoreboard.stores.personal_errors import KeyDoesNotOpen


class Away:
    """Stores that can be opened from some moment on; before, or instead, there is an error."""

    def __init__(self, until_s: float, error: Exception) -> None:
        self._until = trio.current_time() + until_s
        self._error = error
        self.stores = cast(Stores, object())
        self.closed = False

    @asynccontextmanager
    async def opening(self) -> AsyncIterator[Stores]:
        """As `open_stores`; a try takes a moment."""
        await trio.sleep(0.1)
        if trio.current_time() < self._until:
            raise self._error
        yield self.stores
        self.closed = True


async def test_a_worker_waits_for_postgres_however_long(autojump_clock: MockClock) -> None:
    """It tells so twice a minute, and begins as soon as Postgres is there."""
    log: Any = CapturingLogger()
    away, began = Away(70, StoreUnavailable("no connection to Postgres: refused")), trio.current_time()
    async with AsyncExitStack() as scopes:
        assert away.stores is await enter_when_there(scopes, away.opening, log)
        assert 70 <= trio.current_time() - began < 71
        assert ["warning"] * 3 + ["info"] == [call.method_name for call in log.calls]
        assert "refused" in log.calls[0].kwargs["reason"]
        assert not away.closed
    assert away.closed


async def test_a_worker_that_finds_postgres_has_nothing_to_tell(autojump_clock: MockClock) -> None:
    """As nearly always."""
    log: Any = CapturingLogger()
    away = Away(0, StoreUnavailable("never"))
    async with AsyncExitStack() as scopes:
        assert away.stores is await enter_when_there(scopes, away.opening, log)
    assert [] == log.calls


@pytest.mark.parametrize("error", [MigrationError("made by a newer version"), KeyDoesNotOpen("made by newer keys")])
async def test_no_waiting_mends_a_database_of_another_version_or_of_other_keys(
    autojump_clock: MockClock, error: Exception
) -> None:
    """So the worker ends with the reason, and its parent tells it."""
    away = Away(70, error)
    async with AsyncExitStack() as scopes:
        with pytest.raises(type(error), match="newer"):
            await enter_when_there(scopes, away.opening, cast(Any, CapturingLogger()))
    assert trio.current_time() < 1
