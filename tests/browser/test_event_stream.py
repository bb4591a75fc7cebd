"""Server-sent events, as Chromium reads them from the real server."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import Witness
from tests.served import Player, ServedScoreboard, served

OPEN = """(query) => {
  window.told = [];
  window.stream = new EventSource("/api/v1/leaderboard/stream?" + query);
  for (const name of ["leaderboard.update", "leaderboard.diff"])
    window.stream.addEventListener(name, (event) =>
      window.told.push({name, id: event.lastEventId, data: JSON.parse(event.data)}));
}"""
TICKET = """async (token) => {
  const answer = await fetch("/api/v1/live/ticket", {method: "POST", headers: {authorization: `Bearer ${token}`}});
  return (await answer.json()).data.ticket;
}"""
#: The server goes, a used ticket is refused, and what is looked at is no page and has no icon.
EXPECTED = r"Failed to load resource: (net::ERR|.*(401|404))"


@pytest.fixture(scope="module")
def server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server; not started where there is no browser to look at it."""
    with served(tmp_path_factory.mktemp("events") / "data") as running:
        yield running


@pytest.fixture
def page(chromium: Browser, server: ServedScoreboard) -> Iterator[Page]:
    """A page of the server's own origin, whose connections have had other requests."""
    witness = Witness(urlsplit(server.url).netloc)
    witness.tolerates = EXPECTED
    found = chromium.new_page(bypass_csp=True)  # what is no page of ours may not connect to anything
    witness.watch(found)
    found.goto(server.url + "/health")
    yield found
    found.close()
    witness.verify()


def wait_for(page: Page, what: str) -> None:
    """Until an expression of `told` is true."""
    page.wait_for_function(f"() => {{ const told = window.told; return {what}; }}", timeout=20_000)


def test_a_browser_shows_the_board_and_its_steps(page: Page, server: ServedScoreboard) -> None:
    """One snapshot, then differences that follow one another, each with its id."""
    player = Player(server, "Ann")
    page.evaluate(OPEN, "channel=leaderboard.top10")
    wait_for(page, "told.length === 1")
    for points in (1, 2):
        player.score(1)
        wait_for(page, f"told.some((each) => (each.data.changes ?? []).some((row) => row.score === {points}))")
    told = page.evaluate("window.told")
    assert [each["name"] for each in told] == ["leaderboard.update"] + ["leaderboard.diff"] * (len(told) - 1)
    assert told[-1]["id"] == f"{told[-1]['data']['epoch']}:{told[-1]['data']['to']}"
    player.leave()


def test_a_browser_comes_back_by_itself(page: Page, server: ServedScoreboard) -> None:
    """After a restart it gets the board anew, for that is another epoch."""
    page.evaluate(OPEN, "channel=leaderboard.top10")
    wait_for(page, "told.length === 1")
    assert server.stop() == 0
    server.start()
    wait_for(page, "told.length === 2")
    first, second = page.evaluate("window.told")
    assert first["name"] == second["name"] == "leaderboard.update"
    assert first["data"]["epoch"] != second["data"]["epoch"]


def test_a_page_sees_its_players_surroundings_with_a_ticket(page: Page, server: ServedScoreboard) -> None:
    """Which is good for one stream."""
    player = Player(server, "Eve")
    ticket = page.evaluate(TICKET, player.access_token)
    page.evaluate(OPEN, f"channel=leaderboard.around_me&ticket={ticket}")
    wait_for(page, "told.length === 1")
    player.score(1)
    wait_for(page, "told.some((each) => (each.data.changes ?? []).some((row) => row.username === 'Eve'))")
    page.evaluate("window.stream.close()")
    page.evaluate(OPEN, f"channel=leaderboard.around_me&ticket={ticket}")
    page.wait_for_function("() => window.stream.readyState === EventSource.CLOSED", timeout=20_000)
    assert page.evaluate("window.told") == []
    player.leave()
