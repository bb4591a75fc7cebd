"""The event log as a stream of Redis: facts in the order in which workers published them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from redis.asyncio import Redis

from actors.ports import ChainId, Heard, LoggedFacts, ScoreFact, UserId
from scoreboard.stores.redis_pool import Cache

FACTS, CHAIN, BATCHES, HISTORY = b"f", b"w", b"n", b"h"

#: Before all entries.
BEGINNING = "0-0"


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
_decode_numbers = msgspec.msgpack.Decoder(tuple[int, ...]).decode


def encode(facts: Sequence[ScoreFact]) -> bytes:
    """Facts as bytes; an array for each, without names."""
    return _encode(facts)


def decode(payload: bytes) -> tuple[ScoreFact, ...]:
    """The facts in bytes that `encode` made, or the version before it: those seem to have added nothing."""
    return tuple(ScoreFact(UserId(row.user_id), *msgspec.structs.astuple(row)[1:]) for row in _decode(payload))


class RedisEventLog:
    """`EventLog` on one stream, ``<prefix>events``, of about `length` entries.

    Nobody needs an old entry: whoever comes, or comes back, reads Postgres. `listener` has a connection of its own, so
    that waiting for an entry keeps nobody else waiting.
    """

    def __init__(self, cache: Cache, listener: Cache, chain: ChainId, *, length: int = 2_000) -> None:
        self._cache = cache
        self._listener = listener
        self._chain = chain.encode()
        self._key = f"{cache.prefix}events"
        self._length = length

    def __repr__(self) -> str:
        return f"<RedisEventLog {self._key} of {self._chain.decode()}>"

    async def append(self, facts: Sequence[ScoreFact], batches: Sequence[int] = (), history: str = "") -> str:
        """See `EventLog.append`. After StoreUnavailable the entry may stand, and a second append adds it twice."""
        fields: dict[Any, Any] = {FACTS: encode(facts), CHAIN: self._chain, BATCHES: _encode(batches)}
        fields[HISTORY] = history

        async def work(client: Redis) -> Any:
            return await client.xadd(self._key, fields, maxlen=self._length, approximate=True)

        position: bytes = await self._cache.run(work)
        return position.decode()

    async def end(self) -> str:
        """See `EventLog.end`."""

        async def work(client: Redis) -> Any:
            return await client.xrevrange(self._key, count=1)

        last: list[tuple[bytes, Any]] = await self._cache.run(work)
        return last[0][0].decode() if last else BEGINNING

    async def read(self, after: str, limit: int, within_s: float = 0.0) -> Heard:
        """See `EventLog.read`."""
        block_ms = round(within_s * 1000) or None  # 0 would be for ever

        async def work(client: Redis) -> Any:
            return await client.xread({self._key: after}, count=limit, block=block_ms)

        found: list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]] = await self._listener.run(work)
        rows = found[0][1] if found else []
        others = tuple(_logged(position, fields) for position, fields in rows if fields.get(CHAIN) != self._chain)
        return Heard(others, rows[-1][0].decode() if rows else after)


def _logged(position: bytes, fields: Mapping[bytes, bytes]) -> LoggedFacts:
    """An entry; one of a version before says neither whose it is nor what of whom, or not of which history it is."""
    facts = decode(fields[FACTS])
    if CHAIN not in fields:
        return LoggedFacts(position.decode(), facts)
    whose = ChainId(fields[CHAIN].decode()), _decode_numbers(fields[BATCHES])
    return LoggedFacts(position.decode(), facts, *whose, fields.get(HISTORY, b"").decode())
