"""The page behind a certificate of the server's own, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.certificates import trusting, write_certificate
from tests.served import Player, served


def test_the_page_moves_through_tls(chromium: Browser, tmp_path: Path) -> None:
    """Its WebSocket too, and the policy of the page lets it."""
    certificate, private_key = write_certificate(tmp_path)
    environ = {"SCOREBOARD_DOOR_CERTIFICATE": str(certificate), "SCOREBOARD_DOOR_PRIVATE_KEY": str(private_key)}
    with served(tmp_path / "data", environ=environ, secure=trusting()) as server:
        context = chromium.new_context(ignore_https_errors=True)
        page = context.new_page()
        sockets: list[str] = []
        complaints: list[str] = []
        page.on("websocket", lambda socket: sockets.append(socket.url))
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        page.goto(server.url + "/")
        Player(server, "Tessa").score(1)
        expect(page.locator("#rows tr .name")).to_have_text("Tessa")
        assert [f"wss://localhost:{server.port}/ws/leaderboard"] == [url.partition("?")[0] for url in sockets]
        assert [] == complaints
        context.close()
