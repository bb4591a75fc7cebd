"""How the page keeps in touch with a server that comes and goes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage, Witness
from tests.browser.stage import CHANNEL, Stage

Shot = Callable[[Page, str], None]
REFUSED = r"WebSocket connection to .* failed"
UNANSWERED = r"Failed to load resource.*503"


def first(page: Page) -> str | None:
    """Who stands first."""
    return page.locator("#rows .name").first.text_content()


def test_it_is_live(stage: Stage, page: Page) -> None:
    """And says so in words, not by colour alone."""
    stage.show({"Ann": 1})
    expect(page.locator("#link")).to_have_text("Live")
    assert 1 == stage.subscriptions()
    assert not any(path.startswith("/api") for path in stage.requests)


def test_it_reconnects_by_itself(stage: Stage, page: Page) -> None:
    """And shows what happened in between."""
    stage.show({"Ann": 2, "Bob": 1})
    expect(page.locator("#link")).to_have_text("Live")
    stage.drop()
    expect(page.locator("#link")).to_contain_text("Reconnecting")
    stage.jump({"Bob": 3, "Ann": 2})
    expect(page.locator("#link")).to_have_text("Live")
    expect(page.locator("#rows .name").first).to_have_text("Bob")
    stage.show({"Bob": 3, "Ann": 4})
    expect(page.locator("#rows .name").first).to_have_text("Ann")


def test_the_wait_for_the_next_try_is_counted_down(stage: Stage, page: Page, witness: Witness, shot: Shot) -> None:
    """In whole seconds."""
    witness.tolerates = REFUSED
    stage.show({"Ann": 2})
    expect(page.locator("#link")).to_have_text("Live")
    page.clock.install()
    page.evaluate("Math.random = () => 1")
    stage.refuses_sockets = True
    stage.drop()
    expect(page.locator("#link")).to_have_text("Reconnecting in 2 s")
    shot(page, "reconnecting")


def test_a_gap_is_healed_by_a_snapshot(stage: Stage, page: Page) -> None:
    """A missed diff leads to one more subscription, and the page is right again."""
    stage.show({"Ann": 2, "Bob": 1})
    expect(page.locator("#rows tr")).to_have_count(2)
    stage.jump({"Ann": 2, "Bob": 5})
    stage.show({"Ann": 7, "Bob": 5, "Cy": 1})
    stage.wait_for(lambda: stage.subscriptions() == 2, "a second subscription")
    expect(page.locator("#rows tr")).to_have_count(3)
    expect(page.locator("#rows .col-score").nth(1)).to_have_attribute("data-score", "5")


def test_a_wrong_checksum_is_healed_by_a_snapshot(stage: Stage, page: Page) -> None:
    """What cannot be proven is not shown."""
    stage.show({"Ann": 2})
    expect(page.locator("#rows tr")).to_have_count(1)
    lie = {"rank": 1, "userId": "user_Ann", "username": "Ann", "score": 999, "lastUpdated": "2026-01-31T15:04:05Z"}
    data = {"channel": CHANNEL, "epoch": "e1", "from": 1, "to": 2, "changes": [lie], "removed": [], "check": 1}
    stage.send({"event": "leaderboard.diff", "data": data})
    stage.wait_for(lambda: stage.subscriptions() == 2, "a second subscription")
    expect(page.locator("#rows .col-score")).to_have_attribute("data-score", "2")


def test_a_refused_socket_means_polling(stage: Stage, open_page: OpenPage, witness: Witness, shot: Shot) -> None:
    """After two tries, every five seconds, and back to live when the socket works again."""
    witness.tolerates = REFUSED
    stage.refuses_sockets = True
    stage.show({"Ann": 2, "Bob": 1})
    page = open_page(before=lambda page: page.clock.install())
    expect(page.locator("#link")).to_contain_text("Reconnecting")
    page.clock.run_for(2_500)
    expect(page.locator("#link")).to_have_text("Polling every 5 s")
    expect(page.locator("#rows .name").first).to_have_text("Ann")
    shot(page, "polling")
    stage.show({"Bob": 3, "Ann": 2})
    page.clock.run_for(5_000)
    expect(page.locator("#rows .name").first).to_have_text("Bob")
    assert "/api/scores/top?limit=10" in stage.requests
    stage.refuses_sockets = False
    page.clock.run_for(60_000)
    expect(page.locator("#link")).to_have_text("Live")


def test_a_server_that_is_gone_is_told_and_found_again(stage: Stage, open_page: OpenPage, witness: Witness) -> None:
    """Neither socket nor poll is answered: the page says so, keeps what it shows, and comes back by itself."""
    witness.tolerates = f"{REFUSED}|{UNANSWERED}"
    stage.show({"Ann": 2})
    page = open_page(before=lambda page: page.clock.install())
    expect(page.locator("#link")).to_have_text("Live")
    stage.refuses_sockets = stage.refuses_polls = True
    stage.drop()
    expect(page.locator("#link")).to_contain_text("Reconnecting")
    for _ in range(2):
        page.clock.run_for(8_000)
        page.wait_for_timeout(200)
    expect(page.locator("#link")).to_contain_text("No answer")
    assert "Ann" == first(page)
    stage.refuses_sockets = stage.refuses_polls = False
    page.clock.run_for(5_000)
    expect(page.locator("#link")).to_have_text("Live")
