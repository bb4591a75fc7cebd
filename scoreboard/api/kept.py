"""`Idempotency-Key` where a repetition is harmless, but would be answered otherwise: answers are kept for a while.

They may be lost, with Redis; then the request is served once more. What must never happen twice does not rest on this:
scores and accounts keep their keys in the transaction that writes them.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from functools import partial
from hashlib import sha256
from typing import Protocol

import msgspec
import trio

from scoreboard.api.answer import JSON, NO_STORE, Answer
from scoreboard.api.errors import ApiError
from scoreboard.api.idempotency import REPLAYED
from scoreboard.api.request import ApiRequest
from scoreboard.security.sealing import Sealing

View = Callable[..., Awaitable[Answer]]

PURPOSE = "answers that are kept"
#: As long as the longest-lived of what is handed out is good for anything.
OF_TOKENS_S = 300
#: Longer than anybody repeats a request whose answer was lost.
OF_CHANGES_S = 24 * 3600
#: So long the place where answers are kept may think.
PATIENCE_S = 1.0
REUSED = "This Idempotency-Key came before with another request. Use a new key for a new action."


class AnswerStore(Protocol):
    """Where all workers find what one of them answered. Best effort; nothing here raises."""

    async def find(self, name: str) -> bytes | None:
        """What is kept under this name."""
        ...

    async def keep(self, name: str, answer: bytes, within_s: int) -> bytes:
        """Keep it for so long, unless there is one: the one that is kept."""
        ...


class _Kept(msgspec.Struct, array_like=True):
    said: bytes
    status: int
    body: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class KeptAnswers:
    """Gives views that answer a keyed request of one player once. What is kept holds tokens, so it is sealed.

    A request that comes while the first is being served waits for it, `waits_s` seconds at most. Only answers that are
    no errors are kept.
    """

    def __init__(self, store: AnswerStore, key: bytes, *, waits_s: float = 15.0) -> None:
        self._store = store
        self._sealing = Sealing(key, PURPOSE)
        self._key = hmac.digest(key, PURPOSE.encode(), "sha256")
        self._waits_s = waits_s
        self._under_way: dict[str, trio.Event] = {}

    def __repr__(self) -> str:
        return f"<KeptAnswers, {len(self._under_way)} under way>"

    def around(self, view: View, keep_s: int) -> View:
        """The same view, for requests of who has signed in; its answer to a key is kept for so long."""

        async def once(request: ApiRequest, *named: str, **more: str) -> Answer:
            asked = partial(view, request, *named, **more)
            return await asked() if request.key is None else await self._once(request, asked, keep_s)

        return once

    async def _once(self, request: ApiRequest, asked: Callable[[], Awaitable[Answer]], keep_s: int) -> Answer:
        name, said = self._name(request), sha256(msgspec.json.encode(request.body)).digest()
        with trio.move_on_after(self._waits_s):
            while (first := self._under_way.get(name)) is not None:
                await first.wait()
        done = self._under_way[name] = trio.Event()
        try:
            known = self._opened(await self._find(name), name)
            if known is not None:
                return _again(known, said)
            answer = await asked()
            kept = self._opened(await self._keep(name, said, answer, keep_s), name)
            return answer if kept is None or kept.body == answer.body else _again(kept, said)
        finally:
            if self._under_way.get(name) is done:
                del self._under_way[name]
            done.set()

    def _name(self, request: ApiRequest) -> str:
        text = f"{request.caller.user_id}\n{request.method} {request.path}\n{request.key}"
        return hmac.digest(self._key, text.encode(), "sha256").hex()

    def _opened(self, sealed: bytes | None, name: str) -> _Kept | None:
        content = None if sealed is None else self._sealing.open(sealed, name)
        return None if content is None else _decode(content)

    async def _find(self, name: str) -> bytes | None:
        with trio.move_on_after(PATIENCE_S):
            return await self._store.find(name)
        return None

    async def _keep(self, name: str, said: bytes, answer: Answer, keep_s: int) -> bytes | None:
        sealed = self._sealing.seal(_encode(_Kept(said, answer.status, answer.body)), name)
        with trio.move_on_after(PATIENCE_S):
            return await self._store.keep(name, sealed, keep_s)
        return None


def _again(kept: _Kept, said: bytes) -> Answer:
    """The first answer, marked as such; raises ApiError (422) to who says something else with its key."""
    if kept.said != said:
        raise ApiError(422, "Idempotency key reused", "IDEMPOTENCY_KEY_REUSED", REUSED)
    return Answer(kept.status, kept.body, (JSON, NO_STORE, *REPLAYED))
