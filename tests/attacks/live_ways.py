"""The ways to the live feed as a caller of whatever role goes them: what may be watched, what may be done."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Protocol, Self

import httpx

from tests.attacks.ways_in import SOCKET_IO
from tests.integration.socket_game import SocketGame
from tests.integration.test_live_feed import STREAM
from tests.served import ServedScoreboard

#: The code of a refusal; nothing where there is none.
Told = str
SHOWN = {"leaderboard.update", "leaderboard_update", "player.update", "score_changed", "rank_changed"}


class Way(Protocol):
    """A connection. `commands` can be said on it; otherwise all that it wants is in its address."""

    commands: bool

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def watch(self, channel: str) -> Told:
        """Ask for a channel."""
        ...

    def issue(self) -> tuple[Told, dict[str, Any]]:
        """Ask for a token of an action."""
        ...

    def spend(self, token: dict[str, Any]) -> Told:
        """Present one."""
        ...


class BySocket:
    """A WebSocket, signed in by its header, that speaks as its path wants it."""

    commands = True

    def __init__(self, path: str, server: ServedScoreboard, token: str | None) -> None:
        self._game = SocketGame(server, token, path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._game.drop()

    def watch(self, channel: str) -> Told:
        """See `Way`."""
        self._game.say("subscribe", channel=channel)
        while True:
            said = self._game.message()
            if said["event"] == "error":
                return str(said["data"]["code"])
            if said["event"] in SHOWN and said["data"].get("channel", channel) == channel:
                return ""

    def issue(self) -> tuple[Told, dict[str, Any]]:
        """See `Way`."""
        answer = self._answer("action.token", {})
        return str(answer.get("code", "")), answer.get("actionToken", {})

    def spend(self, token: dict[str, Any]) -> Told:
        """See `Way`."""
        return str(self._answer("score.increment", {"actionToken": token}).get("code", ""))

    def _answer(self, event: str, data: Mapping[str, Any]) -> dict[str, Any]:
        self._game.say(event, "asked", **data)
        while (said := self._game.message()).get("id") != "asked":
            pass
        answer: dict[str, Any] = said["data"]
        return answer


class ByStream:
    """Server-sent events: a stream for each channel, and nothing can be said."""

    commands = False

    def __init__(self, server: ServedScoreboard, token: str | None) -> None:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._http = httpx.Client(base_url=server.url, headers=headers, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def watch(self, channel: str) -> Told:
        """See `Way`."""
        with self._http.stream("GET", STREAM, params={"channel": channel}) as response:
            if response.status_code == 200:
                return ""
            response.read()
            return str(response.json()["error"]["code"])

    def issue(self) -> tuple[Told, dict[str, Any]]:
        """See `Way`."""
        raise NotImplementedError

    def spend(self, token: dict[str, Any]) -> Told:
        """See `Way`."""
        raise NotImplementedError


class BySocketIo:
    """Socket.IO by polling; commands are answered by acknowledgements."""

    commands = True

    def __init__(self, server: ServedScoreboard, token: str | None) -> None:
        self._http = httpx.Client(base_url=server.url, trust_env=False, timeout=30)
        sid = json.loads(self._http.get(f"{SOCKET_IO}polling").text[1:])["sid"]
        self._there, self._waiting = f"{SOCKET_IO}polling&sid={sid}", list[str]()
        self._send("40" + ("" if token is None else json.dumps({"token": token})))
        packet = self._next()
        assert packet.startswith("40"), packet

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def watch(self, channel: str) -> Told:
        """See `Way`."""
        self._send("42" + json.dumps(["subscribe", {"channel": channel}]))
        while True:
            packet = self._next()
            if not packet.startswith("42"):
                continue
            event, data = json.loads(packet[2:])
            if event == "error":
                return str(data["code"])
            if event in SHOWN and data.get("channel", channel) == channel:
                return ""

    def issue(self) -> tuple[Told, dict[str, Any]]:
        """See `Way`."""
        answer = self._answer("action.token")
        return str(answer.get("code", "")), answer.get("actionToken", {})

    def spend(self, token: dict[str, Any]) -> Told:
        """See `Way`."""
        return str(self._answer("score.increment", {"actionToken": token}).get("code", ""))

    def _answer(self, event: str, *arguments: object) -> dict[str, Any]:
        self._send("427" + json.dumps([event, *arguments]))
        while not (packet := self._next()).startswith("437"):
            pass
        [answer] = json.loads(packet[3:])
        inner: dict[str, Any] = answer.get("data") or answer.get("error") or answer
        return inner

    def _send(self, packet: str) -> None:
        self._http.post(self._there, content=packet, headers={"Content-Type": "text/plain"}).raise_for_status()

    def _next(self) -> str:
        while not self._waiting:
            self._waiting = self._http.get(self._there).text.split("\x1e")
        return self._waiting.pop(0)


WAYS: dict[str, Callable[[ServedScoreboard, str | None], Way]] = {
    "websocket": lambda server, token: BySocket("/ws/leaderboard", server, token),
    "websocket of document A": lambda server, token: BySocket("/ws", server, token),
    "stream": ByStream,
    "socket.io": BySocketIo,
}
