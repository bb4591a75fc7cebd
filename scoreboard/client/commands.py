"""Scoring commands: sent until they are answered, by the socket or, while that is refused, by REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import trio

from scoreboard.client.errors import SIGN_IN_CODES, LineLost, NoAnswer, Retry, ScoreboardError
from scoreboard.client.line import Line
from scoreboard.client.pace import AGAIN_AFTER_S, UNANSWERED_COMMANDS, WAITING_COMMANDS, obeyed_s
from scoreboard.client.transport import Answer

# What stands in REST for a command.
BY_REST = {"action.token": "/api/actions/token", "score.increment": "/api/scores/increment"}

RestAsk = Callable[[str, Mapping[str, Any] | None, Mapping[str, str]], Awaitable[Answer]]
Result = Mapping[str, Any]


class Commands:
    """Sends commands and repeats them, which is harmless: an increment carries its key, a token unspent costs nothing.

    Args:
        way: Waits for a way to send: a line on which we may speak, or None for REST. Raises ScoreboardError when
            nobody is signed in.
        rest: Sends a command by REST: path, body, headers.
        renew: Begins to renew the sign-in, because of this error.
        chance: A number from 0 to 1.
    """

    def __init__(
        self,
        way: Callable[[], Awaitable[Line | None]],
        rest: RestAsk,
        renew: Callable[[ScoreboardError], None],
        chance: Callable[[], float],
    ) -> None:
        self._way = way
        self._rest = rest
        self._renew = renew
        self._chance = chance
        self._slots = trio.Semaphore(UNANSWERED_COMMANDS)
        self._asked = self._last_id = 0

    async def ask(self, event: str, data: Result | None, *, within: float, retry: Retry | None = None) -> Result:
        """The data of the `ack`.

        Raises:
            ScoreboardError: with `retry`: it was refused; or ``NO_ANSWER`` after `within` seconds.
        """
        if self._asked >= UNANSWERED_COMMANDS + WAITING_COMMANDS:
            raise ScoreboardError("TOO_MANY_COMMANDS", f"{WAITING_COMMANDS} commands wait for an answer already.")
        self._asked += 1
        self._last_id = name = self._last_id + 1
        try:
            with trio.move_on_after(within):
                async with self._slots:
                    return await self._answered(event, data, name)
        except ScoreboardError as refusal:
            refusal.retry = retry
            raise
        finally:
            self._asked -= 1
        raise ScoreboardError("NO_ANSWER", f"No answer within {within:g} s.", retry=retry)

    async def _answered(self, event: str, data: Result | None, name: int) -> Result:
        renewed = False
        while True:
            line = await self._way()
            try:
                return await (line.ask(event, data, name) if line is not None else self._by_rest(event, data))
            except LineLost:
                continue  # on the next one, with the same key
            except NoAnswer:
                await self._pause(AGAIN_AFTER_S)
            except ScoreboardError as refusal:
                if refusal.is_trouble:
                    await self._pause(refusal.retry_after_s or AGAIN_AFTER_S)
                elif refusal.code in SIGN_IN_CODES and not renewed:
                    renewed = True
                    self._renew(refusal)
                else:
                    raise

    async def _by_rest(self, event: str, data: Result | None) -> Result:
        body = None if data is None else {"actionToken": data["actionToken"]}
        headers = {} if data is None else {"Idempotency-Key": str(data["idempotencyKey"])}
        answer = await self._rest(BY_REST[event], body, headers)
        if not answer.ok or not isinstance(answer.body, dict):
            raise answer.error()
        repeated = answer.headers.get("idempotency-replayed") == "true"
        return answer.body if data is None else {**answer.body, "repeated": repeated}

    async def _pause(self, seconds: float) -> None:
        await trio.sleep(obeyed_s(seconds, self._chance()))
