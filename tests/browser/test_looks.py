"""That it can be read: themes, contrast, sizes of screen, keyboard. The pictures are kept for people to look at."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.stage import Stage, row

Shot = Callable[[Page, str], None]
CLUBS = "Leicester City,Arsenal,Tottenham Hotspur,Manchester City,Manchester United,Southampton,West Ham United"
LEAGUE = {name: 81 - 5 * place for place, name in enumerate([*CLUBS.split(","), "Liverpool", "Stoke City", "Chelsea"])}
WITH_MARKS = LEAGUE | {"Arsenal": 79, "Chelsea": 48, "Liverpool": 52}
SCREENS = {
    "phone-320": (320, 700),
    "phone-390": (390, 844),
    "laptop": (1280, 800),
    "wall": (1920, 1080),
    "4k": (3840, 2160),
}


def shown(page: Page, count: int = 10) -> None:
    """Waits for the rows."""
    expect(page.locator("#rows tr")).to_have_count(count)


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("screen", ["phone-320", "phone-390", "laptop", "wall"])
def test_every_screen_shows_it_without_scrolling_sideways(
    stage: Stage, open_page: OpenPage, shot: Shot, screen: str, theme: str
) -> None:
    """From 320 pixels to the wall, in both themes."""
    width, height = SCREENS[screen]
    stage.show(LEAGUE, total=20)
    page = open_page(viewport={"width": width, "height": height}, color_scheme=theme)
    shown(page)
    stage.show(WITH_MARKS, total=20)
    expect(page.locator("#rows .gain:not(:empty)")).to_have_count(3)
    page.wait_for_timeout(900)  # for the picture only: let the glides end
    shot(page, f"{screen}-{theme}")
    assert 0 == overflow(page)


@pytest.mark.parametrize("screen", ["laptop", "wall", "4k"])
def test_a_wide_screen_shows_all_at_once(stage: Stage, open_page: OpenPage, screen: str) -> None:
    """Leader, ten rows and facts without scrolling, in type that grows with the screen."""
    width, height = SCREENS[screen]
    stage.show(LEAGUE)
    page = open_page(viewport={"width": width, "height": height})
    shown(page)
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight")
    card, unit = (page.locator(each).bounding_box() for each in ("#leader", "#leader .leader-unit"))
    assert card is not None
    assert unit is not None
    assert unit["x"] + unit["width"] <= card["x"] + card["width"]
    size = page.locator("#rows .col-score").first.evaluate("cell => parseFloat(getComputedStyle(cell).fontSize)")
    assert size >= height / 28


@pytest.mark.parametrize("screen", ["phone-320", "laptop", "wall"])
def test_long_names_and_the_greatest_scores_fit(stage: Stage, open_page: OpenPage, shot: Shot, screen: str) -> None:
    """Names end in an ellipsis and keep their full text; scores are never cut."""
    width, height = SCREENS[screen]
    long = "Wolverhampton Wanderers Football Club of the West "
    stage.show_rows([row(rank, f"{long}{rank}", 2**53 - 10**rank, f"u{rank}") for rank in range(1, 11)])
    page = open_page(viewport={"width": width, "height": height})
    shown(page)
    shot(page, f"long-{screen}")
    assert 0 == overflow(page)
    assert page.locator("#rows .name").first.evaluate("name => name.scrollWidth > name.clientWidth")
    expect(page.locator("#rows .name").first).to_have_attribute("title", f"{long}1")
    expect(page.locator("#rows .value").first).to_have_text(f"{2**53 - 10:,}")
    assert page.locator("#rows .col-score").evaluate_all(
        "all => all.every(cell => cell.scrollWidth <= cell.clientWidth)"
    )


def test_the_theme_follows_the_system_until_chosen(stage: Stage, open_page: OpenPage) -> None:
    """The choice is remembered over a reload; the button tells its state."""
    page = open_page(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    button = page.get_by_role("button", name="Dark theme")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.get_by_role("button", name="Dark theme")).to_have_attribute("aria-pressed", "true")


def test_the_keyboard_reaches_what_can_be_used(stage: Stage, page: Page) -> None:
    """The toggle first, with a visible focus; Enter works it."""
    stage.show(LEAGUE)
    shown(page)
    before = page.locator("html").get_attribute("data-theme")
    page.keyboard.press("Tab")
    expect(page.locator("#theme-toggle")).to_be_focused()
    assert "none" != page.locator("#theme-toggle").evaluate("button => getComputedStyle(button).outlineStyle")
    page.keyboard.press("Enter")
    expect(page.locator("html")).not_to_have_attribute("data-theme", str(before))


READ_CONTRAST = """(pairs) => {
  const style = getComputedStyle(document.documentElement);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (name) => {
    canvas.fillStyle = style.getPropertyValue(name);
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => {
      const value = part / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return pairs.map(([text, ground]) => {
    const [high, low] = [luminance(text), luminance(ground)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  });
}"""
TEXTS = ["--text", "--muted", "--up", "--down", "--notice"]
GROUNDS = ["--ground", "--slab", "--slab-first"]
PAIRS = [(text, ground) for text in TEXTS for ground in GROUNDS] + [
    ("--text", "--gain-wash"),
    ("--muted", "--gain-wash"),
    ("--gain-text", "--gain-ground"),
    *((text, ground) for text in ("--on-pitch", "--on-pitch-muted", "--flood") for ground in ("--mown-a", "--mown-b")),
]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_enough_contrast(open_page: OpenPage, theme: str) -> None:
    """4.5 to 1 for each colour of text on each surface that it stands on."""
    page = open_page(color_scheme=theme)
    ratios = dict(zip(PAIRS, page.evaluate(READ_CONTRAST, PAIRS), strict=True))
    assert {} == {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5}
