"""What is done to files of the data directory comes into the audit, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import socket
import time
from pathlib import Path
from typing import Any

import pytest
import trio
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from actors.ports import AuditEvent, StoreFault, StoreUnavailable
from scoreboard.__main__ import main
from scoreboard.observe.logs import make_logger
from scoreboard.security import journal
from scoreboard.security.errors import PrivateFileRefused
from scoreboard.security.keyfolder import load_keys
from scoreboard.server.acts import carry, journaled
from scoreboard.server.keychain import rotate_old_keys
from scoreboard.settings import Keys, Settings
from tests.fakes.audit import FakeAuditLog

LATER_S = journal.CUT_OFF_S + 1
ME = f"operator:{pwd.getpwuid(os.getuid()).pw_name}"


def run(data: Path, *words: str, why: str | None = "it was time", given: bytes = b"") -> int:
    """A verb; the status of its end."""
    reason = [] if why is None else ["--why", why]
    return CliRunner().invoke(main, [*words, *reason, "--data", str(data)], input=given).exit_code


def carried(data: Path, log: FakeAuditLog | None = None) -> tuple[list[AuditEvent], list[str]]:
    """What the audit has when all was carried, the oldest first; and what could not be read."""
    log = log or FakeAuditLog()

    async def work() -> tuple[list[AuditEvent], list[str]]:
        wrong = await carry(log, data)
        return (await log.events())[::-1], wrong

    return trio.run(work)


def left(data: Path) -> list[str]:
    """The files of the journal."""
    return sorted(path.name for path in (data / journal.FOLDER).iterdir())


def test_each_verb_on_keys_and_services_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, by which verb and where, from where, what, why; no variable of the environment says who it was."""
    load_keys(tmp_path)
    monkeypatch.setenv("LOGNAME", "somebody-else")
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22")
    pem = Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    done: list[tuple[tuple[str, ...], str, dict[str, Any]]] = [
        (("key", "rotate", "game", "--name", "arena"), "KEY_ROTATED", {"file": "game-arena-1.key"}),
        (("key", "add", "arena", "-"), "KEY_ADDED", {"file": "public-arena-1.pem"}),
        (("key", "retire", "game-arena-1"), "KEY_RETIRED", {"file": "game-arena-1.key.retired"}),
        (("service", "add", "match", "--days", "3"), "SERVICE_TOKEN_MADE", {"name": "match", "days": 3}),
        (("service", "limit", "match", "--rows-per-minute", "5"), "SERVICE_LIMITED", {"rows_per_minute": 5}),
        (("service", "revoke", "match"), "SERVICE_REVOKED", {"ended": 1}),
    ]
    for words, _, _ in done:
        assert 0 == run(tmp_path, *words, given=pem)
    events, wrong = carried(tmp_path)
    assert [what for _, what, _ in done] == [event.what for event in events]
    for event, (words, _, told) in zip(events, done, strict=True):
        assert told.items() <= event.details.items()
        assert event.done_by.split(" (")[0] == ME
        assert event.site == f"{socket.gethostname()}: scoreboard {words[0]} {words[1]}"
        assert ("192.0.2.7", "it was time", "act") == (event.source.address, event.why, event.kind.value)
        assert abs(event.at_us - time.time_ns() // 1000) < 60_000_000
    assert ([], []) == (wrong, left(tmp_path))


def test_looking_is_no_act(tmp_path: Path) -> None:
    """Nor is what was asked wrongly."""
    load_keys(tmp_path)
    assert 0 == run(tmp_path, "key", "rotate", "action", why=None)
    before = left(tmp_path)
    assert [0, 0, 2, 2] == [
        run(tmp_path, "key", "list", why=None),
        run(tmp_path, "service", "list", why=None),
        run(tmp_path, "key", "rotate", "everything"),
        run(tmp_path, "key", "rotate", "jwt", why="x" * 501),
    ]
    assert before == left(tmp_path)
    [event] = carried(tmp_path)[0]
    assert event.why is None


def test_what_was_refused_is_told_with_its_reason(tmp_path: Path) -> None:
    """Somebody has tried, and nothing came of it."""
    load_keys(tmp_path)
    assert [1, 1] == [run(tmp_path, "key", "retire", "jwt-1"), run(tmp_path, "service", "revoke", "nobody")]
    retired, revoked = carried(tmp_path)[0]
    assert "the only one of its kind" in str(retired.details["failed"])
    assert 0 == revoked.details["ended"]


def test_what_cannot_be_noted_is_not_done(tmp_path: Path) -> None:
    """There is no act without its record."""
    load_keys(tmp_path)
    (tmp_path / journal.FOLDER).write_text("not a folder")
    before = sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert [1, 1] == [run(tmp_path, "key", "rotate", "jwt"), run(tmp_path, "service", "add", "match")]
    assert before == sorted(path.name for path in (tmp_path / "keys").iterdir())
    assert not (tmp_path / "services").exists()


def test_what_was_cut_off_is_told_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once nothing can come of it any more; should it have ended after all, that is told beside it."""
    act_id = "11111111-1111-4111-8111-111111111111"
    said: dict[str, Any] = {
        "what": "KEY_ROTATED",
        "at_us": 1,
        "done_by": "operator:x",
        "site": "y",
        "address": None,
        "why": None,
        "details": {"kind": "jwt"},
    }
    journal.begin(tmp_path, act_id, said)
    log = FakeAuditLog()
    assert ([], []) == carried(tmp_path, log)
    now_s = time.time()
    monkeypatch.setattr("scoreboard.server.acts.time.time", lambda: now_s + LATER_S)
    [event], _ = carried(tmp_path, log)
    assert ({"kind": "jwt", "cut_off": True}, []) == (event.details, left(tmp_path))
    journal.end(tmp_path, act_id, said)
    events, _ = carried(tmp_path, log)
    assert [{"kind": "jwt"}, {"kind": "jwt", "cut_off": True}] == sorted((each.details for each in events), key=len)


def test_an_act_that_has_ended_is_never_told_as_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the process went while it was tidying up."""
    with journaled(tmp_path, "KEY_ADDED"):
        pass
    [done] = (tmp_path / journal.FOLDER).iterdir()
    shutil.copy(done, done.with_suffix(".begun"))
    now_s = time.time()
    monkeypatch.setattr("scoreboard.server.acts.time.time", lambda: now_s + LATER_S)
    [event], wrong = carried(tmp_path)
    assert ({}, [], []) == (event.details, left(tmp_path), wrong)


def test_each_act_is_taken_once_by_however_many(tmp_path: Path) -> None:
    """Two servers over one directory, one of which is cut off between the audit and the journal."""
    for number in range(5):
        with journaled(tmp_path, "KEY_ADDED", number=number):
            pass
    log, folder = FakeAuditLog(), tmp_path / journal.FOLDER
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}

    async def one() -> None:
        assert [] == await carry(log, tmp_path)

    async def both() -> None:
        async with trio.open_nursery() as nursery:
            for _ in range(2):
                nursery.start_soon(one)

    trio.run(both)
    name, content = kept.popitem()
    journal_file = folder / name
    journal_file.write_bytes(content)
    journal_file.chmod(0o600)
    events, wrong = carried(tmp_path, log)
    assert ([0, 1, 2, 3, 4], []) == (sorted(int(str(event.details["number"])) for event in events), wrong)


def test_what_another_server_has_just_taken_is_no_trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have seen that it waits."""
    monkeypatch.setattr(journal, "waiting", lambda *_, **__: iter([("11111111-1111-4111-8111-111111111111", True)]))
    assert ([], []) == carried(tmp_path)


def test_acts_wait_for_an_audit_that_is_away(tmp_path: Path) -> None:
    """Nothing is lost by that."""
    with journaled(tmp_path, "KEY_ADDED"):
        pass
    log = FakeAuditLog()
    log.faults.fail_before(StoreUnavailable())
    with pytest.raises(StoreUnavailable):
        carried(tmp_path, log)
    assert 1 == len(left(tmp_path))
    assert 1 == len(carried(tmp_path, log)[0])


@pytest.mark.parametrize("content", [b"[]", b"{", b"{}", b'{"details": 1}', b"\xff"])
def test_a_file_that_is_no_act_holds_up_no_other(tmp_path: Path, content: bytes) -> None:
    """It is told, and stays; what anybody could have written is not believed either."""
    with journaled(tmp_path, "KEY_ADDED"):
        pass
    folder = tmp_path / journal.FOLDER
    for name in ("00000000-0000-4000-8000-000000000000.done", "notes.txt"):
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    open_to_all = folder / "00000000-0000-4000-8000-000000000001.done"
    open_to_all.write_text(json.dumps({"what": "X"}))
    open_to_all.chmod(0o644)
    events, wrong = carried(tmp_path)
    assert (1, 2) == (len(events), len(wrong))
    assert 3 == len(left(tmp_path))


def test_what_the_audit_rejects_holds_up_no_other(tmp_path: Path) -> None:
    """It is told, and waits for somebody who looks."""
    for _ in range(2):
        with journaled(tmp_path, "KEY_ADDED"):
            pass
    log = FakeAuditLog()
    log.faults.fail_before(StoreFault("no"))
    events, wrong = carried(tmp_path, log)
    assert (1, ["no"], 1) == (len(events), wrong, len(left(tmp_path)))


def test_a_rotation_by_itself_is_noted(tmp_path: Path) -> None:
    """As the server's; where nothing was too old, nothing was done."""
    load_keys(tmp_path)
    log = make_logger(level="error", style="plain")
    folder = tmp_path / "keys"
    rotate_old_keys(folder, Settings(data_dir=str(tmp_path)), log)
    assert [] == left(tmp_path)
    rotate_old_keys(folder, Settings(data_dir=str(tmp_path), keys=Keys(rotate_days=1e-9)), log)
    events, _ = carried(tmp_path)
    assert {("server", "KEY_ROTATED", "older than 1e-09 days")} == {(e.done_by, e.what, e.why) for e in events}
    assert {"action-2.key", "client-1.key", "jwt-2.key"} == {str(event.details["file"]) for event in events}


def test_an_error_of_the_act_is_the_operator_s_too(tmp_path: Path) -> None:
    """It goes on as it was."""

    def fail() -> None:
        with journaled(tmp_path, "KEY_ADDED"):
            raise PrivateFileRefused("no room")

    with pytest.raises(PrivateFileRefused, match="no room"):
        fail()
    [event], _ = carried(tmp_path)
    assert {"failed": "no room"} == event.details
