"""What a thief of the stores, or a reader of the logs, finds of players on the real server."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from redis import Redis

from scoreboard.security.keyfolder import KeyFolder
from scoreboard.security.personal import PersonalVault
from scoreboard.stores.embedded_postgres import DATABASE, binary
from tests.integration.socket_game import SocketGame
from tests.integration.test_batches import operator as make_service
from tests.integration.test_batches import send
from tests.integration.test_document_b import now, signature
from tests.served import TOP, ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores

NAME, EMAIL, PASSWORD = "Wanda", "Wanda.Private@secluded.example", "correct-horse-battery-9"
WRONG = "not-the-password-at-all-7"
ADDRESS, AGENT = "203.0.113.77", "TellTaleBrowser/7.7"
SETTINGS = {"SCOREBOARD_LOGS_LEVEL": "debug", "SCOREBOARD_DOOR_PROXIES": "127.0.0.1/32"}


@dataclass
class Story:
    """All that somebody did, and what nobody else may read of it. `secrets` are good for something; `known` tells."""

    server: ServedScoreboard
    user_id: str = ""
    secrets: set[str] = field(default_factory=set)
    known: tuple[str, ...] = (EMAIL, EMAIL.casefold(), EMAIL.split("@", maxsplit=1)[0], ADDRESS, AGENT)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """One request from there; its answer's JSON."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"X-Forwarded-For": ADDRESS, "User-Agent": AGENT, **more}
        url = f"{self.server.url}{path}"
        kind = {"content": body, "headers": {**given, "Content-Type": "application/json"}}
        how: dict[str, Any] = kind if isinstance(body, str) else {"json": body, "headers": given}
        return httpx.request(method, url, timeout=30, trust_env=False, **how).json()

    def signed_in(self, told: dict[str, Any]) -> str:
        """Remember what came; the access token as a header."""
        self.secrets |= {told["accessToken"], told["refreshToken"], told.get("clientSecret", told["accessToken"])}
        return f"Bearer {told['accessToken']}"


def play(story: Story) -> None:
    """Register, sign in rightly and wrongly, refresh, score in every way, be refused in many."""
    account = {"username": NAME, "email": EMAIL, "password": PASSWORD}
    story.secrets |= {PASSWORD, WRONG}
    first = story.ask("POST", "/api/v1/auth/register", account, Idempotency_Key="once")["data"]
    story.user_id, bearer = first["userId"], story.signed_in(first)
    story.ask("POST", "/api/auth/register", {**account, "username": "Other"})
    story.ask("POST", "/api/auth/login", {"username": NAME, "password": WRONG})
    story.ask("POST", "/api/auth/login", f'{{"username": "{NAME}", "password": "{WRONG}", "more": ')
    story.ask("POST", "/api/auth/register", {**account, "odd": EMAIL})
    second = story.ask("POST", "/api/auth/login", {"username": NAME, "password": PASSWORD})
    story.signed_in(second)
    refresh = {"refreshToken": second["refreshToken"]}
    for _ in range(2):
        story.signed_in(story.ask("POST", "/api/auth/refresh", refresh))
    story.ask("POST", "/api/auth/refresh", {"refreshToken": "r" * 43})
    story.ask("POST", "/api/v1/auth/password", {"currentPassword": WRONG, "newPassword": WRONG}, Authorization=bearer)
    story.ask("GET", "/api/v1/users/me", Authorization=f"{bearer}x")
    score(story, bearer, first["clientSecret"])
    prove(story, bearer, first["clientSecret"])
    batch(story)
    token = story.ask("POST", "/api/actions/token", Authorization=bearer)["actionToken"]
    bad = {"actionToken": {**token, "signature": "0" * 64}}
    story.secrets |= {token["signature"], token["nonce"]}
    story.ask("POST", "/api/scores/increment", bad, Authorization=bearer)  # which bans


def score(story: Story, bearer: str, secret: str) -> None:
    """By a token of document A, twice; by another's; on the live socket; with a ticket."""
    token = story.ask("POST", "/api/actions/token", Authorization=bearer)["actionToken"]
    story.secrets |= {token["signature"], token["nonce"], secret}
    for _ in range(2):
        story.ask("POST", "/api/scores/increment", {"actionToken": token}, Authorization=bearer, Idempotency_Key="k1")
    ticket = story.ask("POST", "/api/v1/live/ticket", Authorization=bearer)["data"]["ticket"]
    story.secrets.add(ticket)
    game = SocketGame(story.server, None, f"/ws/leaderboard?ticket={ticket}")
    token = game.token()
    story.secrets |= {token["signature"], token["nonce"]}
    game.increment(token)
    game.increment(token)
    game.drop()


def prove(story: Story, bearer: str, secret: str) -> None:
    """By a proof of the game's server and a token of document B; and by proofs that are none."""
    key = bytes.fromhex((story.server.data / "keys" / "game-1.key").read_text())
    action, timestamp = str(uuid.uuid4()), now()
    proof = signature(key, f"WIN_GAME:{action}:{story.user_id}:{timestamp}")
    body = {"actionId": action, "proof": f"WIN_GAME.{timestamp}.{'0' * 64}", "timestamp": now()}
    story.ask("POST", "/api/v1/actions/complete", body, Authorization=bearer)
    body["proof"] = f"WIN_GAME.{timestamp}.{proof}"
    earned = story.ask("POST", "/api/v1/actions/complete", body, Authorization=bearer)
    token, points = earned["data"]["actionToken"], earned["data"]["scoreIncrement"]
    signed = signature(secret.encode(), f"{story.user_id}{action}{timestamp}{points}")
    story.secrets |= {token, signed}
    update = {"userId": story.user_id, "actionType": "WIN_GAME", "actionId": action, "scoreIncrement": points}
    for clients in ("0" * 64, signed):
        whole = {**update, "timestamp": timestamp, "clientSignature": clients}
        story.ask("POST", "/api/v1/scores/update", whole, Authorization=bearer, X_Action_Token=token)


def batch(story: Story) -> None:
    """By one of the game's servers; and the keys change."""
    service = make_service(story.server, "add", "arena")
    story.secrets.add(service)
    send(story.server, service, [{"userId": story.user_id, "actionId": "one"}])
    send(story.server, f"{service}x", [{"userId": story.user_id, "actionId": "two"}])
    for kind in ("action", "client", "jwt", "game", "master"):
        scoreboard(story.server, "key", "rotate", kind)


def scoreboard(server: ServedScoreboard, *words: str) -> str:
    """An operator's verb beside the running server."""
    command = [sys.executable, "-m", "scoreboard", *words, "--data", str(server.data)]
    return subprocess.run(command, cwd=TOP, check=True, capture_output=True, text=True, timeout=60).stdout


def database(server: ServedScoreboard) -> str:
    """Every row of every table, as text; bytes in hexadecimal digits."""
    sockets = (server.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[4]
    words = [str(binary("pg_dump")), "-h", sockets, "-U", "postgres", "-d", DATABASE, "--inserts", "--data-only"]
    return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout


def cache(server: ServedScoreboard) -> str:
    """Every key and value of Redis."""
    client: Any = Redis(unix_socket_path=str(next(server.data.glob("valkey/**/*.sock"))))
    read = {b"string": client.get, b"hash": client.hgetall, b"stream": client.xrange, b"set": client.smembers}
    told = []
    for key in client.keys("*"):
        kind = client.type(key)
        if kind == b"none":  # it has expired since
            continue
        value = client.zrange(key, 0, -1, withscores=True) if kind == b"zset" else read[kind](key)
        told.append(f"{key.decode()} {value!r}")
    client.close()
    return "\n".join(told)


def keys_on_disk(server: ServedScoreboard) -> set[str]:
    """The secrets in the folder of keys; of long ones the lines."""
    lines = {line for file in (server.data / "keys").iterdir() for line in file.read_text().split("\n")}
    return {line for line in lines if len(line) >= 32 and not line.startswith("-----")}


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A server on which all of it has happened; what is gathered is written by its end, and it is started again."""
    with served(tmp_path_factory.mktemp("personal") / "data", limits="on", environ=SETTINGS) as server:
        told = Story(server)
        play(told)
        assert server.stop() == 0
        server.start()
        yield told


def test_no_log_line_and_no_metric_tells_a_secret(story: Story) -> None:
    """However much is logged: no password, token, signature, ticket, key; nor an e-mail address."""
    log = story.server.log.read_text()
    metrics = httpx.get(f"{story.server.url}/metrics", trust_env=False).text
    assert '"level": "debug"' in log or '"level":"debug"' in log or "request" in log
    hidden = story.secrets | keys_on_disk(story.server) | {EMAIL, EMAIL.casefold(), EMAIL.split("@", maxsplit=1)[0]}
    assert len(hidden) > 20
    assert [] == [each for each in hidden if each in log or each in metrics]


def test_the_stores_tell_nothing_of_a_person(story: Story) -> None:
    """Neither text nor bytes of a row, nor any key or value of Redis, holds an e-mail address or where it came from."""
    dumped, cached = database(story.server), cache(story.server)
    assert NAME in dumped
    assert "score_updates" in dumped
    for each in story.known:
        found = [line[:300] for line in dumped.splitlines() if each in line or each.encode().hex() in line]
        assert [] == found, each
        assert [] == [line[:300] for line in cached.splitlines() if each in line], each


def test_those_in_charge_see_it_until_it_is_erased_and_nobody_afterwards(story: Story) -> None:
    """With the master key, and all other keys that are left."""
    shown = scoreboard(story.server, "audit", "show", "--user", NAME)
    assert f"from {ADDRESS}; agent {AGENT}" in shown
    sealed = of_player(story)
    assert {"users", "sessions", "score_updates", "action_evidence", "audit_events"} == {table for table, _ in sealed}
    assert opened(story, sealed)
    assert "is erased" in scoreboard(story.server, "user", "erase", NAME, "--yes")
    assert not opened(story, sealed)
    assert "everything is as it was written" in scoreboard(story.server, "audit", "verify")
    shown = scoreboard(story.server, "audit", "show", "--user", story.user_id, "--json")
    assert '"address": "erased"' in shown
    assert ADDRESS not in shown
    wait_for(lambda: NAME not in cache_of_now(story), 15)


def cache_of_now(story: Story) -> str:
    """What Redis tells of players now, without what it keeps of what was published."""
    return "\n".join(line for line in cache(story.server).splitlines() if ":user:" in line)


def of_player(story: Story) -> set[tuple[str, bytes]]:
    """Everything encrypted that stands under the player's key, by its table."""
    mine, found = story.user_id, set[tuple[str, bytes]]()
    wanted = {
        "users": f"SELECT email_sealed FROM users WHERE user_id = '{mine}'",
        **{
            table: f"SELECT source FROM {table} WHERE user_id = '{mine}' AND get_byte(source, 0) = 1"
            for table in ("sessions", "score_updates", "action_evidence", "audit_events")
        },
    }
    for table, query in wanted.items():
        found |= {(table, bytes.fromhex(row.removeprefix("\\x"))) for row in rows(story.server, query)}
    return found


def opened(story: Story, sealed: set[tuple[str, bytes]]) -> bool:
    """Whether whoever has the folder of keys and the whole database opens any of it."""
    masters = KeyFolder(story.server.data).masters(2e9)
    vault = PersonalVault(lambda: masters)
    named = rows(story.server, "SELECT user_id, master, wrapped FROM user_keys WHERE wrapped IS NOT NULL")
    shared = rows(story.server, "SELECT encode(convert_to(name, 'UTF8'), 'hex'), master, wrapped FROM shared_keys")
    keys = []
    for row in [*named, *shared]:
        name, master, wrapped = row.split("|")
        key = vault.unwrap(master, bytes.fromhex(wrapped.removeprefix("\\x")), bytes.fromhex(name.replace("-", "")))
        assert key is not None
        keys.append(key)
    owner = uuid.UUID(story.user_id).bytes
    return any(
        vault.decrypt(key, each[1:], each[:1] + owner + f"{table}.{column}".encode()) is not None
        for key in keys
        for table, each in sealed
        for column in ("source", "email")
    )


def rows(server: ServedScoreboard, query: str) -> list[str]:
    """What the database answers, the columns parted by `|`."""
    sockets = (server.data / "postgres" / "cluster" / "postmaster.pid").read_text().splitlines()[4]
    command = [str(binary("psql")), "-h", sockets, "-U", "postgres", "-d", DATABASE, "--no-psqlrc", "-Atc", query]
    return subprocess.run(command, check=True, capture_output=True, timeout=30, text=True).stdout.splitlines()
