"""Asking a server that does not answer: what its operator hears is what to do."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from scoreboard.server.operating.asking import LOCKS, SOCKET, NoAnswer, ask

#: Holds the lock whose name it is given and says so; then it waits for ever.
HOLDER = """
import fcntl, os, sys, time
lock = os.open(sys.argv[1], os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
os.write(lock, str(os.getpid()).encode())
print("held", flush=True)
time.sleep(600)
"""


@contextmanager
def silent_server(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has the data directory; the socket for its operator takes questions, and nobody answers."""
    lock, path = data / LOCKS[0], data / SOCKET
    path.parent.mkdir(parents=True)
    lock.touch()
    with socket.socket(socket.AF_UNIX) as desk:
        desk.bind(os.fspath(path))
        desk.listen()
        with subprocess.Popen([sys.executable, "-c", HOLDER, os.fspath(lock)], stdout=subprocess.PIPE, text=True) as it:
            assert it.stdout is not None
            assert "held\n" == it.stdout.readline()
            try:
                yield it
            finally:
                it.kill()


def told_by(data: Path) -> str:
    """What who asks hears."""
    with pytest.raises(NoAnswer) as told:
        list(ask(data, "status", within_s=0.1))
    return str(told.value)


def give_up_at(path: Path) -> None:
    """Ask there, and do not wait for the answer."""
    with socket.socket(socket.AF_UNIX) as line:
        line.setblocking(False)
        line.connect(os.fspath(path))


def test_a_server_that_somebody_has_stopped_is_named_with_how_it_goes_on(tmp_path: Path) -> None:
    """As by Ctrl-Z, or a SIGSTOP: of several workers it is the parent, and they serve on meanwhile."""
    with silent_server(tmp_path) as server:
        os.kill(server.pid, signal.SIGSTOP)
        os.waitpid(server.pid, os.WUNTRACED)
        assert told_by(tmp_path).endswith(
            f"its process {server.pid} is stopped, and goes on by: kill -CONT {server.pid}"
        )


def test_a_server_that_hangs_is_named_with_how_to_end_it(tmp_path: Path) -> None:
    """Its workers may serve on, so that nobody else notices."""
    with silent_server(tmp_path) as server:
        assert f"its process {server.pid} hangs, or the machine is busy" in told_by(tmp_path)
        assert f"kill -KILL {server.pid}" in told_by(tmp_path)


def test_who_has_the_directory_may_not_be_known(tmp_path: Path) -> None:
    """Then there is nothing to do but to look."""
    with silent_server(tmp_path) as server:
        (tmp_path / LOCKS[0]).write_text("")
        assert told_by(tmp_path).endswith("has said nothing for 0.1 s")
        assert server.poll() is None


def test_no_process_is_named_that_has_only_the_number_of_the_one_that_hangs(tmp_path: Path) -> None:
    """A server in a container has a number there that is somebody else's here, and the first there is often 1."""
    with silent_server(tmp_path) as server:
        (tmp_path / LOCKS[0]).write_text(f"{os.getpid()}\n")
        told = told_by(tmp_path)
        assert "kill" not in told
        assert told.endswith(f"it has the number {os.getpid()} where it runs, in a container say: look for it there")
        assert server.poll() is None


def test_a_server_that_hangs_is_named_however_often_it_was_asked(tmp_path: Path) -> None:
    """Who asked before and gave up waits at its socket all the same, until nobody more may wait there."""
    with silent_server(tmp_path) as server:
        with pytest.raises(BlockingIOError):
            while True:
                give_up_at(tmp_path / SOCKET)
        assert f"its process {server.pid} hangs, or the machine is busy" in told_by(tmp_path)
