"""The fake scoreboard behind a real socket, so that a real process can play against it and be killed."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

from tests.replay.fake_scoreboard import FakeScoreboard


class HttpScoreboard:
    """Listens on a port of its own; may go away, with all its connections, and come back on the same port."""

    def __init__(self) -> None:
        self.fake = FakeScoreboard(clock=time.monotonic)
        self._lock = threading.Lock()
        self._server = self._listen(0)
        self.port: int = self._server.server_port

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def go_away(self) -> None:
        """Refuse connections, and end those that are open with their next request."""
        self._server.shutdown()
        self._server.server_close()
        self._server.gone = True

    def come_back(self) -> None:
        """Listen again, with the same accounts and scores."""
        self._server = self._listen(self.port)

    def _listen(self, port: int) -> _Server:
        server = _Server(("127.0.0.1", port), _handler(self.fake, self._lock))
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return server


@contextmanager
def listening() -> Iterator[HttpScoreboard]:
    """A scoreboard for the time of a test."""
    scoreboard = HttpScoreboard()
    try:
        yield scoreboard
    finally:
        scoreboard.go_away()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    gone = False


def _handler(fake: FakeScoreboard, lock: threading.Lock) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 16  # one write an answer: two of them would wait for each other's acknowledgement
        timeout = 20

        def _handle(self) -> None:
            server = self.server
            assert isinstance(server, _Server)
            content = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            if server.gone:
                self.close_connection = True
                return
            request = httpx.Request(
                self.command, f"http://fake{self.path}", headers=dict(self.headers), content=content
            )
            with lock:
                status, body = fake.answer(request)
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = _handle  # noqa: N815  # the library asks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's own name
            pass

    return Handler
