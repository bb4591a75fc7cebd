"""The embedded servers as an operator meets them: killed, started twice, stopped, below long paths."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import trio

from actors.ports import ALL_TIME, Committed, StoreError
from scoreboard.stores.embedded import DataDirectoryBusy, NotOurs, ServerFailed, embedded_postgres, embedded_valkey
from scoreboard.stores.embedded_process import processes_in
from scoreboard.stores.opening import Stores
from tests.contract.making import account, write
from tests.vault import open_stores

pytestmark = pytest.mark.stores
TOP = Path(__file__).resolve().parents[2]

HOST = """
import sys, trio
from pathlib import Path
from scoreboard.stores.embedded import embedded_postgres, embedded_valkey

async def main():
    async with embedded_postgres(Path(sys.argv[1])), embedded_valkey(Path(sys.argv[1])):
        print("ready", flush=True)
        await trio.sleep_forever()

trio.run(main)
"""


def servers_of(data_dir: Path) -> list[int]:
    """The pids of both servers below a data directory."""
    postgres = processes_in(data_dir.resolve() / "postgres/cluster", "postgres")
    return postgres + processes_in(data_dir.resolve() / "valkey/data", "valkey-server")


def running(pid: int) -> bool:
    """Whether it is there and has not ended."""
    return psutil.pid_exists(pid) and bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


async def gone(pids: list[int], within: float = 8.0) -> None:
    """Wait until none of them runs."""
    with trio.fail_after(within):
        while any(map(running, pids)):  # noqa: ASYNC110 - they are nobody's children any more
            await trio.sleep(0.02)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that keeps both servers of `tmp_path`, in the foreground of a terminal so to speak."""
    command = [sys.executable, "-c", HOST, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=TOP, start_new_session=True) as process:
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        yield process
        process.kill()


async def test_data_is_there_after_a_restart(tmp_path: Path) -> None:
    """What was stored through the URLs is found through the next ones; stopping takes less than five seconds."""
    async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
        async with open_stores(postgres, redis) as stores:
            registered = await stores.accounts.register(account("Ann"))
            facts = await stores.scores.members_after(None, 10)
            await stores.cache.put(ALL_TIME, facts)
        began = trio.current_time()
    assert 5 > trio.current_time() - began
    assert [] == servers_of(tmp_path)
    async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
        async with open_stores(postgres, redis) as stores:
            assert [registered.fact] == await stores.scores.members_after(None, 10)  # type: ignore[union-attr]
            assert [(facts[0].user_id, 0)] == await stores.cache.top(ALL_TIME, 10)


async def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    """Sockets have short names only; the one that stands elsewhere is removed with the server."""
    deep = tmp_path / ("deep" * 20) / ("deeper" * 15)
    async with embedded_postgres(deep) as postgres, embedded_valkey(deep) as redis:
        sockets = [Path(postgres.partition("host=")[2]), Path(redis.removeprefix("unix://")).parent]
        assert [0o700, 0o700] == [path.stat().st_mode & 0o777 for path in sockets]
        async with open_stores(postgres, redis) as stores:
            assert (True, True) == await answering(stores)
    assert [] == [path for path in sockets if path.exists()]


async def test_a_second_start_names_the_directory_and_the_process(tmp_path: Path) -> None:
    """The first one goes on undisturbed."""
    async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
        for server, name in ((embedded_postgres, "postgres"), (embedded_valkey, "valkey")):
            with pytest.raises(DataDirectoryBusy, match=rf"{tmp_path}/{name} is in use by process {os.getpid()};"):
                async with server(tmp_path):
                    pass
        async with open_stores(postgres, redis) as stores:
            assert (True, True) == await answering(stores)


async def test_the_servers_die_with_their_parent(tmp_path: Path, host: subprocess.Popen[str]) -> None:
    """However it ended; and the next start finds the data in order."""
    pids = servers_of(tmp_path)
    host.kill()
    await gone(pids)
    async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
        async with open_stores(postgres, redis) as stores:
            assert (True, True) == await answering(stores)


async def test_orphans_are_stopped_by_the_next_start(tmp_path: Path, host: subprocess.Popen[str]) -> None:
    """Also such as do not listen any more: frozen while their parent was killed."""
    pids = servers_of(tmp_path)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    host.kill()
    host.wait()
    with trio.fail_after(30):
        async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
            assert set() == set(pids) & set(servers_of(tmp_path))
            async with open_stores(postgres, redis) as stores:
                assert (True, True) == await answering(stores)


async def test_a_control_c_for_us_spares_the_servers(tmp_path: Path) -> None:
    """They stand in sessions of their own, so the terminal's signal does not reach them before we stop them."""
    async with embedded_postgres(tmp_path), embedded_valkey(tmp_path):
        assert set() == {os.getpgid(pid) for pid in servers_of(tmp_path)} & {os.getpgid(0)}


async def test_a_pid_that_belongs_to_a_stranger_now_is_not_believed(tmp_path: Path) -> None:
    """After a crash of the machine the number in the file may be anybody's, here our own parent's child."""
    async with embedded_postgres(tmp_path):
        pass
    with subprocess.Popen(["sleep", "60"]) as stranger:  # noqa: ASYNC220 - it is only there
        lines = [str(stranger.pid), str(tmp_path / "postgres/cluster"), "1700000000", "5432", "", "", "  0 0", "ready"]
        (tmp_path / "postgres/cluster/postmaster.pid").write_text("\n".join(lines) + "\n")
        async with embedded_postgres(tmp_path):
            assert stranger.poll() is None
        stranger.kill()


async def test_a_killed_server_comes_back_under_the_same_url(tmp_path: Path) -> None:
    """Both of them; what was committed is there, and the stores find the way by themselves."""
    async with embedded_postgres(tmp_path) as postgres, embedded_valkey(tmp_path) as redis:
        async with open_stores(postgres, redis) as stores:
            registered = await stores.accounts.register(account("Ann"))
            ann = registered.fact.user_id  # type: ignore[union-attr]
            await stores.scores.commit([write(ann), write(ann)])
            for pid in servers_of(tmp_path):
                os.kill(pid, signal.SIGKILL)
            with trio.fail_after(20):
                while (True, True) != await answering(stores):  # noqa: ASYNC110 - a client can only ask
                    await trio.sleep(0.05)
            [outcome] = await stores.scores.commit([write(ann)])
            assert isinstance(outcome, Committed)
            assert 3 == outcome.fact.score


async def test_a_frozen_server_is_stopped_all_the_same(tmp_path: Path) -> None:
    """It hears only the kernel, within the bound."""
    async with embedded_postgres(tmp_path):
        pid = servers_of(tmp_path)[0]
        os.kill(pid, signal.SIGSTOP)
        began = trio.current_time()
    assert 5 > trio.current_time() - began
    assert [] == servers_of(tmp_path)


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """With the path of its log and the end of it."""
    with pytest.raises(ServerFailed, match=r"postgres did not start; its log is .*/postgres/log(.|\n)*no_such_setting"):
        async with embedded_postgres(tmp_path, settings={"no_such_setting": "1"}):
            pass


async def test_a_start_that_was_cut_short_is_begun_anew(tmp_path: Path) -> None:
    """A half-made cluster is never taken for a whole one."""
    half = tmp_path / "postgres/cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    async with embedded_postgres(tmp_path):
        assert not half.exists()


async def test_an_error_of_the_block_leaves_as_it_is(tmp_path: Path) -> None:
    """Not wrapped into a group by the nursery that watches the server."""
    with pytest.raises(ZeroDivisionError):
        async with embedded_valkey(tmp_path):
            raise ZeroDivisionError


async def answering(stores: Stores) -> tuple[bool, bool]:
    """Which stores answer, Postgres first."""
    try:
        ready = await stores.ping(within=2)
    except StoreError:  # never raised, says its docstring
        return False, False
    return ready.postgres, ready.redis


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give directories away")
async def test_root_runs_the_servers_as_the_owner_of_their_directories(tmp_path: Path) -> None:
    """So a data directory may be served by its owner today and by root tomorrow."""
    for name in ("postgres", "valkey"):
        (tmp_path / name).mkdir()
        os.chown(tmp_path / name, 65534, 65534)
    async with embedded_postgres(tmp_path), embedded_valkey(tmp_path):
        assert {65534} == {psutil.Process(pid).uids().effective for pid in servers_of(tmp_path)}


async def test_a_directory_of_somebody_else_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an error that says what to do."""

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(NotOurs, match=rf"{tmp_path}/valkey belongs to another account"):
        async with embedded_valkey(tmp_path):
            pass
