from __future__ import annotations

import json
from dataclasses import replace

import pytest
import trio
from click.testing import CliRunner

from actors.ports import UserId
from scoreboard.__main__ import main
from tests.contract.making import NOW_US, real_world
from tests.contract.test_fraud_store import event
from tests.vault import open_stores


@pytest.mark.stores
def test_the_verb_tells_what_was_found(postgres_url: str, redis_url: str) -> None:
    """Readable or JSON, the oldest first, of one player or of all, by one rule or by all."""

    async def prepare() -> UserId:
        async with open_stores(postgres_url, redis_url) as stores:
            world = real_world(stores)
            ann, bob = await world.player("Ann"), await world.player("Bob")
            odd = replace(event(2, ann, NOW_US + 1), rule="gap", times=1, explanation="Odd\x1b[2J.")
            await world.fraud.record([event(1, ann), odd, event(3, bob, NOW_US + 2)])
            return bob

    def run(*arguments: str) -> tuple[int, list[str]]:
        result = CliRunner().invoke(main, ["fraud", "events", *arguments, "--postgres", postgres_url])
        return result.exit_code, result.output.splitlines()

    bob = trio.run(prepare)
    ever = ("--since", "2020-01-01")
    status, shown = run(*ever)
    assert (0, 3) == (status, len(shown))
    assert shown[0].endswith("Z  Ann  high, flag  rapid 3 times: Nine actions.")
    assert shown[1].endswith("  Ann  high, flag  gap: Odd\N{REPLACEMENT CHARACTER}[2J.")
    assert shown[1:2] == run(*ever, "--rule", "gap")[1] == run(*ever, "--user", "ann", "--limit", "1")[1]
    assert shown[2:] == run(*ever, "--user", bob)[1]
    [found] = [json.loads(line) for line in run(*ever, "--user", "Bob", "--json")[1]]
    assert ("Bob", bob, "high", 3) == (found["username"], found["user_id"], found["severity"], found["times"])
    assert [] == run("--since", "2100-01-01")[1]
    assert (1, ["scoreboard: there is no player 'nobody'"]) == run("--user", "nobody")
    assert 2 == run("--rule", "unheard_of")[0]
