"""Two workers on one port: any of them serves anybody, and what happens to one is not the other's."""

from __future__ import annotations

import http.client
import json
import os
import signal
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from tests.live.socketio.real_client import DEFAULT, HERE, POLLING_ONLY, RealClient, real_client
from tests.node_needed import node_or_skip
from tests.served import Player, ServedScoreboard, served, wait_for
from tests.workers import OneWorker, Told, both, log_of, worker_pids

pytestmark = pytest.mark.stores

QUICK = {"SCOREBOARD_BOARD_TICK_S": "0.05", "SCOREBOARD_SOCKETIO_PING_INTERVAL_S": "1"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One server of two workers for the tests that leave both of them running."""
    with served(tmp_path_factory.mktemp("workers") / "data", "--workers", "2", environ=QUICK) as server:
        both(server)
        yield server


def test_what_one_worker_hands_out_counts_at_the_other(server: ServedScoreboard) -> None:
    """Sign-in, token, point, board: each on another worker. What is spent here is spent there, and shown by both."""
    here, there = both(server)
    player = Player(server, "Wanda")
    headers = {"Authorization": f"Bearer {player.access_token}"}
    token = json.dumps({"actionToken": here.post("/api/actions/token", headers=headers).json()["actionToken"]})
    spent = there.post("/api/scores/increment", token, headers)
    again = here.post("/api/scores/increment", token, headers)
    assert (200, 1) == (spent.status, spent.json()["newScore"])
    assert (400, "TOKEN_ALREADY_USED") == (again.status, again.json()["code"])
    wait_for(lambda: [1, 1] == [points_at(worker, player) for worker in (here, there)])


def points_at(worker: OneWorker, player: Player) -> int:
    """What the board of that worker shows of a player."""
    rows = worker.get("/api/scores/top?limit=100").json()["leaderboard"]
    return next((int(row["score"]) for row in rows if row["userId"] == player.user_id), 0)


def test_the_numbers_of_all_workers_are_told_by_each(server: ServedScoreboard) -> None:
    """Each sample says whose it is, each name stands once, and nobody is missing."""
    for worker in both(server):
        text = worker.get("/metrics").text
        assert {'worker_up{worker="1"} 1.0', 'worker_up{worker="2"} 1.0'} <= set(text.splitlines())
        for number in (1, 2):
            assert f'event_loop_lag_seconds_count{{worker="{number}"}}' in text
        helps = [line.split()[2] for line in text.splitlines() if line.startswith("# HELP")]
        assert len(helps) == len(set(helps))


def test_every_line_of_a_worker_says_whose_it_is(server: ServedScoreboard) -> None:
    """What the parent says has no number. The port is opened when the first one is ready, and not before."""
    for worker in both(server):
        worker.get("/health")
    said = log_of(server)
    assert {1, 2} == {line.get("worker") for line in said if line["event"] in {"request", "ready"}}
    events = [line["event"] for line in said]
    assert events.index("ready") < events.index("listening") < events.index("worker_ready")
    [listening] = [line for line in said if line["event"] == "listening"]
    assert (2, None) == (listening["workers"], listening.get("worker"))
    assert {1, 2} == {line["worker"] for line in said if line["event"] == "worker_ready"}


# --- Socket.IO ---


def handshake(worker: OneWorker) -> str:
    """The id of a new session on that worker."""
    answer = worker.get("/socket.io/?EIO=4&transport=polling").text
    return str(answer.partition('"sid":"')[2].partition('"')[0])


class Polls:
    """A session of Socket.IO that polls through a worker, and what has come so far: pings and boards in between."""

    def __init__(self, worker: OneWorker, sid: str) -> None:
        self._worker = worker
        self._path = f"/socket.io/?EIO=4&transport=polling&sid={sid}"
        self._came = ""

    def post(self, packets: str | Iterable[bytes], headers: Mapping[str, str] | None = None) -> str:
        """Bring packets; what is answered."""
        return self._worker.post(self._path, packets, headers).text

    def until(self, text: str) -> Told | None:
        """Poll until this has come; the answer with which it did."""
        answer = None
        while text not in self._came:
            answer = self._worker.get(self._path)
            assert 200 == answer.status
            self._came += answer.text
        return answer


def test_a_session_id_says_which_worker_holds_it(server: ServedScoreboard) -> None:
    """By its first two digits."""
    assert ["01", "02"] == sorted(handshake(worker)[:2] for worker in both(server))


def test_polling_goes_on_whichever_worker_a_request_lands_on(server: ServedScoreboard) -> None:
    """A session of one worker, spoken to through the other only, on one connection that has other requests too."""
    here, there = both(server)
    polls = Polls(there, handshake(here))
    assert 200 == there.get("/health").status
    assert "ok" == polls.post("40")
    polls.until("40{")
    polls.until("leaderboard_update")
    assert "ok" == polls.post('42["ping","x"]', {"Expect": "100-continue"})
    answer = polls.until('42["pong","x"]')
    assert answer is not None
    assert ["date"] == [name.lower() for name, _ in answer.headers if name.lower() == "date"]
    assert "ok" == polls.post(iter([b'42["pi', b'ng","chunks"]']))
    polls.until('42["pong","chunks"]')
    assert 200 == there.get("/health").status


def test_a_poll_that_nobody_waits_for_any_more_ends_its_session_also_at_the_other_worker(
    server: ServedScoreboard,
) -> None:
    """As it does where it is held: what was meant for the client may be lost."""
    here, there = both(server)
    path = f"/socket.io/?EIO=4&transport=polling&sid={handshake(here)}"
    there.send("GET", path)
    there.close()
    wait_for(lambda: here.get(path).status == 400)
    assert "Session ID unknown" in here.get(path).text


def test_a_session_of_a_worker_that_never_was_is_unknown(server: ServedScoreboard) -> None:
    """A made-up id costs nothing but an answer."""
    for sid in ("77abc", "00abc", "xx", "1"):
        answer = both(server)[0].get(f"/socket.io/?EIO=4&transport=polling&sid={sid}")
        assert (400, 1) == (answer.status, answer.json()["code"])


@pytest.fixture
def client() -> Iterator[RealClient]:
    """The client of Socket.IO from npm; its requests land on any worker, for it keeps no connection."""
    node_or_skip(HERE)
    with real_client() as client:
        yield client


@pytest.mark.parametrize("transports", [POLLING_ONLY, DEFAULT], ids="+".join)
def test_a_real_client_of_socketio_does_not_notice_that_there_are_two(
    client: RealClient, server: ServedScoreboard, transports: list[str]
) -> None:
    """Connects, follows a board, scores, pings; with an upgrade to a WebSocket and without."""
    player = Player(server, f"Nora{len(transports)}")
    for _ in range(3):
        client.open(server.url, transports=transports, auth={"token": player.access_token})
        client.happens("connect")
        client.event("leaderboard_update")
        if transports == DEFAULT and not any(line["what"] == "upgrade" for line in client.seen):
            client.happens("upgrade")
        token = client.ask("action.token")["actionToken"]
        assert client.ask("score.increment", {"actionToken": token})["success"] is True
        client.emit("ping", "here")
        assert "here" == client.event("pong")
        client.do("close")
        client.happens("disconnect")
        client.seen.clear()
    assert 4 == player.increment(player.token()).json()["newScore"]


def test_an_upgrade_reaches_the_worker_that_holds_the_session(server: ServedScoreboard) -> None:
    """The WebSocket lands on the other one, which passes it on; both sides of the talk come through."""
    here, there = both(server)
    sid = handshake(here)
    assert "ok" == here.post(f"/socket.io/?EIO=4&transport=polling&sid={sid}", "40").text
    with there.websocket(f"/socket.io/?EIO=4&transport=websocket&sid={sid}") as talk:
        talk.say("2probe")
        assert "3probe" == talk.heard()
        talk.say("5")
        assert talk.heard().startswith("40{")
        talk.say('42["ping","through"]')
        while (said := talk.heard()) != '42["pong","through"]':
            assert said.startswith(("42[", "2"))


# --- killed, stopped, left alone ---


def test_a_worker_that_is_killed_takes_only_its_own_connections_along(server: ServedScoreboard) -> None:
    """The other's go on, whoever tries once more is served, nothing that was answered is lost, and it comes back."""
    player = Player(server, "Karl")
    headers = {"Authorization": f"Bearer {player.access_token}"}
    doomed, spared = both(server)
    pids = worker_pids(server)
    with spared.websocket("/ws/leaderboard") as talk:
        points = 0
        for count in range(30):
            if count == 10:
                os.kill(pids[doomed.number], signal.SIGKILL)
            points += _scored(server, headers)
            assert 200 == spared.get("/health").status  # so often, because one that idles for seconds is closed
        assert points == 30
        talk.say('{"event":"ping","data":{}}')
        assert "pong" in talk.heard()
    with pytest.raises((http.client.HTTPException, OSError)):
        doomed.get("/health")
    wait_for(
        lambda: len(worker_pids(server)) == 2 and worker_pids(server)[doomed.number] != pids[doomed.number],
        why_not=server.why_not,
    )
    both(server)
    assert 31 == player.increment(player.token()).json()["newScore"]
    assert worker_pids(server)[spared.number] == pids[spared.number]
    [failed] = [line for line in log_of(server) if line["event"] == "worker_failed"]
    assert (doomed.number, True) == (failed["worker"], "SIGKILL" in failed["reason"])


def _scored(server: ServedScoreboard, headers: dict[str, str]) -> int:
    """One point by a client that tries each thing once more, on a connection of its own each time."""

    def post(path: str, body: Any = None, key: str | None = None) -> Any:
        more = {} if key is None else {"Idempotency-Key": key}
        for last in (False, True):
            try:
                with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as http:
                    answer = http.post(path, json=body, headers={**headers, **more})
                    if answer.is_success or last:
                        return answer.raise_for_status().json()
            except httpx.TransportError:
                if last:
                    raise
        return None

    token = post("/api/actions/token")
    spent = post("/api/scores/increment", {"actionToken": token["actionToken"]}, key=token["actionToken"]["nonce"])
    return int(spent["success"])


def test_a_worker_that_an_operator_ends_is_replaced_and_counts_as_no_failure(server: ServedScoreboard) -> None:
    """One after the other: a restart by hand that nobody notices."""
    both(server)
    before = worker_pids(server)
    failures = [line for line in log_of(server) if line["event"] == "worker_failed"]
    os.kill(before[1], signal.SIGTERM)
    wait_for(lambda: worker_pids(server).get(1, before[1]) != before[1], why_not=server.why_not)
    both(server)
    assert before[2] == worker_pids(server)[2]
    assert failures == [line for line in log_of(server) if line["event"] == "worker_failed"]
    assert 1 in {line["worker"] for line in log_of(server) if line["event"] == "worker_left"}


def test_no_worker_outlives_its_parent_and_all_end_in_time_when_they_are_told_to(tmp_path: Path) -> None:
    """Not even one that somebody has stopped: killed, the parent leaves nobody; told to end, it ends with status 0."""
    with served(tmp_path / "data", "--workers", "2") as server:
        player = Player(server, "Stan")
        player.score(2)
        both(server)  # whoever served Stan may have been ready long before the other
        children = server.children()
        psutil.Process(worker_pids(server)[1]).suspend()
        server.kill()
        assert [] == psutil.wait_procs(children, timeout=15)[1]
        server.start()
        assert 3 == player.increment(player.token()).json()["newScore"]
        children = server.children()
        here, _ = both(server)
        with here.websocket("/ws/leaderboard"):
            psutil.Process(worker_pids(server)[2]).suspend()
            assert 0 == server.stop()  # waits no longer than it is promised
        assert [] == psutil.wait_procs(children, timeout=5)[1]
    assert "worker_did_not_stop" not in {line["event"] for line in log_of(server)}
