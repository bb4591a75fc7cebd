"""A stand-in for the server that plays what a test tells it: the page, the live feed and the polled table on one port.

It runs Trio in a thread of its own; the test calls plain methods. The page is served under the strict policy that it
must live with, so that a violation shows up as a console error.
"""

from __future__ import annotations

import json
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from trio_websocket import ConnectionClosed, WebSocketConnection, wrap_server_stream

WEB = Path(__file__).resolve().parents[2] / "scoreboard" / "web"
HERE = Path(__file__).resolve().parent
CHANNEL = "leaderboard.top10"
TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
WAIT_S = 10.0

Row = dict[str, Any]
Frame = dict[str, Any]


def row(rank: int, username: str, score: int, user_id: str | None = None) -> Row:
    """One line of a board; the user id is made from the name unless given."""
    return {
        "rank": rank,
        "userId": user_id or f"user_{username}",
        "username": username,
        "score": score,
        "lastUpdated": "2026-01-31T15:04:05Z",
    }


def ranked(scores: dict[str, int]) -> list[Row]:
    """The ten best of these, in order; equal scores stay in the order given."""
    ordered = sorted(scores.items(), key=lambda item: -item[1])[:10]
    return [row(rank, name, score) for rank, (name, score) in enumerate(ordered, 1)]


def check(rows: list[Row]) -> int:
    """The checksum of a frame, computed by Python's own zlib."""
    return zlib.crc32(";".join(f"{r['rank']}:{r['userId']}:{r['score']}" for r in rows).encode())


class Stage:
    """The scripted server. `origin` is its address once `start` has returned."""

    def __init__(self) -> None:
        self.origin = ""
        self.refuses_sockets = False
        self.refuses_polls = False
        self.requests: list[str] = []
        self.received: list[Frame] = []
        self._rows: list[Row] = []
        self._total = 0
        self._version = 0
        self._epoch = "e1"
        self._sockets: set[WebSocketConnection] = set()
        self._changed = threading.Condition()

    # --- what the test does ---

    def start(self) -> None:
        """Serves until `stop`; raises if the port does not open in time."""
        ready = threading.Event()
        self._thread = threading.Thread(target=trio.run, args=(self._serve, ready), daemon=True)
        self._thread.start()
        if not ready.wait(WAIT_S):
            raise RuntimeError("the scripted server did not start")

    def stop(self) -> None:
        self._in_trio(self._scope.cancel)
        self._thread.join(WAIT_S)

    def show(self, scores: dict[str, int], total: int | None = None) -> None:
        """The board becomes this one: a diff goes to every socket that watches."""
        self._in_trio(self._show, ranked(scores), total)

    def show_rows(self, rows: list[Row]) -> None:
        """Like `show`, with rows given in full."""
        self._in_trio(self._show, rows, None)

    def jump(self, scores: dict[str, int]) -> None:
        """The board changes and nobody is told; the next diff therefore does not fit."""
        self._in_trio(self._become, ranked(scores), None)

    def send(self, frame: Frame) -> None:
        """Exactly this frame to every socket."""
        self._in_trio(self._broadcast, frame)

    def drop(self) -> None:
        """Every socket is closed with 1001, as by a server that goes down."""
        self._in_trio(self._drop)

    def wait_for(self, fact: Callable[[], bool], what: str) -> None:
        """Waits until `fact()` holds; it is looked at whenever something arrives."""
        with self._changed:
            if not self._changed.wait_for(fact, WAIT_S):
                raise AssertionError(f"did not happen within {WAIT_S:g} s: {what}; received {self.received}")

    def subscriptions(self) -> int:
        return sum(frame["event"] == "subscribe" for frame in self.received)

    # --- how it does it (in Trio's thread) ---

    def _in_trio(self, act: Callable[..., object], *args: object) -> None:
        trio.from_thread.run_sync(act, *args, trio_token=self._token)

    async def _serve(self, ready: threading.Event) -> None:
        self._token = trio.lowlevel.current_trio_token()
        async with trio.open_nursery() as nursery:
            self._nursery, self._scope = nursery, nursery.cancel_scope
            listeners = await nursery.start(trio.serve_tcp, self._connection, 0)
            self.origin = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}"
            ready.set()

    def _become(self, rows: list[Row], total: int | None) -> None:
        self._rows, self._version = rows, self._version + 1
        self._total = len(rows) if total is None else total

    def _show(self, rows: list[Row], total: int | None) -> None:
        old = {r["userId"]: r for r in self._rows}
        before = self._version
        self._become(rows, total)
        changes = [r for r in rows if old.get(r["userId"]) != r]
        removed = sorted(set(old) - {r["userId"] for r in rows})
        self._broadcast(
            self._frame("diff", {"from": before, "to": self._version, "changes": changes, "removed": removed})
        )

    def _frame(self, kind: str, data: dict[str, Any]) -> Frame:
        common = {"channel": CHANNEL, "board": "all_time", "epoch": self._epoch, "totalUsers": self._total}
        proof = {"check": check(self._rows), "timestamp": "2026-01-31T15:04:06Z"}
        return {"event": f"leaderboard.{kind}", "data": common | proof | data}

    def _full(self) -> Frame:
        return self._frame("update", {"version": self._version, "leaderboard": self._rows})

    def _broadcast(self, frame: Frame) -> None:
        for socket in self._sockets:
            self._nursery.start_soon(_send, socket, frame)

    def _drop(self) -> None:
        for socket in self._sockets:
            self._nursery.start_soon(socket.aclose, 1001)

    async def _connection(self, stream: trio.SocketStream) -> None:
        try:
            head = await _read_head(stream)
            path = head.split(b" ", 2)[1].decode() if b" " in head else "/"
            self._note(path, None)
            if b"upgrade: websocket" in head.lower() and not self.refuses_sockets:
                await self._feed(_Replay(stream, head))
            else:
                await stream.send_all(self._answer(path.partition("?")[0]))
                await stream.aclose()
        except (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionClosed):
            return

    async def _feed(self, stream: _Replay) -> None:
        async with trio.open_nursery() as nursery:
            socket = await (await wrap_server_stream(nursery, stream)).accept()
            try:
                while True:
                    frame = json.loads(await socket.get_message())
                    self._note(None, frame)
                    if frame["event"] == "subscribe":
                        self._sockets.add(socket)
                        await _send(socket, self._full())
            except ConnectionClosed:
                self._sockets.discard(socket)
            nursery.cancel_scope.cancel()

    def _note(self, path: str | None, frame: Frame | None) -> None:
        with self._changed:
            if path is not None:
                self.requests.append(path)
            if frame is not None:
                self.received.append(frame)
            self._changed.notify_all()

    def _answer(self, path: str) -> bytes:
        if path == "/api/scores/top":
            return self._polled()
        file = WEB / "index.html" if path == "/" else _static(path)
        if file is None or not file.is_file():
            return _http(404, "text/plain", b"not here")
        return _http(200, TYPES[file.suffix], file.read_bytes())

    def _polled(self) -> bytes:
        if self.refuses_polls:
            return _http(503, "application/json", b"{}")
        table = {"leaderboard": self._rows, "totalUsers": self._total, "cacheHit": True, "timestamp": 1769871846000}
        return _http(200, "application/json", json.dumps(table).encode())


class _Replay(trio.abc.Stream):
    """A stream whose first bytes have been read already."""

    def __init__(self, stream: trio.SocketStream, head: bytes) -> None:
        self._stream, self._head = stream, head

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        head, self._head = self._head, b""
        return head or bytes(await self._stream.receive_some(max_bytes))

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _read_head(stream: trio.SocketStream) -> bytes:
    head = b""
    while b"\r\n\r\n" not in head:
        some = await stream.receive_some(65_536)
        if not some:
            return head
        head += some
    return head


async def _send(socket: WebSocketConnection, frame: Frame) -> None:
    try:
        await socket.send_message(json.dumps(frame))
    except ConnectionClosed:
        return


def _static(path: str) -> Path | None:
    folder, _, name = path.strip("/").partition("/")
    return {"web": WEB / name, "harness": HERE / name}.get(folder)


def _http(status: int, kind: str, body: bytes) -> bytes:
    head = (
        f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nCache-Control: no-cache\r\n"
        "Content-Security-Policy: default-src 'self'\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body
