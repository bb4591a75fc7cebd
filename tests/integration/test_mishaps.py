"""Starts that go wrong beside a server that runs: what is told, the status, and that nothing was changed."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from scoreboard.stores.embedded_postgres import running_url
from tests.served import Player, ServedScoreboard, start_scoreboard

pytestmark = pytest.mark.stores

NO_REDIS = ("--redis", "redis://127.0.0.1:1/0")
ENDED_WITHIN_S = 120.0  # no promise: a machine may have no time
SSL_ASKED = (80877103).to_bytes(4, "big")


def refused(home: Path, *words: str, environ: Mapping[str, str] | None = None) -> tuple[int, list[str]]:
    """A start that comes to nothing: its status, and its reasons."""
    with (home / "log").open("wb") as log:
        status = start_scoreboard(["serve", "--port", "0", *words], log.fileno(), environ).wait(ENDED_WITHIN_S)
    lines: list[dict[str, Any]] = [json.loads(line) for line in (home / "log").read_text().splitlines()]
    assert lines[-1]["event"] in {"cannot_start", "cannot_go_on"}, lines
    return status, lines[-1].get("reasons") or [lines[-1]["reason"]]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_node_with_a_mistyped_data_directory_is_refused_and_leaves_no_keys_there(
    server: ServedScoreboard, tmp_path: Path, workers: str
) -> None:
    """It would sign what no other node believes. The sentence says where the keys were looked for, and what to do."""
    there = ("--postgres", running_url(server.data), *NO_REDIS, "--workers", workers)
    status, [reason] = refused(tmp_path, "--data", str(tmp_path / "typo"), *there)
    assert (1, False) == (status, (tmp_path / "typo" / "keys").exists())
    assert reason.startswith(f"the keys in {tmp_path / 'typo' / 'keys'} are not those of this database: ")
    assert reason.endswith("the folder of keys of the first one; a lost one is in the backup")
    assert "jwt-1.key, action-1.key, master-1.key" in reason
    player = Player(server, f"Known{workers}")
    player.score(1)


def test_a_folder_of_keys_without_its_master_is_refused_and_left_as_it_is(
    server: ServedScoreboard, tmp_path: Path
) -> None:
    """No other master takes its place."""
    shutil.copytree(server.data / "keys", tmp_path / "data" / "keys")
    (tmp_path / "data" / "keys" / "master-1.key").unlink()
    there = ("--postgres", running_url(server.data), *NO_REDIS)
    status, [reason] = refused(tmp_path, "--data", str(tmp_path / "data"), *there)
    assert (1, True) == (status, ". master-1.key was missing there. " in reason)
    assert not (tmp_path / "data" / "keys" / "master-1.key").exists()


def test_a_port_that_is_taken_is_told_with_what_to_do(server: ServedScoreboard, tmp_path: Path) -> None:
    """Before anything is made."""
    status, [reason] = refused(tmp_path, "--data", str(tmp_path / "data"), "--port", str(server.port))
    assert (1, False) == (status, (tmp_path / "data").exists())
    assert reason.startswith(f"cannot listen on 127.0.0.1, port {server.port}: ")
    assert reason.endswith("; end who listens there, or name another with --port")


def test_a_postgres_that_refuses_is_named_with_its_reason(tmp_path: Path) -> None:
    """Where it was looked for, and what it or the system said; not how the driver has it."""
    with refusing_postgres() as port:
        status, [reason] = refused(
            tmp_path,
            "--data",
            str(tmp_path / "data"),
            "--postgres",
            f"postgresql://me:wrong@127.0.0.1:{port}/db",
            *NO_REDIS,
        )
    assert (1, f'no connection to Postgres at 127.0.0.1:{port}: password authentication failed for user "me"') == (
        status,
        reason,
    )
    nobody = f"postgresql://me@127.0.0.1:{port}/db"
    status, [reason] = refused(tmp_path, "--data", str(tmp_path / "data"), "--postgres", nobody, *NO_REDIS)
    assert (1, True) == (
        status,
        reason.startswith(f"no connection to Postgres at 127.0.0.1:{port}: Connection refused"),
    )


@contextmanager
def refusing_postgres() -> Iterator[int]:
    """A port at which somebody speaks Postgres' protocol, and believes no password."""
    fields = b'SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "me"\0\0'
    refusal = b"E" + (len(fields) + 4).to_bytes(4, "big") + fields
    with socket.create_server(("127.0.0.1", 0)) as listening, ThreadPoolExecutor(1) as pool:

        def refuse() -> None:
            with suppress(OSError):
                while True:
                    line, _ = listening.accept()
                    with line:
                        while asked := line.recv(1000):  # whether TLS is spoken here, and then who that is
                            line.sendall(b"N" if asked[4:8] == SSL_ASKED else refusal)

        pool.submit(refuse)
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
