"""The real client of Socket.IO in a real browser, on pages of the server's own host and of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.stage import Stage
from tests.live.socketio.real_client import DEFAULT, HERE, POLLING_ONLY, SOCKET_ONLY
from tests.node_needed import node_or_skip
from tests.served import Player, ServedScoreboard, served

CLIENT = HERE / "node_modules/socket.io-client/dist/socket.io.min.js"
EVERY_WAY = pytest.mark.parametrize("transports", [DEFAULT, SOCKET_ONLY, POLLING_ONLY], ids="+".join)
TALK = """([url, options]) => new Promise((done) => {
  const socket = io(url, {forceNew: true, reconnection: false, ...options});
  const upgrades = options.transports.length > 1;
  let board;
  const finish = (found) => { socket.disconnect(); done(found); };
  const look = () => {
    const transport = socket.io.engine.transport.name;
    if (board && (!upgrades || transport === "websocket")) finish({board, transport});
  };
  socket.io.on("open", () => socket.io.engine.on("upgrade", look));
  socket.on("connect_error", (error) => finish({error: error.message, data: error.data ?? null}));
  socket.on("leaderboard_update", (data) => { board = data; look(); });
})"""


@pytest.fixture(scope="module")
def server(chromium: Browser, elsewhere: Stage, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server, which lists the other host under one of its two names."""
    node_or_skip(HERE)
    listed = {"SCOREBOARD_DOOR_ORIGINS": elsewhere.origin}
    with served(tmp_path_factory.mktemp("socketio") / "data", environ=listed) as server:
        yield server


@pytest.fixture(scope="module")
def ann(server: ServedScoreboard) -> Iterator[Player]:
    """The only player."""
    player = Player(server, "Ann")
    player.score(1)
    yield player
    player.leave()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page to be, without the policy that the server gives its own."""
    context = chromium.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


def talk(page: Page, address: str, url: str, **options: Any) -> dict[str, Any]:
    """What the client finds from a page at that address: the first board, on its last transport, or an error."""
    page.goto(address)
    page.add_script_tag(path=CLIENT)
    found: dict[str, Any] = page.evaluate(TALK, [url, options])
    return found


@EVERY_WAY
def test_pages_of_the_same_host_see_the_board(
    page: Page, server: ServedScoreboard, ann: Player, transports: list[str]
) -> None:
    """On every transport, and after the change from one to the other."""
    auth = {"token": f"Bearer {ann.access_token}"}
    found = talk(page, f"{server.url}/docs", server.url, transports=transports, auth=auth)
    assert [row["username"] for row in found["board"]["data"]] == ["Ann"]
    assert found["transport"] == transports[-1]


@EVERY_WAY
def test_pages_of_listed_hosts_see_it_too(
    page: Page, server: ServedScoreboard, ann: Player, elsewhere: Stage, transports: list[str]
) -> None:
    """Also with credentials, which some proxies need to find the worker of a session."""
    blank = f"{elsewhere.origin}/harness/blank.html"
    found = talk(page, blank, server.url, transports=transports, withCredentials=True)
    assert found["transport"] == transports[-1]


@EVERY_WAY
def test_pages_of_other_hosts_do_not(
    page: Page, server: ServedScoreboard, elsewhere: Stage, transports: list[str]
) -> None:
    """Under a name that is not listed the same page is another origin."""
    blank = f"{elsewhere.origin}/harness/blank.html".replace("127.0.0.1", "localhost")
    found = talk(page, blank, server.url, transports=transports)
    assert found == {"error": {"p": "xhr poll error", "w": "websocket error"}[transports[0][0]], "data": None}


def test_a_page_is_told_why_its_token_is_refused(page: Page, server: ServedScoreboard) -> None:
    """By `connect_error`, with the code beside the sentence."""
    found = talk(page, f"{server.url}/docs", server.url, transports=DEFAULT, auth={"token": "nonsense"})
    assert found["data"] == {"code": "UNAUTHORIZED"}
    assert found["error"].startswith("Authentication failed: ")
