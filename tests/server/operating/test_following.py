"""Following a server to its end."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import threading
from pathlib import Path

import pytest

from scoreboard.server.operating.asking import LOCKS, SOCKET
from scoreboard.server.operating.following import follow


def say_and_end(desk: socket.socket, lock: int, pid: int) -> None:
    """To the first who asks: a process, as the server knows it, and no last word. Then the directory is nobody's."""
    asker, _ = desk.accept()
    with asker:
        asker.recv(4096)
        asker.sendall(json.dumps({"pid": pid, "says": "ends"}).encode() + b"\n")
    os.close(lock)


@pytest.mark.parametrize("pid", [1, 2**22 + 1])
def test_a_server_in_a_container_is_seen_out_by_its_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], pid: int
) -> None:
    """The number that it has there is nobody's here, or somebody else's, who does not end."""
    lock, path = tmp_path / LOCKS[0], tmp_path / SOCKET
    path.parent.mkdir(parents=True)
    held = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    with socket.socket(socket.AF_UNIX) as desk:
        desk.bind(os.fspath(path))
        desk.listen()
        server = threading.Thread(target=say_and_end, args=(desk, held, pid))
        server.start()
        assert 0 == follow(tmp_path, "drain", within_s=10)
        server.join(10)
    assert "the server has ended" in capsys.readouterr().out
