"""An embedded server that ends and cannot be started again at once, played by a small program."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import trio

from scoreboard.stores import embedded_process
from scoreboard.stores.embedded_errors import ServerFailed
from scoreboard.stores.embedded_process import Program, Server, ended

#: Counts its starts, ends at once at those that it is told, and otherwise says that it is ready.
PLAYED = """
import pathlib, sys, time
here = pathlib.Path(sys.argv[1])
start = len((here / "starts").read_text()) + 1 if (here / "starts").exists() else 1
(here / "starts").write_text("s" * start)
if start in map(int, sys.argv[2:]):
    sys.exit(1)
(here / f"ready-{start}").touch()
time.sleep(600)
"""


def server_in(here: Path, *fails: int) -> Server:
    """One that ends at once at these starts."""
    words = [sys.executable, "-c", PLAYED, str(here), *map(str, fails)]
    program = Program("nothing-has-this-name", words, here, here / "log", ((signal.SIGKILL, 5.0),))

    async def ready(_pid: int) -> bool:
        await trio.lowlevel.checkpoint()
        return (here / f"ready-{starts(here)}").exists()

    return Server(program, ready)


def starts(here: Path) -> int:
    """How often it was started."""
    return len((here / "starts").read_text()) if (here / "starts").exists() else 0


async def until_ready(here: Path, start: int) -> None:
    """It serves since that start."""
    with trio.fail_after(60):
        while not (here / f"ready-{start}").exists():  # noqa: ASYNC110 - it is another process
            await trio.sleep(0.02)


async def test_a_start_that_fails_is_one_end_more_and_not_the_last_one(tmp_path: Path) -> None:
    """What ended it, as a lack of memory, may still hold for a moment."""
    server = server_in(tmp_path, 2, 3)
    await server.start()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.watch)
        os.kill(server.pid, signal.SIGKILL)
        await until_ready(tmp_path, 4)
        nursery.cancel_scope.cancel()
    await server.stop()


async def test_a_process_that_the_system_refuses_is_one_end_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there is no memory for one."""
    refused: list[Program] = []
    spawned = embedded_process.spawn

    def spawn(program: Program) -> subprocess.Popen[bytes]:
        if not refused:
            refused.append(program)
            raise BlockingIOError("no more processes")
        return spawned(program)

    server = server_in(tmp_path)
    await server.start()
    monkeypatch.setattr(embedded_process, "spawn", spawn)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.watch)
        os.kill(server.pid, signal.SIGKILL)
        await until_ready(tmp_path, 2)
        nursery.cancel_scope.cancel()
    assert 1 == len(refused)
    await server.stop()


async def test_one_that_cannot_be_started_any_more_is_given_up(tmp_path: Path) -> None:
    """After as many ends as one may have."""
    server = server_in(tmp_path, *range(2, 20))
    await server.start()
    os.kill(server.pid, signal.SIGKILL)
    with pytest.raises(ServerFailed, match="keeps ending"), trio.fail_after(60):
        await server.watch()
    assert 1 + server.restarts == starts(tmp_path)
    await server.stop()


async def test_the_end_of_a_process_is_noticed_where_there_is_no_descriptor_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is looked for again and again then, whether it goes between two questions or no file can be opened."""
    looks = [OSError(errno.EMFILE, "too many open files"), psutil.NoSuchProcess(1)]

    def none_left(*_: object) -> int:
        raise OSError(errno.EMFILE, "too many open files")

    def process(_pid: int) -> object:
        raise looks.pop(0)

    monkeypatch.setattr(os, "pidfd_open", none_left)
    monkeypatch.setattr(psutil, "pid_exists", lambda _: True)
    monkeypatch.setattr(psutil, "Process", process)
    with trio.fail_after(30):
        await ended(1)
    assert [] == looks
