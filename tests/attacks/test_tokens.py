"""Attacks on action tokens, on two servers over the same stores. Each shows what holds, and that nothing changed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.ports import UserId
from actors.user.earned import Earned
from actors.user.earned import issue as issue_earned
from actors.user.token import ActionKeys, issue
from scoreboard.stores.embedded_postgres import binary
from scoreboard.stores.embedded_valkey import binary as valkey_binary
from tests.integration.test_document_b import Gamer
from tests.served import TOP, Player, ServedScoreboard, served

pytestmark = pytest.mark.stores
CLIENTS = 100
#: All that a token could change. The audit of refusals is meant to grow.
STATE = """
SELECT md5(string_agg(t, '|' ORDER BY t)) FROM (
    SELECT 'u' || user_id || score || version || reached_at AS t FROM users
    UNION ALL SELECT 's' || s::text FROM score_updates s
    UNION ALL SELECT 't' || a::text FROM action_tokens a
    UNION ALL SELECT 'e' || e::text FROM action_evidence e
    UNION ALL SELECT 'k' || k::text FROM idempotency_keys k
) all_of_it
"""


@dataclass
class Pair:
    """Two servers that share stores and keys, and what only a test may do with them."""

    one: ServedScoreboard
    other: ServedScoreboard
    postgres_url: str
    redis_url: str

    def state(self) -> str:
        """A digest of all that a token could change."""
        return self._sql(STATE)

    def _sql(self, statement: str) -> str:
        command = [str(binary("psql")), self.postgres_url, "-qAtX", "--set=ON_ERROR_STOP=1", "-c", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout

    def scores(self) -> dict[str, int]:
        """Everybody's, as they are on disk."""
        rows = self._sql("SELECT username, score FROM users").split()
        return {name: int(score) for name, _, score in (row.partition("|") for row in rows)}

    def empty_redis(self) -> None:
        """All of it is lost."""
        command = [
            str(valkey_binary().with_name("valkey-cli")),
            "-s",
            self.redis_url.removeprefix("unix://"),
            "FLUSHALL",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=30)

    def keys(self) -> ActionKeys:
        """What the servers sign action tokens with: whoever has it can make any."""
        return ActionKeys(bytes.fromhex((self.one.data / "keys" / "action-1.key").read_text()))


@pytest.fixture
def pair(tmp_path: Path, postgres_url: str, redis_url: str) -> Iterator[Pair]:
    """Both, with a game that can be won once an hour."""
    stores = ("--postgres", postgres_url, "--redis", redis_url)
    win = ("WIN_CUP", "--points", "500", "--most", "1", "--window-s", "3600")
    command = [sys.executable, "-m", "scoreboard", "action", "add", *win, "--postgres", postgres_url]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True, timeout=60)
    unwatched = {"SCOREBOARD_FRAUD_ENABLED": "false"}  # it would ban whoever attacks, and hide what else holds
    with (
        served(tmp_path / "data", *stores, environ=unwatched) as one,
        served(tmp_path / "data", *stores, environ=unwatched) as other,
    ):
        yield Pair(one, other, postgres_url, redis_url)


def at_once(*attempts: Callable[[], Any]) -> list[Any]:
    """What came of them, begun at the same moment in a thread each."""
    gate, came = threading.Barrier(len(attempts)), list[Any]()

    def one(attempt: Callable[[], Any]) -> None:
        gate.wait(30)
        came.append(attempt())

    threads = [threading.Thread(target=one, args=(attempt,)) for attempt in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return came


def present(server: ServedScoreboard, player: Player, token: dict[str, Any]) -> object:
    """The code that a token of document A is refused with, 200 if it counts; by a client of its own."""
    answer = httpx.post(
        f"{server.url}/api/scores/increment",
        content=json.dumps({"actionToken": token}),
        headers={"Authorization": f"Bearer {player.access_token}", "Content-Type": "application/json"},
        timeout=30,
        trust_env=False,
    )
    return 200 if answer.status_code == 200 else answer.json()["code"]


def spend(server: ServedScoreboard, gamer: Gamer, action_type: str, action_id: str, earned: dict[str, Any]) -> object:
    """The reason for which a token of document B is refused, 200 if it counts."""
    there = Gamer.__new__(Gamer)
    there.__dict__.update({**gamer.__dict__, "server": server})
    answer = there.update(action_type, action_id, earned)
    return 200 if answer["success"] else answer["error"]["details"]["reason"]


def test_one_token_of_a_hundred_clients_counts_once(pair: Pair) -> None:
    """At once, on two servers, in either form; afterwards again, and after Redis was emptied: never more."""
    player, gamer, action = Player(pair.one, "Ann"), Gamer(pair.one, "Questor"), str(uuid.uuid4())
    token, earned = player.token(), gamer.complete("WIN_GAME", action)["data"]
    servers = [pair.one, pair.other] * (CLIENTS // 2)
    came = at_once(*[lambda server=server: present(server, player, token) for server in servers])
    assert {200: 1, "TOKEN_ALREADY_USED": CLIENTS - 1} == Counter(came)
    came = at_once(*[lambda server=server: spend(server, gamer, "WIN_GAME", action, earned) for server in servers])
    assert {200: 1, "used": CLIENTS - 1} == Counter(came)
    assert {"Ann": 1, "Questor": 100} == pair.scores()
    before = pair.state()
    pair.empty_redis()
    for server in (pair.one, pair.other):
        assert "TOKEN_ALREADY_USED" == present(server, player, token)
        assert "used" == spend(server, gamer, "WIN_GAME", action, earned)
    assert before == pair.state()


def test_an_action_counts_once_with_two_tokens_on_two_servers(pair: Pair) -> None:
    """And what may be done once an hour is granted once, though both servers are asked for another at once."""
    gamer, action = Gamer(pair.one, "Questor"), str(uuid.uuid4())
    there = Gamer.__new__(Gamer)
    there.__dict__.update({**gamer.__dict__, "server": pair.other})
    first, second = gamer.complete("WIN_GAME", action)["data"], there.complete("WIN_GAME", action)["data"]
    came = at_once(
        lambda: spend(pair.one, gamer, "WIN_GAME", action, first),
        lambda: spend(pair.other, gamer, "WIN_GAME", action, second),
    )
    assert {200: 1, "used": 1} == Counter(came)
    assert "ACTION_ALREADY_COMPLETED" == there.complete("WIN_GAME", action)["error"]["code"]
    asked = [lambda who=who: who.complete("WIN_CUP", str(uuid.uuid4())) for who in (gamer, there) * 5]
    told = Counter("granted" if answer["success"] else answer["error"]["code"] for answer in at_once(*asked))
    assert {"granted": 1, "RATE_LIMIT_EXCEEDED": 9} == told


def test_no_token_but_one_s_own_of_now_counts_anything(pair: Pair) -> None:
    """Another player's, one that was changed, one that has expired, one of a foreign key: in either form."""
    ann, bob = Player(pair.one, "Ann"), Player(pair.one, "Bob")
    good, keys, now_ms = bob.token(), pair.keys(), int(time.time() * 1000)
    old = issue(UserId(ann.user_id), now_ms=now_ms - 60_001, nonce="ab" * 16, keys=keys)
    foreign = issue(UserId(ann.user_id), now_ms=now_ms, nonce="ab" * 16, keys=ActionKeys(b"guessed"))
    mine = ann.token()
    bad = [
        (good, "TOKEN_INVALID"),
        ({**good, "userId": ann.user_id}, "TOKEN_INVALID"),
        ({**mine, "timestamp": mine["timestamp"] + 1}, "TOKEN_INVALID"),
        ({**mine, "nonce": mine["nonce"][:-1] + "0" if mine["nonce"][-1] != "0" else "1"}, "TOKEN_INVALID"),
        (as_json(old), "TOKEN_EXPIRED"),
        (as_json(foreign), "TOKEN_INVALID"),
    ]
    before = pair.state()
    for token, code in bad:
        for server in (pair.one, pair.other):
            assert code == present(server, ann, token)
    assert before == pair.state()


def test_no_proven_token_but_one_s_own_of_now_counts_anything(pair: Pair) -> None:
    """The same in document B's form; a token that says more points than were granted is a forgery."""
    ann, bob, action = Gamer(pair.one, "Ann"), Gamer(pair.one, "Bob"), str(uuid.uuid4())
    keys, now_us = pair.keys(), time.time_ns() // 1000
    granted = bob.complete("WIN_GAME", action)["data"]
    mine = Earned(UserId(ann.user_id), "WIN_GAME", action, 100, now_us, now_us + 300_000_000)
    token = issue_earned(mine, keys)
    bad = [
        (granted["actionToken"], "forged"),
        (issue_earned(mine._replace(expires_us=now_us), keys), "expired"),
        (issue_earned(mine, ActionKeys(b"guessed")), "forged"),
        (token[:-2] + ("AA" if token[-2:] != "AA" else "BB"), "forged"),
        (token.replace("v2.", "v1."), "forged"),
    ]
    before = pair.state()
    for text, reason in bad:
        for server in (pair.one, pair.other):
            earned = {"actionToken": text, "scoreIncrement": 100}
            assert reason == spend(server, ann, "WIN_GAME", action, earned), text
    assert before == pair.state()
    assert 200 == spend(pair.other, ann, "WIN_GAME", action, {"actionToken": token, "scoreIncrement": 100})


def as_json(token: Any) -> dict[str, Any]:
    """As document A shows it."""
    fields = {"userId": token.user_id, "timestamp": token.timestamp_ms, "nonce": token.nonce}
    return {**fields, "signature": token.signature}
