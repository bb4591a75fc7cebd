"""While the socket is refused: the boards by ``GET``, every five seconds, with their ETags."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping

import trio

from scoreboard.client.board import Verdict, apply_poll
from scoreboard.client.channels import poll_path
from scoreboard.client.errors import NoAnswer
from scoreboard.client.pace import POLL_EVERY_S
from scoreboard.client.transport import Answer
from scoreboard.client.watch import Channel

HTTP_OK = 200
HTTP_NOT_MODIFIED = 304


class Poller:
    """Polls for as long as `run` is let run.

    Args:
        get: A request of REST: path and headers; raises NoAnswer.
        channels: What is watched now.
        told: Called after each answer, and after each that did not come: with True when answers come again.
    """

    def __init__(
        self,
        get: Callable[[str, Mapping[str, str]], Awaitable[Answer]],
        channels: Callable[[], Iterable[Channel]],
        told: Callable[[bool], None],
    ) -> None:
        self.answered = True
        self._get = get
        self._channels = channels
        self._told = told
        self._pause = trio.CancelScope()
        self._next_at = 0.0

    def __repr__(self) -> str:
        return f"<Poller {'answered' if self.answered else 'unanswered'}>"

    @property
    def next_at(self) -> float:
        """When it asks again, on Trio's clock."""
        return self._next_at

    def hurry(self) -> None:
        """Ask now."""
        self._pause.cancel()

    async def run(self) -> None:
        """Asks for all channels, again and again."""
        while True:
            self._next_at = trio.current_time() + POLL_EVERY_S
            with trio.CancelScope(deadline=self._next_at) as self._pause:
                async with trio.open_nursery() as nursery:
                    for channel in self._channels():
                        if path := poll_path(channel.name):
                            nursery.start_soon(self._one, channel, path)
                await trio.sleep_forever()

    async def _one(self, channel: Channel, path: str) -> None:
        headers = {"If-None-Match": channel.etag} if channel.etag else {}
        try:
            answer = await self._get(path, headers)
        except NoAnswer:
            return self._unanswered(None)
        if answer.status == HTTP_NOT_MODIFIED:
            return self._tell(answered=True)
        verdict, view = apply_poll(channel.view, answer.body)
        if answer.status != HTTP_OK or verdict is not Verdict.APPLIED:
            return self._unanswered(answer.retry_after_s)
        channel.accept(view, answer.headers.get("etag"))
        return self._tell(answered=True)

    def _unanswered(self, retry_after_s: float | None) -> None:
        if retry_after_s is not None and retry_after_s > POLL_EVERY_S:
            self._next_at = self._pause.deadline = trio.current_time() + retry_after_s
        self._tell(answered=False)

    def _tell(self, *, answered: bool) -> None:
        is_back, self.answered = answered and not self.answered, answered
        self._told(is_back)
