"""The tool that administrators try their servers with, beside players who score."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import trio

from tests.edge.books import answers, books_of, complaints, wait_until_back
from tests.edge.players import Players
from tests.edge.slowhttptest import CONNECTIONS, MODES, attack, is_here
from tests.served import served

pytestmark = pytest.mark.stores


@pytest.mark.skipif(not is_here(), reason="THE SERVER WAS NOT TRIED WITH SLOWHTTPTEST: it is not installed")
async def test_slowhttptest_finds_a_server_that_answers_others_all_the_time(tmp_path: Path) -> None:
    """In all its modes at once. Players score on, nothing is said to be a failure, and all is given back."""
    with served(tmp_path / "data") as server:
        players, before = Players(server), books_of(server)
        async with players.scoring() as scored:
            told = await trio.to_thread.run_sync(partial(attack, server.url, tmp_path))
        assert ({}, True) == (scored.failed, scored.counted > 0)
        assert dict.fromkeys(MODES, (0, 0)) == {mode: (each.status, each.unavailable) for mode, each in told.items()}
        assert all(told[mode].most_connected > CONNECTIONS // 2 for mode in ("slow_head", "slow_body", "slow_reader"))
        await trio.to_thread.run_sync(wait_until_back, lambda: books_of(server), before)
        assert {"limits_off"} == set(complaints(server)) - {"loop_held"}  # which others may cause
        assert set() == {status for status in answers(server) if status.startswith("5")}
