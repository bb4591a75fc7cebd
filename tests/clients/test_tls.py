"""The Python client and a server whose certificate is of an authority that no machine knows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from scoreboard.client import NoAnswer, Status, connect
from tests.certificates import trusting
from tests.clients.test_real_server import PASSWORD, shows
from tests.integration.test_tls import settings_of
from tests.served import ServedScoreboard, served

pytestmark = pytest.mark.stores


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real one behind TLS."""
    folder = tmp_path_factory.mktemp("tls")
    with served(folder / "data", environ=settings_of(folder), secure=trusting()) as running:
        yield running


async def test_a_client_trusts_whom_it_is_told_to(server: ServedScoreboard) -> None:
    """For requests and for the live feed: it scores and sees so by its socket, without ever polling."""
    states: list[str] = []
    heard = trio.Event()

    def seen(status: Status) -> None:
        states.append(status.state)
        if status.state == "live":
            heard.set()

    async with connect(server.url, tls=trusting(), debounce_s=0, on_status=seen) as board:
        await board.register("Tessa", "tessa@example.com", PASSWORD)
        views = board.watch("leaderboard.top10")
        with trio.fail_after(30):
            await heard.wait()
        assert 1 == (await board.score()).new_score
        await shows(views, "Tessa", 1)
    assert {"connecting", "live"} >= set(states)


async def test_a_client_trusts_no_stranger(server: ServedScoreboard) -> None:
    """Without being told so it says nothing to who cannot prove to be the server: no password leaves it."""
    async with connect(server.url) as board:
        with pytest.raises(NoAnswer):
            await board.sign_in("Tessa", PASSWORD)
    async with connect(server.url, tls=trusting()) as board:
        await board.sign_in("Tessa", PASSWORD)
