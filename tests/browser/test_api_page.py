"""The page to try the API on, and pages of other origins, in a real Chromium before a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.served import ServedScoreboard

pytestmark = pytest.mark.stores

#: Reads as a page of another origin does: plainly, with headers that need asking beforehand, and headers of the answer.
FETCH = """async ([url, token]) => {
  const plain = await fetch(url + "/api/scores/top");
  const key = {"Authorization": "Bearer " + token, "Idempotency-Key": "k"};
  const asked = await fetch(url + "/api/actions/token", {method: "POST", headers: key});
  return [plain.status, plain.headers.get("etag") !== null, asked.status, asked.headers.get("x-request-id") !== null];
}"""


class _Blank(BaseHTTPRequestHandler):
    """An empty page at every address."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def blank_pages() -> Iterator[str]:
    """The origin of a server of empty pages without any policy."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Blank) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def other() -> Iterator[str]:
    """Another origin, which is let in."""
    with blank_pages() as origin:
        yield origin


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, other: str) -> Iterator[ServedScoreboard]:
    """A server that lets that origin in."""
    data = tmp_path_factory.mktemp("api_page") / "data"
    server = ServedScoreboard(data, environ={"SCOREBOARD_DOOR_ORIGINS": other})
    server.start()
    yield server
    server.stop()


Shot = Callable[[Page, str], None]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_shows_the_api_under_the_strict_policy(
    chromium: Browser, server: ServedScoreboard, shot: Shot, theme: Literal["light", "dark"], width: int
) -> None:
    """Every group is there, nothing is loaded from elsewhere, nothing is complained of, and nothing sticks out."""
    complaints: list[str] = []
    foreign: list[str] = []
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=theme)
    page = context.new_page()
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda asked: foreign.append(asked.url) if not _is_ours(asked.url, server) else None)
    page.goto(f"{server.url}/api/docs")
    expect(page.locator(".opblock-tag")).to_have_count(3)
    expect(page.locator("[id*=get_api_scores_top]").first).to_be_visible()
    shot(page, f"api_{theme}_{width}")
    assert (theme == "dark") == page.evaluate("document.documentElement.classList.contains('dark-mode')")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()
    assert ([], []) == (complaints, foreign)


def _is_ours(url: str, server: ServedScoreboard) -> bool:
    return url.startswith((server.url, "data:", "blob:"))


def test_a_call_can_be_tried_on_the_page(chromium: Browser, server: ServedScoreboard) -> None:
    """Against the server that shows it."""
    page = chromium.new_page()
    page.goto(f"{server.url}/api/docs")
    block = page.locator("[id*=get_api_scores_top]").first
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table tbody .response-col_status").first).to_contain_text("200")
    page.close()


def test_a_page_of_a_listed_origin_may_use_the_api(chromium: Browser, server: ServedScoreboard, other: str) -> None:
    """Also with headers that the browser asks for beforehand; and it sees those of the answer that it needs."""
    page = chromium.new_page()
    page.goto(other)
    assert [200, True, 401, True] == _fetched(page, server)
    page.close()


def test_a_page_of_another_origin_may_not(chromium: Browser, server: ServedScoreboard) -> None:
    """The browser keeps the answer from it."""
    with blank_pages() as stranger:
        page = chromium.new_page()
        page.goto(stranger)
        asked = "url => fetch(url + '/api/scores/top').then(() => '', error => error.message)"
        assert "Failed to fetch" == page.evaluate(asked, server.url)
        page.close()


def _fetched(page: Page, server: ServedScoreboard) -> Any:
    return page.evaluate(FETCH, [server.url, "none"])
