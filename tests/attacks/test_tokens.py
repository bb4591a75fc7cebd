"""Attacks on action tokens, on two servers over the same stores. Each shows what holds, and that nothing changed."""

from __future__ import annotations

import json
import time
import uuid
from collections import Counter
from typing import Any

import httpx
import pytest

from actors.ports import UserId
from actors.user.earned import Earned
from actors.user.earned import issue as issue_earned
from actors.user.token import ActionKeys, issue
from tests.attacks.pair import Pair, at_once
from tests.integration.socket_game import SocketGame
from tests.integration.test_document_b import Gamer
from tests.served import Player, ServedScoreboard

pytestmark = pytest.mark.stores
CLIENTS = 100


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
    for server in (pair.one, pair.other):
        game = SocketGame(server, ann.access_token)
        for token, code in bad:
            assert code == present(server, ann, token)
            assert code == game.increment(token)["data"]["code"]
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
