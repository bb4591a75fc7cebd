"""What becomes of each kind of transaction whose answer, or whose question, is lost on the way to Postgres.

The server cannot tell one from the other. Whoever asked hears the truth, at the latest when asking the same again, and
it was done once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import trio

from tests.integration.test_batches import operator as make_service
from tests.integration.test_batches import results, rows, send
from tests.integration.test_document_b import Gamer
from tests.integration.test_upgrades import points_in
from tests.proxied_stores import ProxiedStores, proxied_stores
from tests.served import TOP, Player, ServedScoreboard, served, wait_for
from tests.stores_fixtures import StoreServers

pytestmark = pytest.mark.stores


@dataclass(frozen=True)
class World:
    """A server whose way to Postgres loses what it is told to, an admin, and one of the game's own servers."""

    server: ServedScoreboard
    stores: ProxiedStores
    chief: Player
    service: str
    loses: str

    @contextmanager
    def losing(self, statement: str) -> Iterator[None]:
        """Once, and it must happen."""
        proxy = self.stores.postgres
        before, proxy.statement = proxy.lost, statement.encode()
        setattr(proxy, self.loses, True)
        yield
        wait_for(lambda: proxy.lost == before + 1, 20, lambda: f"nothing ran {statement}")
        proxy.statement = b""

    def player(self, name: str) -> Player:
        """A new one."""
        return Player(self.server, f"{name}{'Q' if self.loses == 'lose_request' else 'A'}")

    def acts(self, player: Player, what: str, body: dict[str, Any]) -> httpx.Response:
        """The admin does something to a player, with a key, until it is answered."""
        path, key = f"/api/v1/admin/users/{player.user_id}/{what}", {"Idempotency-Key": str(uuid.uuid4())}
        return insist(lambda: self.chief.http.post(path, json={**body, "reason": "a test"}, headers=key))

    def trail(self, player: Player, what: str) -> list[dict[str, Any]]:
        """What the audit says was done to a player."""
        path = f"/api/v1/admin/audit?userId={player.user_id}"
        events: list[dict[str, Any]] = self.chief.http.get(path).raise_for_status().json()["data"]["events"]
        return [event for event in events if event["what"] == what]


def scoreboard(world: ServedScoreboard, *words: str) -> str:
    """What a verb prints, of the stores directly."""
    command = [sys.executable, "-m", "scoreboard", *words, "--data", str(world.data)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module")
def served_world(
    store_servers: StoreServers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ServedScoreboard, ProxiedStores, Player, str]]:
    """One server for all kinds; fraud is watched, so that a sentence is passed."""
    name, url = store_servers.fresh_database()
    data = tmp_path_factory.mktemp("unknown") / "data"
    with proxied_stores(url, store_servers.redis) as stores:
        words = ("--postgres", stores.postgres_url, "--redis", stores.redis_url)
        with served(data, *words) as server:
            chief = Player(server, "Chief")
            scoreboard(server, "user", "role", "Chief", "admin", "--postgres", url)
            sign_in(chief)
            yield server, stores, chief, make_service(server, "add", "arena")
    store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["lose_answer", "lose_request"])
def world(request: pytest.FixtureRequest, served_world: tuple[ServedScoreboard, ProxiedStores, Player, str]) -> World:
    """That loses answers: what was asked stands. Or questions: it does not."""
    return World(*served_world, request.param)


def insist(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """As a client does: the same again for as long as the server says that it cannot tell."""
    answers: list[httpx.Response] = []

    def answered() -> bool:
        answers.append(ask())
        return not answers[-1].is_server_error

    wait_for(answered)
    return answers[-1]


def sign_in(player: Player) -> dict[str, Any]:
    """The answer, and the player has the new session."""
    account = {"username": player.name, "password": player.password}
    told: dict[str, Any] = insist(lambda: player.http.post("/api/auth/login", json=account)).raise_for_status().json()
    player.http.headers["Authorization"] = f"Bearer {told['accessToken']}"
    return told


def test_a_score_with_a_key_has_one_answer(world: World) -> None:
    """The first one; its token counts once."""
    player = world.player("Keyed")
    token = player.token()
    with world.losing("commit_scores"):
        answer = insist(lambda: player.increment(token, "a-key"))
    assert (200, 1) == (answer.status_code, answer.json()["newScore"])
    assert answer.json() == player.increment(token, "a-key").json()
    assert 1 == player.points()


def test_a_score_without_a_key_counts_once_and_its_token_is_used(world: World) -> None:
    """Who asks again hears that, which is the truth too."""
    player = world.player("Keyless")
    token = player.token()
    with world.losing("commit_scores"):
        first = player.increment(token)
    assert 503 == first.status_code
    assert int(first.headers["Retry-After"]) > 0
    again = insist(lambda: player.increment(token))
    assert (400, "TOKEN_ALREADY_USED") == (again.status_code, again.json()["code"])
    assert 1 == player.points()


def test_a_proof_is_kept_and_what_it_earns_counts_once(world: World) -> None:
    """Both steps of document B lose their transaction."""
    gamer, quest = Gamer(world.server, f"Quest{world.loses[5]}"), str(uuid.uuid4())

    def completed() -> dict[str, Any]:
        told: dict[str, Any] = gamer.complete("COMPLETE_QUEST", quest)
        return told

    with world.losing("INSERT INTO action_evidence"):
        earned = until_told(completed)
    with world.losing("commit_scores"):
        gamer.update("COMPLETE_QUEST", quest, earned)
    again = until_told(lambda: gamer.update("COMPLETE_QUEST", quest, earned), or_code="INVALID_ACTION_TOKEN")
    assert again == {} or again["newScore"] == 50
    assert 50 == gamer.ask("GET", f"/users/{gamer.user_id}")["data"]["score"]


def until_told(ask: Callable[[], dict[str, Any]], or_code: str = "") -> dict[str, Any]:
    """The data of the first answer that is none of a store that is away; nothing if it was refused with that code."""
    told: list[dict[str, Any]] = []

    def answered() -> bool:
        told.append(ask())
        return bool(told[-1]["success"] or told[-1]["error"]["code"] == or_code)

    wait_for(answered, 20, lambda: json.dumps(told[-1:]))
    data: dict[str, Any] = told[-1].get("data", {})
    return data


def test_a_batch_counts_each_row_once(world: World) -> None:
    """Sent again until it is answered; each row has the answer that it would have had."""
    player = world.player("Batched")
    batch = rows(player, *(f"{world.loses}/{number}" for number in range(20)))
    with world.losing("commit_scores"):
        answer = insist(lambda: send(world.server, world.service, batch))
    assert list(range(1, 21)) == [row["newScore"] for row in results(answer)]
    assert 20 == player.points()


def test_a_registration_makes_one_account(world: World) -> None:
    """Answered as if nothing had happened, for nothing is known by which a client could ask again."""
    name = world.loses.replace("_", "")
    with world.losing("INSERT INTO users"):
        player = Player(world.server, f"New{name}")
    player.score(1)
    account = {"username": player.name, "email": "else@example.com", "password": player.password}
    assert 409 == player.http.post("/api/auth/register", json=account).status_code


def test_a_sign_in_opens_one_session(world: World) -> None:
    """Beside that of the registration."""
    player = world.player("Signer")
    with world.losing("INSERT INTO sessions"):
        sign_in(player)
    assert 2 == len(player.http.get("/api/v1/users/me/sessions").json()["data"]["sessions"])


def test_a_refresh_token_has_one_successor(world: World) -> None:
    """Which is good; the one that was spent is taken for stolen by nobody."""
    player = world.player("Fresher")
    spent = sign_in(player)["refreshToken"]

    def refresh(token: str) -> httpx.Response:
        return insist(lambda: player.http.post("/api/auth/refresh", json={"refreshToken": token}))

    with world.losing("rotate_refresh"):
        successor = refresh(spent).raise_for_status().json()["refreshToken"]
    assert successor == refresh(spent).raise_for_status().json()["refreshToken"]
    assert 200 == refresh(successor).status_code


def test_a_session_that_was_ended_is_over(world: World) -> None:
    """By signing out, whichever way it was lost."""
    player = world.player("Leaver")
    with world.losing("UPDATE sessions SET revoked_at"):
        assert insist(lambda: player.http.post("/api/v1/auth/logout")).is_success
    assert 401 == player.http.get("/api/v1/users/me").status_code


def test_a_password_is_changed_once(world: World) -> None:
    """The new one lets in, the old one does not."""
    player = world.player("Changer")
    body = {"currentPassword": player.password, "newPassword": "another long secret"}
    with world.losing("UPDATE users SET password_hash"):
        assert insist(lambda: player.http.post("/api/v1/auth/password", json=body)).is_success
    old = {"username": player.name, "password": player.password}
    assert 401 == player.http.post("/api/auth/login", json=old).status_code
    player.password = "another long secret"
    sign_in(player)


def test_a_profile_is_changed(world: World) -> None:
    """And shown."""
    player = world.player("Mover")
    with world.losing("change_profile"):
        answer = insist(lambda: player.http.patch("/api/v1/users/me", json={"country": "SE"}))
    assert "SE" == answer.json()["data"]["country"]


@pytest.mark.parametrize(
    ("what", "body", "statement", "recorded"),
    [
        ("standing", {"banned": True}, "change_standing", "STANDING_CHANGED"),
        ("role", {"role": "premium"}, "change_role", "ROLE_CHANGED"),
        ("sessions/end", {}, "sign_out", "SESSIONS_ENDED"),
    ],
)
def test_an_act_of_those_in_charge_is_done_and_recorded_once(
    world: World, what: str, body: dict[str, Any], statement: str, recorded: str
) -> None:
    """And what it did holds at once."""
    player = world.player(statement.title().replace("_", ""))
    with world.losing(statement):
        assert world.acts(player, what, body).is_success
    assert 1 == len(world.trail(player, recorded))
    wait_for(lambda: player.http.get("/api/v1/users/me").status_code in (401, 403))


def test_a_sentence_of_the_watch_on_fraud_is_passed_once(world: World) -> None:
    """Whoever forged a token is banned, with one record of it and one finding."""
    player = world.player("Forger")
    player.score(1)
    token = player.token()
    with world.losing("change_standing"):
        assert player.increment({**token, "signature": "0" * 64}).is_client_error
    wait_for(lambda: len(world.trail(player, "STANDING_CHANGED")) == 1)
    wait_for(lambda: player.http.get("/api/v1/users/me").status_code in (401, 403))
    findings = world.chief.http.get(f"/api/v1/admin/fraud?userId={player.user_id}").json()["data"]["findings"]
    assert ["forged"] == [found["rule"] for found in findings]


async def test_after_all_that_the_books_are_right(
    served_world: tuple[ServedScoreboard, ProxiedStores, Player, str],
) -> None:
    """Totals are the sums of the ledger, the board is their order, and every seal holds."""
    server, stores, *_ = served_world
    await points_in(stores.direct_url)
    verify = ("audit", "verify", "--postgres", stores.direct_url)
    assert "as it was written" in await trio.to_thread.run_sync(scoreboard, server, *verify)
