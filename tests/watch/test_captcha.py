from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qs

import pytest
import trio
import trio.testing

from actors.ports import CaptchaAway
from scoreboard.watch.captcha import AT_ONCE, MOST_BYTES, MOST_WAITING, HttpCaptcha

YES = b'{"success": true, "hostname": "game.example"}'
NO = b'{"success": false, "error-codes": ["timeout-or-duplicate"]}'


class Provider:
    """One that says what it is told to say; `asked` are the forms that it was sent."""

    def __init__(self, body: bytes, status: int) -> None:
        self.body, self.status = body, status
        self.asked: list[dict[str, list[str]]] = []
        self.silent = False
        self.url = ""

    async def serve(self, stream: trio.SocketStream) -> None:
        """One request, one answer."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive_some()
        head, _, body = head.partition(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        while len(body) < length:
            body += await stream.receive_some()
        self.asked.append(parse_qs(body.decode()))
        if self.silent:
            await trio.sleep_forever()
        answer = b"HTTP/1.1 %d X\r\ncontent-length: %d\r\nconnection: close\r\nlocation: /\r\n\r\n%b"
        await stream.send_all(answer % (self.status, len(self.body), self.body))


@asynccontextmanager
async def provider(body: bytes = YES, status: int = 200) -> AsyncIterator[Provider]:
    """It listens while the body runs."""
    made = Provider(body, status)
    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        made.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/siteverify"
        nursery.start_soon(trio.serve_listeners, made.serve, listeners)
        yield made
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(("body", "good"), [(YES, True), (NO, False)])
async def test_the_provider_says_whether_an_answer_is_a_person_s(body: bytes, *, good: bool) -> None:
    """It is told the secret, the answer, and where it came from if that is known."""
    async with provider(body) as asked:
        captcha = HttpCaptcha(asked.url, "s3cret")
        assert good is await captcha.verify("answer & all", "192.0.2.1")
        assert good is await captcha.verify("other", None)
        assert [
            {"secret": ["s3cret"], "response": ["answer & all"], "remoteip": ["192.0.2.1"]},
            {"secret": ["s3cret"], "response": ["other"]},
        ] == asked.asked
        assert "s3cret" not in repr(captcha)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 200),
        (b"yes", 200),
        (b"{}", 200),
        (b'{"success": "true"}', 200),
        (YES, 500),
        (YES, 302),
        (b" " * (MOST_BYTES + 1) + YES, 200),
    ],
)
async def test_anything_else_is_no_answer(body: bytes, status: int) -> None:
    """Nobody is taken for a person, nor for none, by what the provider should not say."""
    async with provider(body, status) as asked:
        with pytest.raises(CaptchaAway):
            await HttpCaptcha(asked.url, "s").verify("answer", None)


async def test_a_provider_that_is_away_or_silent_is_waited_for_within_a_bound() -> None:
    """And so is a turn."""
    async with provider() as asked:
        gone = asked.url
        asked.silent = True
        with pytest.raises(CaptchaAway):
            await HttpCaptcha(asked.url, "s", within_s=0.05).verify("answer", None)
    with pytest.raises(CaptchaAway):
        await HttpCaptcha(gone, "s").verify("answer", None)


async def test_so_many_answers_wait_at_most() -> None:
    """The next one is told at once that it cannot be judged."""
    async with provider() as asked, trio.open_nursery() as nursery:
        asked.silent = True
        captcha = HttpCaptcha(asked.url, "s", within_s=60)
        for _ in range(AT_ONCE + MOST_WAITING):
            nursery.start_soon(captcha.verify, "answer", None)
        await trio.testing.wait_all_tasks_blocked(0.05)
        with pytest.raises(CaptchaAway, match="wait"):
            await captcha.verify("one more", None)
        nursery.cancel_scope.cancel()
