"""Both clients and the real server, over its restart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from scoreboard.client import Score, Status, View, Watch, connect
from tests.clients.talking import talking
from tests.served import ServedScoreboard, served

RESTARTED_WITHIN_S = 90.0
PASSWORD = "Choose-0ne!"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server with its embedded stores."""
    with served(tmp_path_factory.mktemp("clients") / "data") as running:
        yield running


def test_the_javascript_client_scores_and_shows_over_a_restart(server: ServedScoreboard) -> None:
    """What is asked for while the server is down counts once when it is back, and the board shows it."""
    with talking(server.url) as client:
        client.do("register", name="Ann", email="ann@example.com", password=PASSWORD)
        client.until("registered")
        client.do("watch", channel="leaderboard.top10")
        client.do("score")
        assert 1 == client.until("scored")["newScore"]
        client.shows("Ann", 1)
        assert 0 == server.stop()
        client.until("status", lambda line: line["state"] == "reconnecting")
        client.do("score", within=RESTARTED_WITHIN_S * 1000)
        server.start()
        assert 2 == client.until("scored")["newScore"]
        client.shows("Ann", 2)
        client.do("score")
        assert 3 == client.until("scored")["newScore"]


async def test_the_python_client_scores_and_shows_over_a_restart(server: ServedScoreboard) -> None:
    """What is asked for while the server is down counts once when it is back, and the board shows it."""
    states: list[str] = []

    def seen(status: Status) -> None:
        states.append(status.state)

    async with connect(server.url, debounce_s=0, on_status=seen) as board:
        await board.register("Bob", "bob@example.com", PASSWORD)
        views = board.watch("leaderboard.top10")
        assert 1 == (await board.score()).new_score
        await shows(views, "Bob", 1)
        assert 0 == await trio.to_thread.run_sync(server.stop)
        scores: list[Score] = []

        async def score() -> None:
            scores.append(await board.score(within=RESTARTED_WITHIN_S))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(score)
            await trio.to_thread.run_sync(server.start)
        assert [2] == [score.new_score for score in scores]
        await shows(views, "Bob", 2)
        assert 3 == (await board.score()).new_score
    assert "reconnecting" in states


async def shows(views: Watch, name: str, score: int) -> View:
    """Waits for the view that shows it."""
    with trio.fail_after(RESTARTED_WITHIN_S):
        async for view in views:
            if (name, score) in [(row.username, row.score) for row in view.rows]:
                return view
    raise AssertionError("the views ended")
