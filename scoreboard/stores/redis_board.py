"""Boards in Redis: a sorted set of scores each, and a hash for each player, under the names of the contract."""

from __future__ import annotations

import math
import secrets
from collections.abc import Awaitable, Iterator, Sequence
from typing import Any, cast

import msgspec
import trio
from redis.asyncio import Redis

from actors.ports import SHOWN_S, BoardId, BoardPart, ScoreFact, SpentToken, StoreUnavailable, UserId
from scoreboard.stores.redis_pool import Cache

#: A name that was put is not put again for so many seconds: that would be a command more for each score, and names
#: hardly ever change. What Redis forgets is back after that time.
NAMES_S = 60.0
MOST_NAMES = 200_000

_pack = msgspec.msgpack.Encoder().encode

#: One command for all tokens of a batch: to write a command for each would take this process several times as long.
SPEND = """
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[2 * i - 1], 'PXAT', ARGV[2 * i]) end
"""

#: Scores are only raised, for two workers may bring the facts of one player in either order. For the same reason there
#: is a hash of those who were ever hidden, with the version of the last fact that hid them (less than 0) or showed them
#: again: what is older than being hidden does not bring a player back. While nobody was, this costs next to nothing.
PUT = """
local set, told = KEYS[1], KEYS[2]
local versions, raised = cmsgpack.unpack(ARGV[1]), tonumber(ARGV[2])
local nobody = redis.call('HLEN', told) == 0
local adds = {}
for i = 1, raised do
    local score, user = ARGV[2 * i + 1], ARGV[2 * i + 2]
    local known = (not nobody and tonumber(redis.call('HGET', told, user))) or 0
    if known >= 0 or versions[i] > -known then
        if known < 0 then redis.call('HSET', told, user, versions[i]) end
        adds[#adds + 1], adds[#adds + 2] = score, user
    end
    if #adds >= 1000 or (i == raised and #adds > 0) then
        redis.call('ZADD', set, 'GT', unpack(adds))
        adds = {}
    end
end
for i = raised + 1, #versions do
    local user = ARGV[raised + 2 + i]
    local known = tonumber(redis.call('HGET', told, user) or 0)
    if versions[i] >= math.abs(known) then
        redis.call('HSET', told, user, -versions[i])
        redis.call('ZREM', set, user)
    end
end
"""

#: Sets scores in the set that is read and, if this is the next piece of a copy, in that too, which knows by a member
#: without a name which piece that is. The last one puts it in the place of the set, so that there is never a part of it
#: only. Without its beginning, because a piece did not come or Redis lost it, the copy is left.
SHOW = """
local set, copy = KEYS[1], KEYS[2]
local piece, whole, shown = tonumber(ARGV[1]), ARGV[2] == '1', tonumber(ARGV[3])
local clock = redis.call('TIME')
local ends = clock[1] * 1000 + math.floor(clock[2] / 1000) + tonumber(ARGV[4])
if tonumber(ARGV[5]) > 0 then ends = math.min(ends, tonumber(ARGV[5])) end
if piece == 0 then
    redis.call('UNLINK', copy)
    redis.call('ZADD', copy, 0, '')
end
local awaited = redis.call('ZSCORE', copy, '')
local places = {set}
if awaited and tonumber(awaited) == piece then places[2] = copy end
for _, place in ipairs(places) do
    if shown > 0 then redis.call('ZADD', place, unpack(ARGV, 6, 5 + 2 * shown)) end
    if #ARGV > 5 + 2 * shown then redis.call('ZREM', place, unpack(ARGV, 6 + 2 * shown)) end
    redis.call('PEXPIREAT', place, ends)
end
if places[2] and whole then
    redis.call('ZREM', copy, '')
    if redis.call('EXISTS', copy) == 1 then redis.call('RENAME', copy, set) else redis.call('UNLINK', set) end
elseif places[2] then
    redis.call('ZADD', copy, piece + 1, '')
end
"""

#: Name, country and avatar of a player.
Face = tuple[str, str | None, str | None]


def put_arguments(facts: Sequence[ScoreFact]) -> list[bytes | str | int]:
    """What `PUT` takes of each player's last fact: versions, how many are shown, scores and ids of these, the rest."""
    newest: dict[UserId, ScoreFact] = {}
    for fact in facts:
        known = newest.get(fact.user_id)
        if known is None or (fact.version, fact.score) >= (known.version, known.score):
            newest[fact.user_id] = fact
    shown = [fact for fact in newest.values() if not fact.hidden]
    gone = [fact for fact in newest.values() if fact.hidden]
    arguments: list[bytes | str | int] = [_pack([fact.version for fact in (*shown, *gone)]), len(shown)]
    for fact in shown:
        arguments += fact.score, fact.user_id
    return arguments + [fact.user_id for fact in gone]


def show_arguments(part: BoardPart) -> list[str | int]:
    """What `SHOW` takes."""
    ends_ms = 0 if part.until_us is None else part.until_us // 1000
    piece = -1 if part.piece is None else part.piece
    arguments: list[str | int] = [piece, int(part.whole), len(part.scores), round(SHOWN_S * 1000), ends_ms]
    for user_id, score in part.scores.items():
        arguments += score, user_id
    return arguments + list(part.gone)


class RedisBoardCache:
    """`BoardCache` on ``<prefix>leaderboard:<board>``, ``<prefix>user:<id>`` and ``<prefix>action-token:<hash>``.

    Absent fields of a user are empty; what tells of a spent token expires when the token would have. The set of a
    period expires with it, so that none is taken for the present one if this process ends before. The hash
    ``<prefix>hidden:<board>`` is for `PUT` alone; ``<prefix>leaderboard-copy:<board>:<whose>`` for `SHOW`.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._whose = secrets.token_hex(4)
        self._named: dict[UserId, Face] = {}
        self._forget_at = -math.inf

    def _board(self, board: BoardId) -> str:
        return f"{self._cache.prefix}leaderboard:{board}"

    def _hidden(self, board: BoardId) -> str:
        return f"{self._cache.prefix}hidden:{board}"

    async def put(self, board: BoardId, facts: Sequence[ScoreFact], spent: Sequence[SpentToken] = ()) -> None:
        """See `BoardCache.put`."""
        if not (facts or spent):
            return
        keys = self._board(board), self._hidden(board)
        names = self._unnamed(facts)

        async def work(client: Redis) -> None:
            pipeline = client.pipeline(transaction=False)
            if facts:
                pipeline.eval(PUT, 2, *keys, *put_arguments(facts))
            for user_id, (username, country, avatar) in names.items():
                face: dict[Any, Any] = {"username": username, "country": country or "", "avatar": avatar or ""}
                pipeline.hset(f"{self._cache.prefix}user:{user_id}", mapping=face)
            if spent:
                pipeline.eval(SPEND, len(spent), *self._shown(spent))
            await pipeline.execute()

        try:
            await self._cache.run(work)
        except StoreUnavailable:
            self._named.clear()
            raise
        self._named.update(names)

    def _shown(self, spent: Sequence[SpentToken]) -> Iterator[str]:
        """What `SPEND` takes: the keys, then the value and the end of each."""
        prefix = f"{self._cache.prefix}action-token:"
        for token in spent:
            yield prefix + token.name.hex()
        for token in spent:
            yield f"{token.user_id}:{token.action_id}"
            yield str(token.until_us // 1000)

    def _unnamed(self, facts: Sequence[ScoreFact]) -> dict[UserId, Face]:
        """What Redis may not have of players' names, countries and avatars."""
        now = trio.current_time()
        if now >= self._forget_at or len(self._named) > MOST_NAMES:
            self._named.clear()
            self._forget_at = now + NAMES_S
        faces = {fact.user_id: (fact.username, fact.country, fact.avatar) for fact in facts}
        return {user_id: face for user_id, face in faces.items() if self._named.get(user_id) != face}

    async def show(self, part: BoardPart) -> None:
        """See `BoardCache.show`."""
        keys = self._board(part.board), f"{self._cache.prefix}leaderboard-copy:{part.board}:{self._whose}"
        arguments = show_arguments(part)

        async def work(client: Redis) -> None:
            await cast("Awaitable[object]", client.eval(SHOW, 2, *keys, *arguments))

        await self._cache.run(work)

    async def top(self, board: BoardId, limit: int) -> list[tuple[UserId, int]]:
        """See `BoardCache.top`."""
        if limit <= 0:
            return []

        async def work(client: Redis) -> Any:
            return await client.zrevrange(self._board(board), 0, limit - 1, withscores=True)

        rows: list[tuple[bytes, float]] = await self._cache.run(work)
        return [(UserId(member.decode()), int(score)) for member, score in rows]

    async def clear(self, board: BoardId) -> None:
        """See `BoardCache.clear`."""
        await self._cache.run(lambda client: client.unlink(self._board(board), self._hidden(board)))
