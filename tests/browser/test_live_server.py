"""The page and the real server, from the first point to a restart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import SHOTS, Witness
from tests.replay.test_football import EXTRACT
from tests.served import Player, ServedScoreboard, served, start_scoreboard

GONE = r"WebSocket connection to .* failed|Failed to load resource: net::ERR"
NAMES = ["Ann", "Bob", "Cyd", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon", "Kim", "Lea", "Max"]
SAME_WITHIN_MS = 20_000


@pytest.fixture(scope="module")
def server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server with its embedded stores; not started where there is no browser to look at it."""
    with served(tmp_path_factory.mktemp("live") / "data") as running:
        yield running


@pytest.fixture
def live_witness(server: ServedScoreboard) -> Iterator[Witness]:
    """Holds after the test that nothing failed unseen."""
    witness = Witness(urlsplit(server.url).netloc)
    yield witness
    witness.verify()


@pytest.fixture
def live_page(chromium: Browser, server: ServedScoreboard, live_witness: Witness) -> Iterator[Page]:
    """The page as this server serves it, marked so that a reload would show."""
    page = chromium.new_page()
    live_witness.watch(page)
    page.goto(server.url + "/")
    page.evaluate("window.neverReloaded = true")
    yield page
    assert page.evaluate("window.neverReloaded")
    page.close()


READ_ROWS = """() => [...document.querySelectorAll("#rows tr")].map((row) => [
  row.querySelector(".col-rank").textContent,
  row.querySelector(".name").textContent,
  row.querySelector(".col-score").dataset.score,
])"""


def shown_rows(page: Page) -> list[tuple[int, str, int]]:
    """Rank, name and score of each row on the page."""
    return [(int(rank), name, int(score)) for rank, name, score in page.evaluate(READ_ROWS)]


def same_as_the_api(page: Page, server: ServedScoreboard) -> bool:
    """Whether the page and the API agree now."""
    return server.top() == shown_rows(page)


def wait_until_same(page: Page, server: ServedScoreboard) -> None:
    """Waits until page and API agree; the board's tick is a second."""
    for _ in range(SAME_WITHIN_MS // 100):
        if same_as_the_api(page, server):
            return
        page.wait_for_timeout(100)
    assert server.top() == shown_rows(page)


def test_the_page_follows_the_api_while_scores_run(live_page: Page, server: ServedScoreboard) -> None:
    """The same ten rows, live, from an empty board on, and never by a reload or a poll."""
    asked: list[str] = []
    live_page.on("request", lambda request: asked.append(request.url))
    expect(live_page.get_by_role("heading", name="No scores yet")).to_be_visible()
    expect(live_page.locator("#link")).to_have_text("Live")
    players = [Player(server, name) for name in NAMES]
    with ThreadPoolExecutor(4) as crowd:
        for turn in range(3):
            points = [(place * (5 + turn * 2)) % 13 + 1 for place in range(len(players))]
            list(crowd.map(Player.score, players, points))
            wait_until_same(live_page, server)
    expect(live_page.locator("#rows tr")).to_have_count(10)
    expect(live_page.locator("#total")).to_have_text(str(len(NAMES)))
    expect(live_page.locator("#leader-name")).to_have_text(server.top()[0][1])
    assert [] == asked
    for player in players:
        player.leave()


def test_the_page_outlives_a_restart_of_the_server(
    live_page: Page, server: ServedScoreboard, live_witness: Witness
) -> None:
    """It says that the line is down, keeps the table, and is live again by itself on the same data."""
    live_witness.tolerates = GONE
    expect(live_page.locator("#link")).to_have_text("Live")
    before = server.top()
    assert 0 == server.stop()
    expect(live_page.locator("#link")).not_to_have_text("Live")
    server.start()
    expect(live_page.locator("#link")).to_have_text("Live", timeout=60_000)
    wait_until_same(live_page, server)
    assert before == server.top()


def test_a_season_runs_through_the_api_and_the_page_ends_with_the_same_table(
    live_page: Page, server: ServedScoreboard, tmp_path: Path
) -> None:
    """The Premier League of 2015-16 is played while somebody watches; right to the last point, without a reload."""
    season = ["--season", "2015-16", "--division", "Premier League", "--speed", "max"]
    words = ["replay", str(EXTRACT), *season, "--url", server.url, "--journal", str(tmp_path / "journal")]
    with (tmp_path / "replay.log").open("wb") as log:
        replay = start_scoreboard(words, log.fileno())
    leaders: set[str] = set()
    while replay.poll() is None:
        leaders.update(name for rank, name, _ in shown_rows(live_page) if rank == 1)
        live_page.wait_for_timeout(200)
    wait_until_same(live_page, server)

    assert 0 == replay.returncode, (tmp_path / "replay.log").read_text()
    assert (1, "Leicester City", 81) == shown_rows(live_page)[0]
    assert len(leaders) > 1, "the table never moved"
    live_page.screenshot(path=SHOTS / "season.png")
