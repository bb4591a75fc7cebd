from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from scoreboard.__main__ import main
from scoreboard.security import services
from scoreboard.security.errors import ServiceRefused, TokenExpired, TokenRevoked, WrongKind
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.service_limits import ServiceLimits, read_rows
from scoreboard.security.services import ServiceToken, ServiceTokens
from scoreboard.security.tokens import AccessTokens
from scoreboard.server.system import SystemClock
from tests.security.rings import fresh_ring

NAMES: Any = {"issuer": "scoreboard-api", "audience": "scoreboard-client"}


RING = fresh_ring()


def command(*words: str) -> Result:
    """`scoreboard service` with these words."""
    return CliRunner().invoke(main, ["service", *words])


class Clock:
    """Seconds, as a test sets them."""

    def __init__(self) -> None:
        self.s = 1_750_000_000.0

    def __call__(self) -> float:
        return self.s

    def us(self) -> int:
        return int(self.s * 1_000_000)


def test_a_token_that_an_operator_made_is_good_until_it_is_revoked(tmp_path: Path) -> None:
    """Without a restart: the server looks again after half a second."""
    load_keys(tmp_path)
    clock = Clock()
    live = ServiceTokens(tmp_path, now_s=clock)
    made = command("add", "arena", "--days", "2", "--data", str(tmp_path))
    assert 0 == made.exit_code, made.output
    token = made.stdout.strip()
    revoked = RevokedSessions(keep_s=60, now_us=clock.us)
    now_us, ring = SystemClock().now_us, load_keys(tmp_path)
    tokens = AccessTokens(lambda: ring, revoked, **NAMES, lifetime_s=60, now_us=now_us, services=live)
    caller = tokens.verify_service(token)
    assert ("arena", "service", ("scores:batch",)) == (caller.username, caller.role, caller.permissions)
    with pytest.raises(WrongKind, match="token of a service"):
        tokens.verify(token)

    assert "arena" in command("list", "--data", str(tmp_path)).stdout
    assert 0 == command("revoke", "arena", "--data", str(tmp_path)).exit_code
    assert caller == tokens.verify_service(token)  # it has just looked
    clock.s += 0.5
    with pytest.raises(TokenRevoked):
        tokens.verify_service(token)
    assert "" == command("list", "--data", str(tmp_path)).stdout


def test_a_token_that_was_made_after_the_last_look_is_good_at_once(tmp_path: Path) -> None:
    """Its game sends as soon as it has it, maybe while others send all the time."""
    live = ServiceTokens(tmp_path, now_s=Clock())
    services.add(tmp_path, ServiceToken("arena", "0" * 16, 1, 9))
    assert ("arena", "0" * 16) in live
    services.add(tmp_path, ServiceToken("other", "1" * 16, 1, 9))
    assert ("other", "1" * 16) in live
    assert ("other", "2" * 16) not in live


def test_a_players_token_is_no_services(tmp_path: Path) -> None:
    """Whatever role the account has."""
    clock = Clock()
    tokens = AccessTokens(
        lambda: RING, RevokedSessions(keep_s=60, now_us=clock.us), **NAMES, lifetime_s=60, now_us=clock.us
    )
    token = tokens.issue(user_id="u", username="arena", role="service", session_id="0123456789abcdef")
    assert "arena" == tokens.verify(token).username
    with pytest.raises(WrongKind, match="Only a service"):
        tokens.verify_service(token)


def test_a_services_token_ends_by_itself(tmp_path: Path) -> None:
    """At the moment that was told when it was made."""
    clock = Clock()
    live = {("arena", "0123456789abcdef")}
    ended = RevokedSessions(keep_s=60, now_us=clock.us)
    tokens = AccessTokens(lambda: RING, ended, **NAMES, lifetime_s=60, now_us=clock.us, services=live)
    token = tokens.issue_for_service("arena", "0123456789abcdef", expires_s=int(clock.s) + 100)
    clock.s += 99
    tokens.verify_service(token)
    clock.s += 1
    with pytest.raises(TokenExpired):
        tokens.verify_service(token)


def test_files_and_their_folder_are_private(tmp_path: Path) -> None:
    """And one that others may write to makes no token good."""
    clock = Clock()
    services.add(tmp_path, ServiceToken("arena", "0123456789abcdef", 1, 2))
    folder = tmp_path / "services"
    (file,) = folder.iterdir()
    assert (0o700, 0o600) == (stat.S_IMODE(folder.stat().st_mode), stat.S_IMODE(file.stat().st_mode))
    assert ("arena", "0123456789abcdef") in ServiceTokens(tmp_path, now_s=clock)
    folder.chmod(0o722)
    assert ("arena", "0123456789abcdef") not in ServiceTokens(tmp_path, now_s=clock)


def test_one_token_of_several_can_be_ended(tmp_path: Path) -> None:
    """By its id; the others of the service stay good."""
    for number in range(3):
        services.add(tmp_path, ServiceToken("arena", f"{number:016x}", number, 9))
    services.add(tmp_path, ServiceToken("other", "f" * 16, 1, 9))
    assert 1 == services.revoke(tmp_path, f"{1:016x}")
    assert ["0", "2", "f"] == [token.token_id[-1] for token in services.listed(tmp_path)]
    assert 2 == services.revoke(tmp_path, "arena")
    assert 0 == services.revoke(tmp_path, "arena")


@pytest.mark.parametrize("name", ["", "A", "../x", "a.b", "a b", "-a", "a" * 41, "ä"])
def test_a_name_that_is_no_name_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    """Nothing is written."""
    with pytest.raises(ServiceRefused, match="lower-case letters"):
        services.add(tmp_path, ServiceToken(name, "0" * 16, 1, 2))
    assert [] == list(tmp_path.iterdir())


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    """In a sentence, with status 1."""
    load_keys(tmp_path)
    refused = command("add", "No Name", "--data", str(tmp_path))
    assert (1, "scoreboard: A service's name has ") == (refused.exit_code, refused.stderr[:33])
    missing = command("revoke", "arena", "--data", str(tmp_path))
    assert (1, "scoreboard: there is no token of 'arena'") == (missing.exit_code, missing.stderr[:40])


@pytest.mark.parametrize("spoilt", ["half", "open", "fields"])
def test_a_token_can_be_ended_whatever_has_become_of_its_file(tmp_path: Path, spoilt: str) -> None:
    """A restored backup or a full disk must not keep an operator from it; the list says which file it is."""
    load_keys(tmp_path)
    for name in ("arena", "other"):
        assert 0 == command("add", name, "--data", str(tmp_path)).exit_code
    (path,) = (tmp_path / "services").glob("arena.*.json")
    if spoilt == "open":
        path.chmod(0o644)
    else:
        path.write_text('{"name": "are' if spoilt == "half" else "[]")
    listed = command("list", "--data", str(tmp_path))
    assert (1, True) == (listed.exit_code, path.name in listed.stderr)
    assert "Traceback" not in listed.output
    assert listed.exception is None or isinstance(listed.exception, SystemExit)

    assert 0 == command("revoke", "other", "--data", str(tmp_path)).exit_code
    assert 0 == command("revoke", "arena", "--data", str(tmp_path)).exit_code
    assert [] == list((tmp_path / "services").iterdir())


def test_a_service_s_own_limit_is_set_changed_and_taken_away(tmp_path: Path) -> None:
    """A running server sees it within half a second; `list` tells it."""
    load_keys(tmp_path)
    clock = Clock()
    limits, data = ServiceLimits(tmp_path, now_s=clock), ("--data", str(tmp_path))
    assert limits.rows_of("arena") is None
    assert 0 == command("add", "arena", "--rows-per-minute", "500", *data).exit_code
    assert limits.rows_of("arena") is None
    clock.s += 0.5
    assert 500 == limits.rows_of("arena")
    assert "500 rows a minute" in command("list", *data).stdout
    for words, rows in ((("--rows-per-minute", "7"), 7), ((), None)):
        assert 0 == command("limit", "arena", *words, *data).exit_code
        clock.s += 0.5
        assert rows == limits.rows_of("arena")
    assert 1 == command("limit", "No name", *data).exit_code


def test_of_two_limits_the_least_holds(tmp_path: Path) -> None:
    """As for a moment while one takes the place of another; in a folder that others may write to, none does."""
    folder = tmp_path / "services"
    folder.mkdir(mode=0o700)
    for name in ("a.rows-5.limit", "a.rows-3.limit", "b.rows-x.limit", "c.rows-1.limit~"):
        (folder / name).touch()
    assert {"a": 3} == read_rows(folder)
    folder.chmod(0o777)
    assert {} == read_rows(folder)
