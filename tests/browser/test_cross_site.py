"""What a page of another origin can do with the server of a player who is signed in next to it: nothing but look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from scoreboard.stores.embedded_postgres import running_url
from tests.attacks.state import fingerprint
from tests.browser.stage import Stage
from tests.integration.test_live_feed import ticket_of
from tests.served import Player, ServedScoreboard, served

#: Each is a function of the page: what came of it, or `refused`.
SOCKET = """(url) => new Promise((done) => {
  const socket = new WebSocket(url.replace("http", "ws"));
  socket.onopen = () => { socket.close(); done("open"); };
  socket.onerror = () => done("refused");
})"""
STREAM = """(url) => new Promise((done) => {
  const stream = new EventSource(url, {withCredentials: true});
  stream.onopen = () => { stream.close(); done("open"); };
  stream.onerror = () => { stream.close(); done("refused"); };
})"""
ASK = """([url, options]) => fetch(url, {credentials: "include", ...options})
  .then((answer) => answer.text()).catch(() => "refused")"""
SEND_BLINDLY = """([url, text]) => fetch(url, {method: "POST", mode: "no-cors", credentials: "include", body: text})
  .then((answer) => answer.type).catch(() => "refused")"""
#: A form is sent without asking anybody beforehand; its one field makes a body that looks like JSON.
FORM = """([url, text]) => {
  const form = document.createElement("form");
  const cut = text.indexOf(":") + 1;
  const field = document.createElement("input");
  form.method = "POST"; form.action = url; form.enctype = "text/plain"; form.target = "elsewhere";
  field.name = text.slice(0, cut) + '"'; field.value = '"' + text.slice(cut);
  form.append(field);
  const frame = document.createElement("iframe");
  frame.name = "elsewhere";
  document.body.append(frame, form);
  return new Promise((done) => { frame.onload = () => done("sent"); form.submit(); });
}"""
LOGIN = '{"username":"Ann","password":"Ann-Passw0rd!"}'
BLINDLY = ("/api/auth/login", "/api/auth/register", "/api/actions/token", "/api/v1/live/ticket", "/api/auth/logout")


@pytest.fixture(scope="module")
def server(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A real server that lists no other origin; not started where there is no browser to look at it."""
    with served(tmp_path_factory.mktemp("sites") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ann(server: ServedScoreboard) -> Player:
    """Who is signed in."""
    player = Player(server, "Ann")
    player.score(1)
    return player


OpenAt = Callable[[str], Page]


@pytest.fixture
def opened(chromium: Browser, server: ServedScoreboard, ann: Player) -> Iterator[OpenAt]:
    """Opens an address in the browser of the player, who has a page of the server open, and cookies if it had any."""
    context = chromium.new_context(bypass_csp=True)
    own = context.new_page()
    own.goto(f"{server.url}/health")
    own.evaluate("(token) => { localStorage.token = token; document.cookie = `token=${token}`; }", ann.access_token)

    def open_at(address: str) -> Page:
        page = context.new_page()
        page.goto(address)
        return page

    yield open_at
    context.close()


def live_feeds(server: ServedScoreboard, player: Player) -> dict[str, tuple[str, str]]:
    """By name a script and its address; in two of them stands a good ticket, as if it had been stolen."""
    polling = f"{server.url}/socket.io/?EIO=4&transport="
    stream = f"{server.url}/api/v1/leaderboard/stream"
    return {
        "websocket": (SOCKET, f"{server.url}/ws/leaderboard"),
        "websocket of document A": (SOCKET, f"{server.url}/ws"),
        "websocket with a ticket": (SOCKET, f"{server.url}/ws/leaderboard?ticket={ticket_of(player)}"),
        "socket.io": (SOCKET, f"{polling}websocket"),
        "stream": (STREAM, f"{stream}?channel=leaderboard.top10"),
        "stream with a ticket": (STREAM, f"{stream}?channel=player.me&ticket={ticket_of(player)}"),
    }


@pytest.mark.parametrize("where", ["own", "another port", "another name", "no origin"])
def test_only_pages_of_the_server_itself_open_its_live_feed(
    where: str, server: ServedScoreboard, elsewhere: Stage, ann: Player, opened: OpenAt
) -> None:
    """Whether or not they bring a ticket: a browser says where a page is from, and it is believed."""
    blank = f"{elsewhere.origin}/harness/blank.html"
    addresses = {
        "own": f"{server.url}/health",
        "another port": blank,
        "another name": f"{server.url}/health".replace("127.0.0.1", "localhost"),
        "no origin": "data:text/html,<p>nowhere</p>",
    }
    page = opened(addresses[where])
    came = {name: page.evaluate(script, url) for name, (script, url) in live_feeds(server, ann).items()}
    assert dict.fromkeys(came, "open" if where == "own" else "refused") == came


def asked(page: Page, url: str, **options: Any) -> str:
    """What a page may read of an answer, or `refused`."""
    said: str = page.evaluate(ASK, [url, options])
    return said


def test_a_page_of_another_origin_reads_no_answer(
    server: ServedScoreboard, elsewhere: Stage, ann: Player, opened: OpenAt
) -> None:
    """Not of REST, nor of Socket.IO, with a token that it has found somewhere or without."""
    page = opened(f"{elsewhere.origin}/harness/blank.html")
    proof = {"authorization": f"Bearer {ann.access_token}"}
    before = fingerprint(running_url(server.data))
    for path in ("/api/scores/top", "/api/v1/users/me", "/socket.io/?EIO=4&transport=polling", "/metrics"):
        assert "refused" == asked(page, server.url + path)
        assert "refused" == asked(page, server.url + path, headers=proof)
    for method, path in (("POST", "/api/actions/token"), ("DELETE", "/api/v1/users/me/sessions")):
        assert "refused" == asked(page, server.url + path, method=method, headers=proof)
    assert before == fingerprint(running_url(server.data))
    assert 1 == ann.points()


@pytest.mark.parametrize("path", BLINDLY)
def test_what_another_origin_sends_blindly_does_nothing(
    path: str, server: ServedScoreboard, elsewhere: Stage, ann: Player, opened: OpenAt
) -> None:
    """What needs no permission beforehand, a form or a text, is no JSON and brings no proof: cookies play no part."""
    page = opened(f"{elsewhere.origin}/harness/blank.html")
    before = fingerprint(running_url(server.data))
    assert "opaque" == page.evaluate(SEND_BLINDLY, [server.url + path, LOGIN])
    assert "sent" == page.evaluate(FORM, [server.url + path, LOGIN])
    assert before == fingerprint(running_url(server.data))
    assert ann.http.get("/api/v1/users/me").is_success
