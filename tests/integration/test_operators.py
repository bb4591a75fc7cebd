"""What operators do with a running server, by the verbs of the command line, while it is used."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
import redis
import trio

from scoreboard.client import Status, Watch, connect
from scoreboard.server.operating.asking import ask
from scoreboard.server.operating.verdict import wrong
from tests.served import TOP, Player, ServedScoreboard, served, start_scoreboard, wait_for
from tests.workers import Talk, both, connection_to, log_of, worker_pids

pytestmark = pytest.mark.stores

QUICK = {"SCOREBOARD_BOARD_TICK_S": "0.05"}
#: Between two scores of one writer, so that the workers find time to start.
PACE_S = 0.05


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """Two workers, whose settings stand in a file that may be changed."""
    home = tmp_path_factory.mktemp("operated")
    (home / "settings.toml").write_text("")
    environ = {**QUICK, "SCOREBOARD_CONFIG": str(home / "settings.toml")}
    with served(home / "data", "--workers", "2", environ=environ) as server:
        both(server)
        yield server


def verb(server: ServedScoreboard, *words: str) -> subprocess.CompletedProcess[str]:
    """One of an operator, to its end."""
    command = [sys.executable, "-m", "scoreboard", *words, "--data", str(server.data)]
    environ = {**os.environ, "PYTHONPATH": str(TOP)}
    return subprocess.run(command, cwd=TOP, env=environ, capture_output=True, text=True, timeout=120, check=False)


def test_status_tells_how_all_workers_are(server: ServedScoreboard) -> None:
    """For people and for programs, and by its exit code."""
    readable, told = verb(server, "status"), verb(server, "status", "--json")
    assert (0, "") == (readable.returncode, readable.stderr)
    assert readable.stdout.startswith(f"well: {server.url}/, up ")
    status = json.loads(told.stdout)
    assert (True, [], 2) == (status["well"], status["wrong"], len(status["workers"]))
    assert worker_pids(server) == {each["worker"]: each["pid"] for each in status["workers"]}
    one = status["workers"][0]
    assert {"ledger", "user", "board", "follower"} <= set(one["mailboxes"])
    assert one["loop"]["turns"] > 0
    assert {"away_s": 0.0, "most": 8} == {name: one["postgres"][name] for name in ("away_s", "most")}


class Writer(threading.Thread):
    """Scores again and again; repeats once what broke or was answered with an error."""

    def __init__(self, server: ServedScoreboard, name: str) -> None:
        super().__init__()
        self.player = Player(server, name)
        self.counted = self.repeated = 0
        self.failed: list[str] = []
        self._enough = threading.Event()
        self._server = server
        self._headers = {"Authorization": f"Bearer {self.player.access_token}"}

    def run(self) -> None:
        """Until it is `enough`."""
        with httpx.Client(base_url=self._server.url, timeout=30, trust_env=False) as http:
            while not self._enough.wait(PACE_S):
                token = self._post(http, "/api/actions/token")
                if token is not None and self._post(http, "/api/scores/increment", token, str(uuid4())) is not None:
                    self.counted += 1

    def enough(self) -> None:
        """Let it come to an end."""
        self._enough.set()
        self.join(60)

    def _post(self, http: httpx.Client, path: str, told: Any = None, key: str | None = None) -> Any:
        headers = self._headers if key is None else {**self._headers, "Idempotency-Key": key}
        body = None if told is None else {"actionToken": told["actionToken"]}
        for last in (False, True):
            try:
                answer = http.post(path, json=body, headers=headers)
                if answer.is_success:
                    return answer.json()
                why = f"{path}: {answer.status_code} {answer.text}"
            except httpx.TransportError as error:
                why = f"{path}: {error!r}"
            self.repeated += 1
            if last:
                self.failed.append(why)
        return None


CHANGED = "[board]\npublic = false\n[stores]\npostgres_url = 'postgresql://elsewhere/db'\n"


async def test_no_request_fails_during_a_reload_for_who_repeats_it_once_and_live_clients_come_back(
    server: ServedScoreboard,
) -> None:
    """Both workers are others afterwards, with other settings; what was answered stands, and every screen shows it.

    Live clients hear 1012, and when to come back.
    """
    before, states = worker_pids(server), list[str]()
    (server.data.parent / "settings.toml").write_text(CHANGED)
    writers = [await trio.to_thread.run_sync(Writer, server, f"Writer{number}") for number in range(2)]

    def seen(status: Status) -> None:
        states.append(status.state)

    with both(server)[0].websocket("/ws/leaderboard") as talk:
        async with connect(server.url, debounce_s=0, on_status=seen) as one, connect(server.url, debounce_s=0) as other:
            views = [each.watch("leaderboard.top10") for each in (one, other)]
            done = await trio.to_thread.run_sync(reload_beside, server, writers)
            assert 0 == done.returncode, done.stdout + done.stderr
            assert [] == [why for writer in writers for why in writer.failed]
            final = {(writer.player.name, writer.counted) for writer in writers}
            for each in views:
                await shows_all(each, final)
            for writer in writers:
                assert writer.counted > 10
                await trio.to_thread.run_sync(wait_for, lambda w=writer: w.counted == w.player.points())
        heard = await trio.to_thread.run_sync(farewell_of, talk)
    after = worker_pids(server)
    assert ({1, 2}, set()) == (set(after), set(before.values()) & set(after.values()))
    assert {"reconnecting", "live"} <= set(states)
    assert "polling" not in states
    assert [] == [line for line in log_of(server) if line["event"] in {"worker_failed", "worker_did_not_stop"}]
    assert (1012, True) == (heard[0], 0.2 <= float(heard[1].removeprefix("retryAfter=")) <= 2.0)
    assert "stores.postgres_url stays as it is until the whole server is started anew" in done.stdout
    assert "settings: board.public changed" in done.stdout
    assert [401, 401] == [each.get("/api/v1/leaderboard/top").status for each in both(server)]


async def shows_all(views: Watch, scores: set[tuple[str, int]]) -> None:
    """Wait for the view that shows all of them."""
    with trio.fail_after(60):
        async for view in views:
            if scores <= {(row.username, row.score) for row in view.rows}:
                return


def reload_beside(server: ServedScoreboard, writers: list[Writer]) -> subprocess.CompletedProcess[str]:
    """While they score."""
    for writer in writers:
        writer.start()
    try:
        return verb(server, "reload", "--over", "0.5")
    finally:
        for writer in writers:
            writer.enough()


def farewell_of(talk: Talk) -> tuple[int, str]:
    """With what the server closed it."""
    with suppress(ConnectionError):
        while True:
            talk.heard()
    return talk.closed_with


def test_a_reload_with_wrong_settings_is_refused_before_anything_is_done(server: ServedScoreboard) -> None:
    """By the code that would run: it names what is wrong."""
    file, before = server.data.parent / "settings.toml", worker_pids(server)
    file.write_text("[limits]\ntokens_per_minute = 'many'\n")
    refused = verb(server, "reload", "--over", "0")
    file.write_text("")
    assert (1, before) == (refused.returncode, worker_pids(server))
    assert "nothing was renewed: " in refused.stdout
    assert "limits.tokens_per_minute in" in refused.stdout


def test_a_rebuilding_shows_a_new_epoch_and_fills_redis_while_scores_go_on(server: ServedScoreboard) -> None:
    """Both workers, one after the other; Redis had lost everything."""
    player = Player(server, "Rebuilt")
    player.score(3)
    with redis.Redis(unix_socket_path=str((server.data / "valkey/run/valkey.sock").resolve())) as valkey:
        with both(server)[0].websocket("/ws/leaderboard") as talk:
            before = epoch_of(talk)
            valkey.flushall()
            done = verb(server, "rebuild")
            assert 0 == done.returncode, done.stdout + done.stderr
            assert before != epoch_of(talk)
        assert 3 == valkey.zscore("scoreboard:leaderboard:all_time", player.user_id)
    assert ["worker 1: ", "worker 2: "] == [line[:10] for line in done.stdout.splitlines()]
    assert " players to Redis" in done.stdout
    assert 4 == player.increment(player.token()).json()["newScore"]


def epoch_of(talk: Talk) -> str:
    """That of the first ten, as they are shown now."""
    talk.say(json.dumps({"event": "subscribe", "data": {"channel": "leaderboard.top10"}}))
    while (said := json.loads(talk.heard()))["event"] != "leaderboard.update":
        pass
    return str(said["data"]["epoch"])


def test_a_smoke_test_sees_its_point_and_leaves_nothing_on_the_board(server: ServedScoreboard) -> None:
    """Where it may erase its player; elsewhere it says how that is done. Whom it does not reach it tells apart."""
    command = [sys.executable, "-m", "scoreboard", "smoke"]

    def smoke(*words: str) -> subprocess.CompletedProcess[str]:
        environ = {**os.environ, "PYTHONPATH": str(TOP)}
        return subprocess.run(
            [*command, *words], cwd=TOP, env=environ, capture_output=True, text=True, timeout=90, check=False
        )

    seen = smoke(server.url, "--data", str(server.data))
    assert (0, "") == (seen.returncode, seen.stderr), seen.stdout
    assert ["the live feed shows it", "its session has ended"] == seen.stdout.splitlines()[-3:-1]
    assert seen.stdout.splitlines()[-1].endswith("is erased, and on no board")
    left = smoke(server.url)
    assert (0, True) == (left.returncode, "scoreboard user erase smoke-" in left.stdout)
    wait_for(lambda: 1 == len([name for _, name, _ in server.top() if name.startswith("smoke-")]))
    assert 3 == smoke("http://127.0.0.1:1").returncode


def test_a_frozen_worker_is_named_with_what_will_be_done_and_is_well_when_it_goes_on(server: ServedScoreboard) -> None:
    """In `status` within its three seconds, in the log after five; the other one serves all the while."""
    both(server)
    before, frozen = worker_pids(server), psutil.Process(worker_pids(server)[2])
    frozen.suspend()
    try:
        assert {"1 of 2 workers are ready", f"worker 2: silent; {FROZEN}"} <= set(complaints(server))
        wait_for(lambda: "worker_silent" in events_of(server))
        assert server.ready()
    finally:
        frozen.resume()
    wait_for(lambda: "worker_speaks_again" in events_of(server))
    wait_for(lambda: [] == complaints(server))
    assert before == worker_pids(server)
    [line] = [line for line in log_of(server) if line["event"] == "worker_silent"]
    assert (2, 30, "it is stopped, or") == (line["worker"], line["killed_at_s"], line["meaning"][:17])


FROZEN = "it is stopped, or its event loop hangs; after 30 s of that it is killed and replaced"


def complaints(server: ServedScoreboard) -> list[str]:
    """What `status` says that is not well, but for slow turns; asked without a start of the program."""
    [told] = ask(server.data, "status")
    return [sentence for sentence in wrong(told) if "turn of its event loop" not in sentence]


def events_of(server: ServedScoreboard) -> set[str]:
    """All kinds of lines in its log."""
    return {line["event"] for line in log_of(server)}


def test_a_frozen_postgres_is_named_refused_for_and_served_with_again_when_it_goes_on(server: ServedScoreboard) -> None:
    """All of its processes; a score is answered with 503 and when to ask again, and counts when it is repeated then."""
    player = Player(server, "Patient")
    token, key = player.token(), str(uuid4())
    processes = [each for each in server.children() if each.name() == "postgres"]
    for process in processes:
        process.suspend()
    try:
        refused = player.increment(token, key)
        assert (503, True) == (refused.status_code, int(refused.headers["Retry-After"]) >= 1)
        wait_for(lambda: not server.ready())
        found = complaints(server)
        assert {"worker 1: postgres", "worker 2: postgres"} == {sentence[:18] for sentence in found}, found
    finally:
        for process in reversed(processes):
            process.resume()
    wait_for(lambda: [] == complaints(server))
    assert server.ready()
    assert 1 == player.increment(token, key).raise_for_status().json()["newScore"]
    assert any("Postgres is away: " in line.get("message", "") for line in log_of(server))


def test_a_worker_that_was_drained_stays_away_and_the_last_one_is_not_drained(server: ServedScoreboard) -> None:
    """Until it is reloaded; asked twice, it is away all the same. `status` says what is missing."""
    here, there = both(server)
    asked = "/socket.io/?EIO=4&transport="
    polling, upgraded = (json.loads(here.get(f"{asked}polling").text[1:])["sid"] for _ in range(2))
    here.post(f"{asked}polling&sid={polling}", "40")
    while "leaderboard_update" not in there.get(f"{asked}polling&sid={polling}").text:
        pass  # the next one waits for long: nobody scores, and no ping is due
    there.send("GET", f"{asked}polling&sid={polling}")
    with there.websocket(f"{asked}websocket&sid={upgraded}") as talk:
        assert 0 == drain_beside(server, talk)
        assert (1012, "retryAfter=") == (talk.closed_with[0], talk.closed_with[1][:11])
    answer = there.heard()
    assert ("6", "close") == (answer.text, dict(answer.headers)["connection"])
    assert "ok" == here.post(f"{asked}polling&sid={polling}", "1").text
    for _ in range(2):
        drained = verb(server, "drain", "--worker", "2", "--over", "0")
        assert (0, True) == (drained.returncode, "worker 2 is away until: " in drained.stdout)
    assert {1} == set(worker_pids(server))
    assert (1, True) == (verb(server, "drain", "--worker", "1").returncode, server.ready())
    told = verb(server, "status")
    assert (1, True) == (told.returncode, "  ! worker 2: away" in told.stdout)
    assert 2 == verb(server, "reload", "--worker", "3").returncode
    assert 0 == verb(server, "reload", "--worker", "2", "--over", "0").returncode
    assert 0 == verb(server, "status").returncode


def drain_beside(server: ServedScoreboard, talk: Talk) -> int:
    """Worker 2, while somebody listens on that WebSocket to its end."""
    with ThreadPoolExecutor(1) as pool:
        listening = pool.submit(farewell_of, talk)
        status = verb(server, "drain", "--worker", "2", "--over", "0").returncode
        listening.result(30)
    return status


def test_a_drained_server_ends_and_its_verbs_say_then_that_none_runs(server: ServedScoreboard) -> None:
    """Live clients are seen off first; two who drain at once wait for the same end. Status 0, 3 afterwards."""
    both(server)
    process = server.process
    assert process is not None
    with connection_to(server, 1), ThreadPoolExecutor(2) as pool:
        drained = [pool.submit(verb, server, "drain", "--over", "0.5", "--notice", "0.5") for _ in range(2)]
        assert [0, 0] == [each.result(60).returncode for each in drained]
    assert 0 == process.wait(10)
    server.process = None
    for words in (("drain",), ("reload",), ("status",)):
        answer = verb(server, *words)
        assert 3 == answer.returncode
        assert f"no server runs in {server.data}" in answer.stdout + answer.stderr


def test_a_single_process_has_a_status_and_is_drained_but_not_reloaded(tmp_path: Path) -> None:
    """There is nobody to take its place; so it says what would help. A look changes nothing."""
    with served(tmp_path / "data") as server:
        wait_for(lambda: verb(server, "status").returncode == 0)
        told = json.loads(verb(server, "status", "--json").stdout)
        assert (0, 1) == (told["workers"][0]["worker"], told["wanted"])
        refused = verb(server, "reload")
        assert (1, True) == (refused.returncode, "--workers 2" in refused.stdout)
        assert server.process is not None
        with ThreadPoolExecutor(1) as pool:
            drained = pool.submit(verb, server, "drain", "--over", "0.2", "--notice", "1")
            wait_for(lambda: httpx.get(f"{server.url}/ready", trust_env=False).status_code == 503)
            assert 0 == drained.result(30).returncode
        assert 0 == server.process.wait(10)
        server.process = None
        assert signal.SIGTERM.name in {line.get("signal") for line in log_of(server)}


def test_a_supervised_server_is_started_again_when_it_is_killed_and_ends_with_its_supervisor(tmp_path: Path) -> None:
    """A second supervisor is refused; a signal ends both, with status 0, and nobody is left behind."""
    server = ServedScoreboard(tmp_path / "data")
    words = ["supervise", "--port", str(server.port), "--data", str(server.data)]
    with server.log.open("ab") as log:
        server.process = start_scoreboard(words, log.fileno(), {"SCOREBOARD_PASSWORDS_ROUNDS": "4"})
    try:
        wait_for(server.ready)
        player = Player(server, "Watched")
        player.score(1)
        [child] = [each for each in server.children() if "serve" in each.cmdline()]
        refused = verb(server, "supervise")
        assert (1, True) == (refused.returncode, "a server runs in" in refused.stderr)
        child.kill()
        wait_for(lambda: "server_failed" in server.log.read_text())
        wait_for(server.ready)
        assert 2 == player.increment(player.token()).json()["newScore"]
        started = server.children()
    finally:
        player.leave()
        status = server.stop()
    assert (0, []) == (status, psutil.wait_procs(started, timeout=10)[1])
