"""The names under which Redis holds what others may read there: all of them, with type, content and end."""

from __future__ import annotations

import time
from typing import Any

import pytest

from actors.ports import ALL_TIME, SHOWN_S, BoardId, BoardPart, ScoreFact, SpentToken, UserId
from scoreboard.stores.opening import Stores
from scoreboard.stores.redis_answers import RedisAnswers
from scoreboard.stores.redis_tickets import RedisTickets
from tests.vault import open_stores

pytestmark = pytest.mark.stores

ADA = UserId("9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f")
FACE = ("GB", "https://cdn.example.com/ada.png")
HASH = bytes(range(32))
DAY_MS = 86_400_000


async def found(stores: Stores) -> dict[str, tuple[str, Any, int]]:
    """Type, content and milliseconds to live (-1: for ever) of every key."""

    async def work(client: Any) -> dict[str, tuple[str, Any, int]]:
        told = {}
        for key in await client.keys("*"):
            kind = (await client.type(key)).decode()
            told[key.decode()] = (kind, await content(client, kind, key), await client.pttl(key))
        return told

    return await stores.redis.run(work)


async def content(client: Any, kind: str, key: bytes) -> Any:
    """What stands there; of a stream how much."""
    match kind:
        case "zset":
            return {member.decode(): score for member, score in await client.zrange(key, 0, -1, withscores=True)}
        case "hash":
            return {name.decode(): value.decode() for name, value in (await client.hgetall(key)).items()}
        case "string":
            return (await client.get(key)).decode()
    return await client.xlen(key)


async def fill(stores: Stores, now_ms: int) -> None:
    """One of each."""
    fact = ScoreFact(ADA, "Ada", 120, 7, now_ms * 1000, 1, now_ms * 1000, *FACE)
    await stores.events.append([fact])
    await stores.cache.put(ALL_TIME, [fact], [SpentToken(HASH, ADA, "goal-1", (now_ms + 60_000) * 1000)])
    for name, of_scores, left_ms in ("daily", {ADA: 3}, 60_000), ("weekly:GB", {ADA: 5}, DAY_MS):
        await stores.cache.show(BoardPart(BoardId(name), of_scores, until_us=(now_ms + left_ms) * 1000))
    await stores.cache.show(BoardPart(BoardId("all_time:GB"), {ADA: 120}))
    assert await RedisTickets(stores.redis).first_use("a-ticket", 30)
    await stores.bell.ring()
    await RedisAnswers(stores.redis).keep("a-name", b"sealed", 300)


async def test_every_key_has_its_name_type_and_end(postgres_url: str, redis_url: str) -> None:
    """As document B lists them, under the prefix; and no others."""
    now_ms = int(time.time() * 1000)
    async with open_stores(postgres_url, redis_url, prefix="game:") as stores:
        await fill(stores, now_ms)
        told = await found(stores)
    face = {"username": "Ada", "country": "GB", "avatar": FACE[1]}
    assert {
        "game:leaderboard:all_time": ("zset", {ADA: 120.0}),
        "game:leaderboard:all_time:GB": ("zset", {ADA: 120.0}),
        "game:leaderboard:daily": ("zset", {ADA: 3.0}),
        "game:leaderboard:weekly:GB": ("zset", {ADA: 5.0}),
        f"game:user:{ADA}": ("hash", face),
        f"game:action-token:{HASH.hex()}": ("string", f"{ADA}:goal-1"),
        "game:live-ticket:a-ticket": ("string", "1"),
        "game:answer:a-name": ("string", "sealed"),
        "game:events": ("stream", 1),
        "game:announcements": ("string", "1"),
    } == {name: (kind, value) for name, (kind, value, _) in told.items()}
    ends = {name.removeprefix("game:"): left for name, (_, _, left) in told.items() if left != -1}
    most = {
        "leaderboard:daily": 60_000,
        "leaderboard:weekly:GB": SHOWN_S * 1000,
        "leaderboard:all_time:GB": SHOWN_S * 1000,
        "live-ticket:a-ticket": 30_000,
        "answer:a-name": 300_000,
    }
    most[f"action-token:{HASH.hex()}"] = 60_000
    assert most.keys() == ends.keys()
    assert all(0 < ends[name] <= most[name] for name in most), ends


async def test_many_tokens_are_shown_at_once(postgres_url: str, redis_url: str) -> None:
    """Each with its own end; one whose time is over leaves nothing behind, and no scores are needed beside them."""
    now_ms = int(time.time() * 1000)
    tokens = [SpentToken(bytes([n]), ADA, f"a{n}", (now_ms + n * 1_000) * 1000) for n in range(100, 200)]
    async with open_stores(postgres_url, redis_url) as stores:
        await stores.cache.put(ALL_TIME, [], [*tokens, SpentToken(b"\0", ADA, "old", (now_ms - 1) * 1000)])
        told = await found(stores)
    assert {f"action-token:{token.name.hex()}": f"{ADA}:{token.action_id}" for token in tokens} == {
        name: value for name, (_, value, _) in told.items()
    }
    lefts = [told[f"action-token:{token.name.hex()}"][2] for token in tokens]
    assert sorted(lefts) == lefts
    assert len(set(lefts)) == len(tokens)


async def test_the_first_answer_is_kept_for_all_workers(postgres_url: str, redis_url: str) -> None:
    """A second one does not take its place, and is told the first."""
    async with open_stores(postgres_url, redis_url) as stores:
        one, two = RedisAnswers(stores.redis), RedisAnswers(stores.redis)
        assert await two.find("a") is None
        assert await one.keep("a", b"first\x00\xff", 30) == b"first\x00\xff"
        assert await two.keep("a", b"second", 30) == b"first\x00\xff"
        assert await two.find("a") == b"first\x00\xff"


async def test_without_redis_nothing_is_kept(postgres_url: str) -> None:
    """And nobody is told more than that."""
    async with open_stores(postgres_url, "redis://127.0.0.1:1") as stores:
        answers = RedisAnswers(stores.redis)
        assert await answers.find("a") is None
        assert await answers.keep("a", b"mine", 30) == b"mine"
