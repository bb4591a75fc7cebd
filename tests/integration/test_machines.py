"""A server on each of two machines, over one Postgres and one Redis, with a folder of keys that both have mounted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.integration.test_operators import verb
from tests.integration.test_rotation import SETTLE_S, another_key_signs, key_of_tokens
from tests.served import Player, ServedScoreboard, served, wait_for
from tests.stores_fixtures import StoreServers

pytestmark = pytest.mark.stores
#: What the servers of all machines must have in common, beside the stores.
SHARED = ("keys", "services")


def machine(home: Path, mounted: Path) -> Path:
    """The data directory of a server there."""
    home.mkdir(mode=0o700)
    for name in SHARED:
        (home / name).symlink_to(mounted / name)
    return home


@dataclass(frozen=True, slots=True)
class Machines:
    """Both servers, and the URL of their Postgres."""

    one: ServedScoreboard
    other: ServedScoreboard
    postgres_url: str

    def level(self) -> bool:
        """Whether both show the same board."""
        return self.one.top() == self.other.top()


def told(server: ServedScoreboard, *words: str) -> str:
    """What a verb of an operator prints who is at that machine."""
    done = verb(server, *words)
    assert 0 == done.returncode, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def machines(store_servers: StoreServers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Shared by the tests here."""
    home = tmp_path_factory.mktemp("machines")
    mounted = home / "mounted"
    for name in SHARED:
        (mounted / name).mkdir(mode=0o700, parents=True)
    name, url = store_servers.fresh_database()
    words = ("--postgres", url, "--redis", store_servers.redis)
    environ = {"SCOREBOARD_STORES_REDIS_PREFIX": "machines:", "SCOREBOARD_KEYS_SETTLE_S": str(SETTLE_S)}
    with (
        served(machine(home / "one", mounted), *words, environ=environ) as one,
        served(machine(home / "other", mounted), *words, environ=environ) as other,
    ):
        yield Machines(one, other, url)
    store_servers.sql(f"DROP DATABASE {name} WITH (FORCE)")


def test_a_player_goes_from_one_machine_to_another_and_back(machines: Machines) -> None:
    """With what was signed at the first: session, token, key of a retry; each point counts once and shows at both."""
    ada = Player(machines.one, "Ada")
    there = ada.moved_to(machines.other)
    token = ada.token()
    first = there.increment(token, "goal-1").raise_for_status()
    again = ada.increment(token, "goal-1")
    assert (200, first.json()) == (again.status_code, again.json())
    assert 400 <= ada.increment(token).status_code < 500
    there.score(1)
    ada.score(1)
    wait_for(machines.level)
    assert 3 == ada.points() == there.points()


def test_a_service_that_one_machine_was_told_of_sends_to_all(machines: Machines) -> None:
    """And a row that was sent to both counts once."""
    bea = Player(machines.other, "Bea")
    service = {"Authorization": f"Bearer {told(machines.one, 'service', 'add', 'arena').strip()}"}
    rows = {"scores": [{"userId": bea.user_id, "actionId": "match-1/goal-1"}]}
    for server in (machines.other, machines.one):
        answer = httpx.post(f"{server.url}/api/v1/scores/batch", headers=service, json=rows, trust_env=False)
        answer.raise_for_status()
    assert 1 == bea.points()


def test_a_polling_session_that_lands_at_another_machine_is_begun_anew(machines: Machines) -> None:
    """Its client is told that nobody knows the session there, upon which it opens another one."""
    asked = {"EIO": "4", "transport": "polling"}
    opened = httpx.get(f"{machines.one.url}/socket.io/", params=asked, trust_env=False).raise_for_status()
    session = json.loads(opened.text.removeprefix("0"))["sid"]
    answers = [
        httpx.post(f"{at.url}/socket.io/", params={**asked, "sid": session}, content="40", trust_env=False)
        for at in (machines.other, machines.one)
    ]
    assert [(400, 1), (200, None)] == [
        (each.status_code, None if each.is_success else each.json()["code"]) for each in answers
    ]


def test_keys_that_one_machine_rotates_hold_at_all(machines: Machines) -> None:
    """What was signed by the new one is good at the other machine, and what was signed before stays so."""
    cid = Player(machines.one, "Cid")
    there = cid.moved_to(machines.other)
    early, before = cid.token(), key_of_tokens(cid)
    for kind in ("action", "jwt"):
        told(machines.one, "key", "rotate", kind)
    for player in (cid, there):
        wait_for(partial(another_key_signs, player, before))
    cid.sign_in()
    anew = cid.moved_to(machines.other)
    for token in (early, cid.token()):
        anew.increment(token).raise_for_status()
    there.score(1)
    assert 3 == there.points()


def test_a_backup_made_at_one_machine_holds_the_keys_of_all(machines: Machines, tmp_path: Path) -> None:
    """Though they do not lie in its own data directory: it can be restored where neither machine is."""
    told(machines.other, "backup", str(tmp_path / "kept"), "--postgres", machines.postgres_url)
    for name in SHARED:
        here, kept = machines.other.data / name, tmp_path / "kept/files" / name
        assert sorted(file.name for file in here.iterdir()) == sorted(file.name for file in kept.iterdir())
