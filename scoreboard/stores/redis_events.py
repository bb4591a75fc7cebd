"""The event log as a stream of Redis: facts in the order in which workers published them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from actors.ports import LoggedFacts, ScoreFact, UserId
from scoreboard.stores.redis_pool import Cache

FIELD = b"f"


class Wire(msgspec.Struct, array_like=True, gc=False):
    """A fact as it travels: an array without names. What is new stands at the end, and may be missing."""

    user_id: str
    username: str
    score: int
    version: int
    reached_us: int
    points: int = 0
    occurred_us: int = 0
    country: str | None = None
    avatar: str | None = None
    hidden: bool = False


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Wire]).decode


def encode(facts: Sequence[ScoreFact]) -> bytes:
    """Facts as bytes; an array for each, without names."""
    return _encode(facts)


def decode(payload: bytes) -> tuple[ScoreFact, ...]:
    """The facts in bytes that `encode` made, or the version before it: those seem to have added nothing."""
    return tuple(ScoreFact(UserId(row.user_id), *msgspec.structs.astuple(row)[1:]) for row in _decode(payload))


class RedisEventLog:
    """`EventLog` on one stream, `<prefix>events`, of about `length` entries."""

    def __init__(self, cache: Cache, *, length: int = 100_000) -> None:
        self._cache = cache
        self._key = f"{cache.prefix}events"
        self._length = length

    async def append(self, facts: Sequence[ScoreFact]) -> str:
        """See `EventLog.append`. After StoreUnavailable the entry may stand, and a second append adds it twice."""
        payload = encode(facts)

        async def work(client: Redis) -> Any:
            return await client.xadd(self._key, {FIELD: payload}, maxlen=self._length, approximate=True)

        position: bytes = await self._cache.run(work)
        return position.decode()

    async def read(self, after: str | None, limit: int) -> list[LoggedFacts]:
        """See `EventLog.read`."""
        start = "-" if after is None else f"({after}"

        async def work(client: Redis) -> Any:
            return await client.xrange(self._key, min=start, max="+", count=limit)

        rows: list[tuple[bytes, dict[bytes, bytes]]] = await self._cache.run(work)
        return [LoggedFacts(position.decode(), decode(fields[FIELD])) for position, fields in rows]
