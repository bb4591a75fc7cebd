from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
import trio
from click.testing import CliRunner

from actors.ports import ActionKind, EventId, StoreFault
from scoreboard.__main__ import main
from scoreboard.security.keyfolder import load_keys
from scoreboard.server.offline import record_of
from scoreboard.stores.seals import Verdict, verify
from tests.contract.making import real_world, write
from tests.stores.vault import Vault
from tests.vault import MASTER, open_stores

pytestmark = pytest.mark.stores


def test_the_verbs_tell_what_happened_and_whether_it_stands(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readable or JSON; the exit status says whether the chains hold."""
    monkeypatch.setattr("scoreboard.server.offline.MastersOnDisk", lambda *_: lambda: (MASTER,))

    async def prepare(*, spoil: bool) -> Verdict:
        async with open_stores(postgres_url, redis_url) as stores:
            world = real_world(stores)
            if spoil:
                vault = Vault(stores, world, [])
                await vault.sql("UPDATE score_updates SET score_increment = 100")
            else:
                ann = await world.player("Ann")
                await world.scores.commit([write(ann, points=7, occurred_us=await world.now_us())])
                await world.stand(ann, flagged=True)
            return await verify(stores.database)

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["audit", *arguments, "--postgres", postgres_url])
        return result.exit_code, result.output

    trio.run(partial(prepare, spoil=False))
    status, said = run("verify")
    assert (0, "3 chains, 3 batches, 1 scores, 1 events: everything is as it was written\n") == (status, said)
    status, shown = run("show", "--user", "ann", "--since", "2020-01-01")
    flagged, scored = sorted(shown.splitlines(), key=lambda line: "score" in line.split()[1])
    assert "act  Ann  STANDING_CHANGED; by operator; from 192.0.2.7; agent a browser; because for a test" in flagged
    assert "score  Ann  INCREMENT; from 192.0.2.7; agent a browser; with " in scored
    lines = [json.loads(line) for line in run("show", "--json", "--since", "2020-01-01")[1].splitlines()]
    assert {("score", 7), ("act", None)} == {(line["kind"], line["details"].get("points")) for line in lines}
    assert "" == run("show", "--since", "0m")[1]
    assert (1, "scoreboard: there is no player 'nobody'\n") == run("show", "--user", "nobody")
    assert 2 == run("show", "--since", "yesterday")[0]
    trio.run(partial(prepare, spoil=True))
    status, said = run("verify")
    assert (3, True) == (status, "a row of score_updates was changed: sealed in batch 1" in said)
    status, told = run("verify", "--json")
    assert (3, ["changed"]) == (status, [each["what"] for each in json.loads(told)["findings"]])


def test_what_an_operator_does_to_the_catalogue_is_in_the_audit(postgres_url: str) -> None:
    """What, when, and by whose account of the machine; a retirement that was none is nothing."""

    def run(*arguments: str) -> int:
        return CliRunner().invoke(main, [*arguments, "--postgres", postgres_url]).exit_code

    assert [0, 0, 1] == [
        run("action", "add", "CATCH_FISH", "--points", "3", "--why", "for the sea"),
        run("action", "retire", "CATCH_FISH"),
        run("action", "retire", "CATCH_FISH"),
    ]
    shown = CliRunner().invoke(main, ["audit", "show", "--json", "--postgres", postgres_url]).output
    put, retired = [json.loads(line) for line in shown.splitlines()]
    assert ("act", "ACTION_PUT", 3) == (put["kind"], put["what"], put["details"]["points"])
    assert ("ACTION_RETIRED", "CATCH_FISH") == (retired["what"], retired["details"]["action_type"])
    assert put["done_by"].startswith("operator:")
    assert ("for the sea", None) == (put["why"], retired["why"])
    assert put["site"].endswith(": scoreboard action add")
    assert 0 == run("audit", "verify")


def test_a_change_of_the_catalogue_and_its_record_are_one(postgres_url: str, redis_url: str) -> None:
    """What the audit does not take has not been done, either."""
    record = record_of("ACTION_PUT", None)

    async def work() -> None:
        async with open_stores(postgres_url, redis_url) as stores:
            with pytest.raises(StoreFault):
                await stores.catalogue.put(ActionKind("CATCH_FISH", 3), replace(record, times=0))
            assert "CATCH_FISH" not in await stores.catalogue.actions()
            await stores.catalogue.put(ActionKind("CATCH_FISH", 3), record)
            with pytest.raises(StoreFault):
                await stores.catalogue.retire("CATCH_FISH", replace(record, event_id=EventId(str(uuid4())), times=0))
            assert 3 == (await stores.catalogue.actions())["CATCH_FISH"]
            assert not await stores.catalogue.retire("NO_FISH", record_of("ACTION_RETIRED", None))
            assert ["ACTION_PUT"] == [event.what for event in await stores.audit.events()]

    trio.run(work)


def test_what_was_done_to_keys_is_shown_though_no_server_has_run(postgres_url: str, tmp_path: Path) -> None:
    """Whoever shows the audit carries it there, once."""
    load_keys(tmp_path)
    assert 0 == CliRunner().invoke(main, ["key", "rotate", "jwt", "--data", str(tmp_path)]).exit_code
    show = ["audit", "show", "--postgres", postgres_url]
    assert "" == CliRunner().invoke(main, show).output
    for _ in range(2):
        shown = CliRunner().invoke(main, [*show, "--data", str(tmp_path)]).output
        assert (1, True) == (shown.count("KEY_ROTATED"), "key rotate" in shown)
    assert 0 == CliRunner().invoke(main, ["audit", "verify", "--postgres", postgres_url]).exit_code
