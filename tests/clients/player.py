"""Plays conversations with scoreboard.client, in a world without a network, on a clock that a script moves."""

from __future__ import annotations

import itertools
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.client import NoAnswer, Score, Scoreboard, ScoreboardError, Status, Tokens, View, connect
from scoreboard.client.errors import LineLost
from scoreboard.client.network import closed_with
from scoreboard.client.transport import Answer
from scoreboard.client.world import World

Done = dict[str, Any]
SHORTLY_S = 1e-6


class ScriptedSocket:
    """A socket whose other side is the script."""

    def __init__(self, done: list[Done]) -> None:
        self._done = done
        self._heard, self._incoming = trio.open_memory_channel[str](1024)
        self._closed_with = LineLost()
        self.open = True

    def says(self, text: str) -> None:
        self._heard.send_nowait(text)

    def closes(self, how: LineLost) -> None:
        self._closed_with, self.open = how, False
        self._heard.close()

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        self._done.append({"says": json.loads(text)})

    async def receive(self) -> str:
        try:
            return await self._incoming.receive()
        except trio.EndOfChannel as error:
            raise self._closed_with from error

    async def aclose(self) -> None:
        if self.open:
            self._done.append({"hangs up": True})
        self.open = False


class ScriptedTransport:
    """Waits for the script to accept, to refuse and to answer."""

    def __init__(self, done: list[Done]) -> None:
        self._done = done
        self._knocks: deque[tuple[trio.Event, list[ScriptedSocket | None]]] = deque()
        self._asked: deque[tuple[trio.Event, list[Answer | None]]] = deque()
        self.socket: ScriptedSocket | None = None

    async def open_socket(self, nursery: trio.Nursery, path: str) -> ScriptedSocket:
        self._done.append({"opens": path})
        knock: tuple[trio.Event, list[ScriptedSocket | None]] = (trio.Event(), [])
        self._knocks.append(knock)
        try:
            await knock[0].wait()
        except trio.Cancelled:
            self._knocks.remove(knock)
            self._done.append({"hangs up": True})
            raise
        if knock[1][0] is None:
            raise LineLost
        return knock[1][0]

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str], body: Mapping[str, Any] | None, within: float
    ) -> Answer:
        asked: Done = {"asks": f"{method} {path}"}
        if "Authorization" in headers:
            asked["as"] = headers["Authorization"].removeprefix("Bearer ")
        if "Idempotency-Key" in headers:
            asked["key"] = headers["Idempotency-Key"]
        if "If-None-Match" in headers:
            asked["unless"] = headers["If-None-Match"]
        self._done.append(asked if body is None else asked | {"with": dict(body)})
        question: tuple[trio.Event, list[Answer | None]] = (trio.Event(), [])
        self._asked.append(question)
        await question[0].wait()
        if question[1][0] is None:
            raise NoAnswer("no answer")
        return question[1][0]

    def accepts(self) -> None:
        self.socket = ScriptedSocket(self._done)
        self._decide(self.socket)

    def closes(self, how: Mapping[str, Any] | int | None) -> None:
        if self._knocks:
            self._decide(None)
        else:
            assert self.socket is not None
            self.socket.closes(closed_with(how["code"], how["reason"]) if isinstance(how, Mapping) else LineLost(how))

    def _decide(self, socket: ScriptedSocket | None) -> None:
        decided, told = self._knocks.popleft()
        told.append(socket)
        decided.set()

    def answers(self, answer: Answer | None) -> None:
        heard, told = self._asked.popleft()
        told.append(answer)
        heard.set()


class Player:
    """One client and its script's world."""

    def __init__(self, clock: MockClock, client: Mapping[str, Any]) -> None:
        self.done: list[Done] = []
        self.client = client
        self._clock = clock
        self._transport = ScriptedTransport(self.done)
        self._told = ""
        self._loops: dict[str, trio.CancelScope] = {}
        self._end = trio.Event()

    async def play(self, steps: list[tuple[str, Any]]) -> list[list[Done]]:
        """What the client did after each step."""
        groups = []
        async with trio.open_nursery() as self._nursery:
            for act, argument in steps:
                await getattr(self, "_" + act.replace(" ", "_"))(argument)
                await wait_all_tasks_blocked()
                groups.append(self.done[:])
                self.done.clear()
            self._end.set()
            self._nursery.cancel_scope.cancel()
        return groups

    # --- the acts of a script ---

    async def _starts(self, _: object) -> None:
        await self._nursery.start(self._live)

    async def _server_accepts(self, _: object) -> None:
        self._transport.accepts()

    async def _server_says(self, frame: object) -> None:
        assert self._transport.socket is not None
        self._transport.socket.says(frame if isinstance(frame, str) else json.dumps(frame))

    async def _server_closes(self, code: int | None) -> None:
        self._transport.closes(code)

    async def _server_answers(self, answer: Mapping[str, Any]) -> None:
        self._transport.answers(Answer(**answer))

    async def _server_keeps_silent(self, _: object) -> None:
        self._transport.answers(None)

    async def _passes(self, ms: int) -> None:
        """From alarm to alarm, so that each rings at its own time."""
        end = trio.current_time() + ms / 1000
        while (
            step := trio.lowlevel.current_statistics().seconds_to_next_deadline
        ) <= end - trio.current_time() + SHORTLY_S:
            self._clock.jump(max(step, SHORTLY_S / 1000))  # a rounded step may end just before the alarm
            await wait_all_tasks_blocked()
        self._clock.jump(max(0.0, end - trio.current_time()))

    async def _watches(self, what: str | Mapping[str, Any]) -> None:
        self._nursery.start_soon(self._watch, what)

    async def _leaves(self, channel: str) -> None:
        self._loops[channel].cancel()

    async def _retries_now(self, _: object) -> None:
        self._scoreboard.retry_now()

    async def _asks_for_a_token(self, _: object) -> None:
        async def token() -> Any:
            return (await self._scoreboard.action_token()).token

        self._nursery.start_soon(self._hears, token)

    async def _increments(self, wish: tuple[Mapping[str, Any], str]) -> None:
        async def increment() -> Any:
            return scored(await self._scoreboard.increment(wish[0], idempotency_key=wish[1]))

        self._nursery.start_soon(self._hears, increment)

    async def _scores(self, _: object) -> None:
        async def score() -> Any:
            return scored(await self._scoreboard.score())

        self._nursery.start_soon(self._hears, score)

    async def _signs_in(self, wish: tuple[str, str]) -> None:
        async def sign_in() -> Any:
            return (await self._scoreboard.sign_in(*wish)).access_token

        self._nursery.start_soon(self._hears, sign_in)

    async def _ends(self, _: object) -> None:
        self._end.set()

    # --- what the client does ---

    async def _live(self, task_status: trio.TaskStatus[None]) -> None:
        numbers = itertools.count(1)
        chance: float = self.client.get("chance", 1)
        world = World(self._transport, lambda: chance, lambda: f"key-{next(numbers)}")
        async with connect(
            "http://scripted",
            token=self.client.get("token"),
            refresh_token=self.client.get("refreshToken"),
            debounce_s=self.client.get("debounceMs", 0) / 1000,
            on_status=self._status,
            on_error=lambda error: self.done.append({"reports": error.code}),
            on_tokens=self._keeps,
            world=world,
        ) as self._scoreboard:
            for channel in self.client.get("watches", ["leaderboard.top10"]):
                self._nursery.start_soon(self._watch, channel)
                await wait_all_tasks_blocked()  # one after the other, as the script has them
            task_status.started()
            await self._end.wait()

    async def _watch(self, what: str | Mapping[str, Any]) -> None:
        wish = {"channel": what} if isinstance(what, str) else what
        channel: str = wish["channel"]

        async def news() -> None:
            async for found in self._scoreboard.listen(channel):
                self.done.append({"hears of": [found.event, dict(found.data)]})

        try:
            async with trio.open_nursery() as nursery:
                self._loops[channel] = nursery.cancel_scope
                nursery.start_soon(news)
                async for view in self._scoreboard.watch(**wish):
                    self.done.append({"shows": f"{channel} {as_text(view)}"})
                nursery.cancel_scope.cancel()
        except* ScoreboardError as errors:
            self.done.append({"cannot watch": [channel, codes(errors)[0]]})

    async def _hears(self, ask: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.done.append({"hears": await ask()})
        except ScoreboardError as error:
            known: Done = {"code": error.code}
            if error.retry_after_s:
                known["retryAfter"] = error.retry_after_s
            if error.retry is not None:
                known["retry"] = {
                    "actionToken": error.retry.action_token,
                    "idempotencyKey": error.retry.idempotency_key,
                }
            self.done.append({"hears no": known})

    def _status(self, status: Status) -> None:
        told = str(status.state)
        if status.retry_at is not None:
            told += f" in {round((status.retry_at - trio.current_time()) * 1000)}"
        if told != self._told:
            self.done.append({"status": told})
        self._told = told

    def _keeps(self, tokens: Tokens) -> None:
        self.done.append({"keeps": tokens.access_token})


def codes(errors: BaseExceptionGroup[ScoreboardError]) -> list[str]:
    """The codes of all errors in a group."""
    return [error.code for error in errors.exceptions if isinstance(error, ScoreboardError)]


def scored(score: Score) -> Done:
    """As the server writes it."""
    ranks = {"previousRank": score.previous_rank, "newRank": score.new_rank, "rankChanged": score.rank_changed}
    return {"newScore": score.new_score, **ranks, "repeated": score.repeated}


def as_text(view: View) -> str:
    """A board in a line."""
    return f"v{view.version}: {', '.join(f'{row.rank} {row.username} {row.score}' for row in view.rows)}".strip()


__all__ = ["Player", "Scoreboard"]
