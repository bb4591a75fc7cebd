"""Scores in batches on the real server with the real stores, as a game's server and an operator see them."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.served import TOP, Player, ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores
PATH = "/api/v1/scores/batch"


def operator(server: ServedScoreboard, *words: str) -> str:
    """`scoreboard service` with these words, beside the running server."""
    command = [sys.executable, "-m", "scoreboard", "service", *words, "--data", str(server.data)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=30).stdout.strip()


def rows(player: Player, *actions: str) -> list[dict[str, Any]]:
    """A point for each of these actions."""
    return [{"userId": player.user_id, "actionId": action} for action in actions]


def send(server: ServedScoreboard, token: str, batch: list[dict[str, Any]]) -> httpx.Response:
    """One batch; the answer as it comes."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.post(f"{server.url}{PATH}", json={"scores": batch}, headers=headers, timeout=30, trust_env=False)


def results(answer: httpx.Response) -> list[dict[str, Any]]:
    """The results of a batch that was answered."""
    assert 200 == answer.status_code, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]["results"]
    return found


def test_every_row_counts_once_whatever_ends_the_server_in_the_middle(tmp_path: Path) -> None:
    """Killed while batches are under way, three times over; the game sends the same again until it is answered."""
    with served(tmp_path / "data") as server:
        player = Player(server, "Striker")
        token = operator(server, "add", "arena")
        batches = [rows(player, *(f"{number}/{row}" for row in range(200))) for number in range(60)]
        heard: dict[int, list[dict[str, Any]]] = {}
        senders = [threading.Thread(target=insist, args=(server, token, batches, heard, n, 4)) for n in range(4)]
        for sender in senders:
            sender.start()
        for share in (1, 3, 5):
            wait_for(lambda share=share: len(heard) >= 8 * share)  # type: ignore[misc]
            server.kill()
            server.start()
        for sender in senders:
            sender.join(120)
        assert sorted(heard) == list(range(60))
        assert 12_000 == player.points()
        told = sorted(row["newScore"] for each in heard.values() for row in each)
        assert list(range(1, 12_001)) == told
        again = results(send(server, token, batches[0]))
        assert [row["newScore"] for row in heard[0]] == [row["newScore"] for row in again]
        assert all(row["repeated"] for row in again)
        player.leave()


def insist(
    server: ServedScoreboard,
    token: str,
    batches: list[list[dict[str, Any]]],
    heard: dict[int, list[dict[str, Any]]],
    first: int,
    step: int,
) -> None:
    """Send every so many-th batch until it is answered."""
    for number in range(first, len(batches), step):
        while number not in heard:
            try:
                answer = send(server, token, batches[number])
            except httpx.TransportError:
                continue
            if answer.status_code < 500:
                heard[number] = results(answer)


def test_two_services_may_use_the_same_action_ids(server: ServedScoreboard) -> None:
    """And a player who has it from one may have it from the other."""
    player = Player(server, "Twofold")
    one, other = (operator(server, "add", name) for name in ("one", "other"))
    assert [1] == [row["newScore"] for row in results(send(server, one, rows(player, "x")))]
    assert [2] == [row["newScore"] for row in results(send(server, other, rows(player, "x")))]
    assert [1] == [row["newScore"] for row in results(send(server, one, rows(player, "x")))]
    player.leave()


def test_good_rows_count_beside_bad_ones_and_a_thousand_for_one_player(server: ServedScoreboard) -> None:
    """In one request; the ledger in the database knows each."""
    player, rival = Player(server, "Thousand"), Player(server, "Rival")
    token = operator(server, "add", "mixed")
    batch: list[Any] = rows(player, *(f"a{n}" for n in range(996)))
    batch += [None, {"userId": "nobody", "actionId": "b"}, {**rows(rival, "a0")[0]}, *rows(rival, "c")]
    found = results(send(server, token, batch))
    assert list(range(1, 997)) == [row["newScore"] for row in found[:996]]
    assert ["INVALID_INPUT", "INVALID_INPUT", "ACTION_ALREADY_COMPLETED"] == [
        row["error"]["code"] for row in found[996:999]
    ]
    assert (1, True) == (found[999]["newScore"], found[999]["success"])
    assert (996, 1) == (player.points(), rival.points())
    player.leave()
    rival.leave()


def test_a_revoked_service_is_refused_within_a_second(server: ServedScoreboard) -> None:
    """Without a restart; its other token stays good, and a player's token never was."""
    player = Player(server, "Watched")
    first = operator(server, "add", "brief")
    second = operator(server, "add", "brief")
    token_id = operator(server, "list").split("brief  ")[1].split()[0]
    assert 200 == send(server, first, []).status_code == send(server, second, []).status_code
    operator(server, "revoke", token_id)
    wait_for(lambda: 401 in (send(server, first, []).status_code, send(server, second, []).status_code))
    operator(server, "revoke", "brief")
    wait_for(lambda: {401} == {send(server, first, []).status_code, send(server, second, []).status_code})
    assert 403 == send(server, player.access_token, []).status_code
    player.leave()
