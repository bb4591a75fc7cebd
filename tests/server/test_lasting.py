"""What goes on beside a server's work ends no server, whatever befalls it."""

from __future__ import annotations

import errno
import io
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest
import trio
from trio.testing import MockClock

from actors.runtime import Observer
from scoreboard.observe.logs import make_logger
from scoreboard.security import journal
from scoreboard.server.acts import journaled
from scoreboard.server.housekeeping import keep_house
from scoreboard.settings import Settings

#: As long as a failure counts that would be one too many.
LONG_S = 300.0


async def at_once(*_: object, **__: object) -> Any:
    """Nothing is to be done."""
    await trio.lowlevel.checkpoint()
    return 0


def parts_in(data: Path, log: io.StringIO) -> Any:
    """Of a server that has nothing to tell the others, and keys that never change."""
    settings = Settings()
    return SimpleNamespace(
        settings=msgspec.structs.replace(
            settings, data_dir=str(data), keys=msgspec.structs.replace(settings.keys, rotate_days=0)
        ),
        log=make_logger(style="json", stream=log),
        keys=SimpleNamespace(keep=trio.sleep_forever),
        familiar=SimpleNamespace(untold=list, told=lambda _: None, heard=lambda _: None),
        rng=random.Random(1),
    )


def stores_with(record: Any, run: Any) -> Any:
    """Stores that are there, but for these two."""
    redis = SimpleNamespace(prefix="", client=SimpleNamespace(register_script=lambda _: None), run=run)
    there = SimpleNamespace(redis=True)

    async def ping() -> Any:
        return there

    done = {"encrypt_past": at_once, "fill_looks": at_once, "maintain": at_once, "ping": ping}
    return SimpleNamespace(redis=redis, scores=None, cache=None, audit=SimpleNamespace(record=record), **done)


async def test_what_fails_again_and_again_beside_the_work_ends_no_server(
    tmp_path: Path, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that only reads any more keeps acts in the journal that were taken; and Redis may say anything at all."""
    recorded: list[object] = []

    async def record(events: Any) -> None:
        await trio.lowlevel.checkpoint()
        recorded.extend(events)

    async def odd(*_: object) -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError("nobody thought of this")

    with journaled(tmp_path, "KEY_ADDED"):
        pass

    def read_only(*_: object) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(journal, "taken", read_only)
    log = io.StringIO()
    core = SimpleNamespace(boards=SimpleNamespace(ask=at_once))
    with trio.move_on_after(LONG_S) as while_it_lasts:
        await keep_house(parts_in(tmp_path, log), stores_with(record, odd), cast(Any, core), cast(Any, Observer()))
    assert while_it_lasts.cancelled_caught
    assert len(recorded) > LONG_S / 20
    assert 1 == log.getvalue().count("Read-only file system")
