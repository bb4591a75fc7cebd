"""What people see and hear of a board that changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.stage import Stage, row

Shot = Callable[[Page, str], None]
PLAYERS = ["Ann", "Bob", "Cy", "Dee", "Eve", "Fay", "Gus", "Hal", "Ida", "Jon"]
LEAGUE = {name: 40 - 3 * place for place, name in enumerate(PLAYERS)}


def names(page: Page) -> list[str]:
    """The players in the order of the rows."""
    return page.locator("#rows .name").all_text_contents()


def scores(page: Page) -> list[str | None]:
    """Their true points, not those that a number is counting through."""
    return [cell.get_attribute("data-score") for cell in page.locator("#rows .col-score").all()]


def settle(page: Page) -> None:
    """Waits until every glide and mark has ended, and what waits for a frame is shown."""
    frames = "do await new Promise(requestAnimationFrame); while (document.getAnimations().length)"
    page.evaluate(f"async () => {{ {frames} }}")


def test_the_top_ten_are_shown(stage: Stage, page: Page) -> None:
    """In order, with their points, and how many play at all."""
    stage.show(LEAGUE, total=12_345)
    expect(page.locator("#rows tr")).to_have_count(10)
    assert (list(LEAGUE), [str(score) for score in LEAGUE.values()]) == (names(page), scores(page))
    expect(page.locator("#total")).to_have_text("12,345")
    expect(page.locator("#leader-name")).to_have_text("Ann")
    expect(page).to_have_title("Ann leads with 40 - Scoreboard")


def test_rows_move_when_ranks_change(stage: Stage, page: Page, shot: Shot) -> None:
    """A player's row stays the same element and glides from its old place to the new one."""
    stage.show(LEAGUE)
    jon = page.locator("#rows tr", has_text="Jon").element_handle()
    old_top = jon.bounding_box()["y"]  # type: ignore[index]
    page.evaluate(WATCH_GLIDES)
    stage.show(LEAGUE | {"Jon": 35})
    expect(page.locator("#rows tr").nth(2)).to_contain_text("Jon")
    shot(page, "moving")
    expect(page.locator("#rows tr").nth(2).locator(".move")).to_contain_text("Up 7")
    expect(page.locator("#rows tr").nth(2).locator(".gain")).to_have_text("+22")
    settle(page)
    assert page.evaluate("jon => jon.rowIndex", jon) == 3
    assert jon.bounding_box()["y"] < old_top  # type: ignore[index]
    assert page.evaluate("window.glides").count("Jon") == 1


WATCH_GLIDES = """() => {
  window.glides = [];
  const animate = Element.prototype.animate;
  Element.prototype.animate = function (frames, options) {
    const name = this.querySelector?.(".name")?.textContent;
    if (name && String(frames[0].transform).startsWith("translateY(")) window.glides.push(name);
    return animate.call(this, frames, options);
  };
}"""

COUNT_FRAMES = """() => {
  window.frameCount = 1;
  const next = () => { window.frameCount += 1; requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def test_scores_count_up(stage: Stage, page: Page) -> None:
    """On the way from the old score to the new one others are seen; the last one is exact."""
    stage.show({"Ann": 1_000})
    expect(page.locator("#rows .value")).to_have_text("1,000")
    page.evaluate(
        """() => {
          window.seen = [];
          const value = document.querySelector("#rows .value");
          new MutationObserver(() => window.seen.push(value.textContent)).observe(value, { childList: true });
        }"""
    )
    stage.show({"Ann": 9_000})
    expect(page.locator("#rows .value")).to_have_text("9,000")
    assert len(page.evaluate("window.seen")) > 2


def test_marks_fade(stage: Stage, page: Page) -> None:
    """Arrow and gain are gone after a while, for the eye and for a screen reader."""
    stage.show(LEAGUE)
    expect(page.locator("#rows tr")).to_have_count(10)
    stage.show(LEAGUE | {"Bob": 41})
    expect(page.locator("#rows tr").first.locator(".gain")).to_have_text("+4")
    settle(page)
    expect(page.locator("#rows .move:not(:empty)")).to_have_count(0)
    expect(page.locator("#rows .gain:not(:empty)")).to_have_count(0)


def test_a_new_leader_has_a_moment_and_is_announced_once(stage: Stage, open_page: OpenPage, shot: Shot) -> None:
    """Politely, and nothing else is: not the first board, not a gain of the leader."""
    stage.show(LEAGUE)
    page = open_page()
    expect(page.locator("#leader-name")).to_have_text("Ann")
    expect(page.locator("#announcer")).to_be_empty()
    stage.show(LEAGUE | {"Bob": 41})
    expect(page.locator("#announcer")).to_have_text("Bob takes the lead with 41 points")
    expect(page.locator("#leader-title")).to_have_text("New leader")
    expect(page.locator("#leader-note")).to_have_text("1 point ahead of Ann")
    shot(page, "new-leader")
    stage.show(LEAGUE | {"Bob": 44})
    expect(page.locator("#leader-score")).to_have_text("44")
    expect(page.locator("#announcer")).to_have_text("Bob takes the lead with 41 points")
    expect(page.locator("#leader-title")).to_have_text("In the lead")


def test_the_announcer_is_the_only_live_region(stage: Stage, page: Page) -> None:
    """A table that ticks every second must not be read out every second."""
    stage.show(LEAGUE)
    assert ["announcer"] == page.eval_on_selector_all(
        "[aria-live], [role=status], [role=alert]", "all => all.map(e => e.id)"
    )
    expect(page.locator("#announcer")).to_have_attribute("aria-live", "polite")


def test_those_level_on_points_are_marked(stage: Stage, page: Page) -> None:
    """With a mark beside each and a line that explains it; without ties neither is there."""
    stage.show({"Ann": 5, "Bob": 5, "Cy": 1})
    expect(page.locator("#rows .tie:visible")).to_have_count(2)
    expect(page.locator("#tie-note")).to_be_visible()
    expect(page.locator("#leader-note")).to_have_text("Level with Bob, but got there first")
    stage.show({"Ann": 6, "Bob": 5, "Cy": 1})
    expect(page.locator("#rows .tie:visible")).to_have_count(0)
    expect(page.locator("#tie-note")).to_be_hidden()


def test_an_empty_board_tells_how_to_send_the_first_score(stage: Stage, page: Page, shot: Shot) -> None:
    """With this server's own address; the table comes with the first player."""
    expect(page.get_by_role("heading", name="No scores yet")).to_be_visible()
    expect(page.locator("#recipe")).to_contain_text(f"{stage.origin}/api/scores/increment")
    expect(page.get_by_role("table")).to_be_hidden()
    shot(page, "empty")
    stage.show({"Ann": 1})
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.get_by_role("heading", name="No scores yet")).to_be_hidden()
    expect(page.locator("#leader-unit")).to_have_text("point")


def test_players_without_a_point_do_not_lead(stage: Stage, page: Page) -> None:
    """They are on the board; the lead is still to be taken."""
    stage.show({"Ann": 0, "Bob": 0})
    expect(page.locator("#rows tr")).to_have_count(2)
    expect(page.locator("#leader-name")).to_have_text("Nobody yet")


HOSTILE = "<img src=x onerror=alert(1)>"


def test_names_are_text_and_nothing_else(stage: Stage, page: Page) -> None:
    """In the table, the banner, the announcement, the latest points and the title."""
    page.on("dialog", lambda _: pytest.fail("a name was run"))
    stage.show_rows([row(1, "Ann", 2), row(2, HOSTILE, 1, "u1")])
    expect(page.locator("#rows .name").nth(1)).to_have_text(HOSTILE)
    stage.show_rows([row(1, HOSTILE, 3, "u1"), row(2, "Ann", 2)])
    expect(page.locator("#leader-name")).to_have_text(HOSTILE)
    expect(page.locator("#announcer")).to_contain_text(HOSTILE)
    expect(page.locator(".latest-name").first).to_have_text(HOSTILE)
    expect(page).to_have_title(f"{HOSTILE} leads with 3 - Scoreboard")
    assert 0 == page.locator("img:not(.brand img)").count()


def test_a_screen_reader_finds_a_table(stage: Stage, page: Page) -> None:
    """A caption, column heads, and each player as the head of a row."""
    stage.show(LEAGUE)
    table = page.get_by_role("table", name="Top ten players by score, live")
    expect(table.get_by_role("columnheader")).to_have_count(5)
    expect(table.get_by_role("rowheader")).to_have_count(10)
    expect(table.get_by_role("rowheader", name="Ann")).to_be_visible()
    expect(table.get_by_role("row").nth(2)).to_contain_text("Bob")
    expect(page.get_by_role("main")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Scoreboard")


def test_with_reduced_motion_nothing_glides(stage: Stage, open_page: OpenPage) -> None:
    """The rows change places at once; scores do not count."""
    page = open_page(reduced_motion="reduce")
    stage.show(LEAGUE)
    expect(page.locator("#rows tr")).to_have_count(10)
    page.evaluate(WATCH_GLIDES)
    stage.show(LEAGUE | {"Jon": 50})
    expect(page.locator("#rows tr").first).to_contain_text("Jon")
    assert ([], "50") == (page.evaluate("window.glides"), page.locator("#rows .value").first.text_content())
    expect(page.locator("#rows tr").first.locator(".gain")).to_have_text("+37")


def test_a_burst_is_shown_once_a_frame(stage: Stage, page: Page) -> None:
    """Fifty boards that arrive together are few updates of the page, and the last one stands."""
    stage.show(LEAGUE)
    expect(page.locator("#rows tr")).to_have_count(10)
    page.evaluate(WATCH_GLIDES)
    page.evaluate(COUNT_FRAMES)
    for gain in range(50):
        stage.show(LEAGUE | {"Jon": 13 + gain})
    expect(page.locator("#rows tr").first.locator(".col-score")).to_have_attribute("data-score", "62")
    glides, frames = page.evaluate("[window.glides, window.frameCount]")
    assert glides.count("Jon") <= frames  # few where the machine has time, for then few frames pass meanwhile


def test_a_hidden_page_catches_up_without_a_storm(stage: Stage, page: Page) -> None:
    """What happened unseen is shown as it is now: no glide, no gain; who leads is told."""
    stage.show(LEAGUE)
    stage.show(LEAGUE | {"Jon": 14})
    expect(page.locator("#rows tr").last.locator(".col-score")).to_have_attribute("data-score", "14")
    settle(page)  # nothing is on its way, not even a frame
    page.evaluate(WATCH_GLIDES)
    page.evaluate(HIDE)
    asked = stage.subscriptions()
    for gain in range(5):
        stage.show(LEAGUE | {"Jon": 100 + gain})
    stage.jump(LEAGUE | {"Jon": 104})
    stage.show(LEAGUE | {"Jon": 104})  # does not fit: whoever asks for a snapshot has heard all that came before
    stage.wait_for(lambda: stage.subscriptions() > asked, "the hidden page asks for a snapshot")
    page.evaluate(SHOW)
    expect(page.locator("#rows tr").first.locator(".col-score")).to_have_attribute("data-score", "104")
    assert [] == page.evaluate("window.glides")
    expect(page.locator("#rows .gain:not(:empty)")).to_have_count(0)
    expect(page.locator("#announcer")).to_contain_text("Jon takes the lead")


# Headless Chromium never hides a page, so the two things that hiding does are done by hand.
HIDE = """() => {
  window.waiting = [];
  window.realFrame = window.requestAnimationFrame;
  window.requestAnimationFrame = (run) => window.waiting.push(run);
  Object.defineProperty(document, "hidden", { value: true, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
SHOW = """() => {
  window.requestAnimationFrame = window.realFrame;
  Object.defineProperty(document, "hidden", { value: false, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  for (const run of window.waiting) window.requestAnimationFrame(run);
}"""
