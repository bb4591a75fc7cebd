"""One open socket, from its first word to its last: what is said, what is awaited, and how long."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import trio

from scoreboard.client.errors import LineLost, ScoreboardError, seconds
from scoreboard.client.pace import ACK_EXPECTED_WITHIN_S, ANSWER_WITHIN_S, PING_AFTER_SILENCE_S
from scoreboard.client.transport import Socket

OUTBOX = 1024  # a server that has not read so much is not there
AUTHENTICATE = "authenticate"


class Reply:
    """What a command waits for."""

    def __init__(self) -> None:
        self._told = trio.Event()
        self._result: Mapping[str, Any] | Exception = {}

    def tell(self, result: Mapping[str, Any] | Exception) -> None:
        """The answer; only the first counts."""
        if not self._told.is_set():
            self._result = result
            self._told.set()

    async def result(self) -> Mapping[str, Any]:
        """Waits for it; raises what went wrong."""
        await self._told.wait()
        if isinstance(self._result, Exception):
            raise self._result
        return self._result


class Line:
    """A socket that is open.

    Args:
        socket: The transport's.
        on_frame: Called with this line, the name and the data of each frame that is no answer to a command.
        on_live: Called when all that was asked for has been answered.
    """

    def __init__(
        self,
        socket: Socket,
        on_frame: Callable[[Line, str, Mapping[str, Any]], None],
        on_live: Callable[[], None],
    ) -> None:
        self.may_speak = False
        self.live = False
        self.awaited: dict[str, None] = {}  # in the order in which they were asked for
        self._socket = socket
        self._on_frame = on_frame
        self._on_live = on_live
        self._out, self._outbox = trio.open_memory_channel[str](OUTBOX)
        self._replies: dict[int, Reply] = {}
        self._waiting = trio.CancelScope()
        self._answer_by = self._unacked_at = self._silent_at = math.inf

    def __repr__(self) -> str:
        return f"<Line {'live' if self.live else 'opening'}, {len(self._replies)} commands unanswered>"

    # --- saying ---

    def say(self, event: str, data: Mapping[str, Any] | None = None, *, name: int | None = None) -> None:
        """Send a frame, in the order of the calls. A server that has not read for long is given up."""
        frame = {"event": event, "id": name, "data": data}
        try:
            self._out.send_nowait(json.dumps({key: value for key, value in frame.items() if value is not None}))
        except (trio.WouldBlock, trio.BrokenResourceError):
            self.lose()

    def expect(self, what: str) -> None:
        """Not live before this is answered."""
        self.awaited[what] = None
        self.expect_within(ANSWER_WITHIN_S)

    def expect_within(self, within: float) -> None:
        """Lost if nothing that was awaited comes in time."""
        self._answer_by = trio.current_time() + within
        self._set_alarm()

    def settle(self, what: str = "") -> None:
        """This has been answered."""
        self.awaited.pop(what, None)
        if self.awaited:
            return
        self._answer_by = math.inf
        self._set_alarm()
        if not self.live:
            self.live = True
            self._on_live()

    def ping(self) -> None:
        """Ask whether the other side is there: a connection that died without a word is found out only by asking."""
        self.say("ping")
        self.expect_within(ANSWER_WITHIN_S)

    def lose(self) -> None:
        """Give it up."""
        self._answer_by = -math.inf
        self._set_alarm()

    async def ask(self, event: str, data: Mapping[str, Any] | None, name: int) -> Mapping[str, Any]:
        """Say a command and wait for the answer of that name; raises ScoreboardError, or LineLost."""
        self._replies[name] = reply = Reply()
        try:
            self.say(event, data, name=name)
            # A line that died without a word is found out sooner when somebody waits for an answer.
            if self._answer_by == math.inf:
                self._unacked_at = trio.current_time() + ACK_EXPECTED_WITHIN_S
                self._set_alarm()
            return await reply.result()
        finally:
            self._replies.pop(name, None)

    # --- hearing ---

    async def run(self) -> None:
        """Sends and receives until it is lost; raises LineLost."""
        reason = LineLost()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._send_all)
            try:
                await self._receive_all()
            except LineLost as lost:
                reason = lost
            nursery.cancel_scope.cancel()
        raise reason

    def hang_up(self, why: LineLost) -> None:
        """All who wait for an answer hear that it will not come on this line."""
        for reply in list(self._replies.values()):
            reply.tell(LineLost(why.code))
        self.may_speak = self.live = False

    async def _send_all(self) -> None:
        try:
            async for text in self._outbox:
                await self._socket.send(text)
        except LineLost:
            self.lose()

    async def _receive_all(self) -> None:
        while True:
            with trio.CancelScope(deadline=self._next_alarm()) as self._waiting:
                self._heard(await self._socket.receive())
            if self._waiting.cancelled_caught:
                self._alarmed()

    def _heard(self, text: str) -> None:
        self._silent_at, self._unacked_at = trio.current_time() + PING_AFTER_SILENCE_S, math.inf
        if not self.awaited:
            self._answer_by = math.inf
        frame = _parsed(text)
        if not isinstance(frame.get("event"), str):
            return
        if "id" in frame:
            self._answered(frame)
        else:
            data = frame.get("data")
            self._on_frame(self, frame["event"], data if isinstance(data, dict) else {})

    def _answered(self, frame: Mapping[str, Any]) -> None:
        name, data = frame["id"], frame.get("data")
        reply = self._replies.get(name) if isinstance(name, int) else None
        if reply is None or not isinstance(data, dict):
            return
        if frame["event"] == "ack":
            reply.tell(data)
        elif frame["event"] == "error":
            after = seconds(data.get("retryAfter"))
            reply.tell(ScoreboardError(data.get("code", ""), data.get("message", ""), retry_after_s=after))

    def _alarmed(self) -> None:
        now = trio.current_time()
        if now >= self._answer_by:
            raise LineLost
        if now >= min(self._silent_at, self._unacked_at):
            self._silent_at = self._unacked_at = math.inf
            self.ping()

    def _next_alarm(self) -> float:
        return min(self._answer_by, self._unacked_at, self._silent_at)

    def _set_alarm(self) -> None:
        self._waiting.deadline = self._next_alarm()


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return frame if isinstance(frame, dict) else {}
