from __future__ import annotations

import gzip

import msgspec
import pytest

from scoreboard.api.compression import Packed
from tests.api.wire import Sent, ask
from tests.api.world import World

GZIP = [(b"accept-encoding", b"br, gzip;q=0.8")]
TOP = "/api/scores/top"
TOP_OF_B = "/api/v1/leaderboard/top"


async def get(world: World, path: str, accepted: list[tuple[bytes, bytes]], query: bytes = b"") -> Sent:
    """One GET."""
    return await ask(world.app, "GET", path, query=query, headers=accepted)


async def crowd(world: World) -> None:
    """Enough players for a page that pays."""
    for number in range(20):
        await world.point(await world.signed_up(f"player-{number}"))


@pytest.mark.parametrize("path", [TOP, TOP_OF_B, "/web/client.js", "/api/openapi.json", "/"])
async def test_what_is_large_is_compressed_for_who_takes_it(world: World, path: str) -> None:
    """The same text, smaller; caches are told that it depends on who asks, and the entity tag is the same weak one."""
    await crowd(world)
    plain, small = await get(world, path, []), await get(world, path, GZIP)
    unpacked, told = gzip.decompress(small.body), plain.body
    if path.endswith("/top"):
        unpacked, told = unpacked[:-40], told[:-40]  # the moment
    assert unpacked[:2000] == told[:2000]
    assert len(small.body) < len(plain.body) * 0.7
    assert ("gzip", str(len(small.body))) == (small.headers["content-encoding"], small.headers["content-length"])
    assert "content-encoding" not in plain.headers
    varies = [dict(each.messages[0]["headers"])[b"etag"] for each in (plain, small)]
    assert varies[0] == varies[1]
    assert varies[0].startswith(b'W/"')
    for each in (plain, small):
        assert (b"vary", b"accept-encoding") in each.messages[0]["headers"]


async def test_a_kept_slice_is_whole_whatever_its_moment(world: World) -> None:
    """The rows are compressed once, the time is put behind them."""
    await crowd(world)
    first = await get(world, TOP, GZIP)
    world.clock.move(5.0)
    second = await get(world, TOP, GZIP)
    told = [msgspec.json.decode(gzip.decompress(each.body)) for each in (first, second)]
    assert told[0]["leaderboard"] == told[1]["leaderboard"]
    assert 5000 == told[1]["timestamp"] - told[0]["timestamp"]
    assert first.body[:200] == second.body[:200]


@pytest.mark.parametrize("accepted", [b"", b"identity", b"br", b"gzip;q=0", b"gzip; q=0.000", b"gzipped"])
async def test_who_does_not_take_it_gets_it_plain(world: World, accepted: bytes) -> None:
    """A weight of nothing is a no."""
    sent = await get(world, "/web/client.js", [(b"accept-encoding", accepted)])
    assert "content-encoding" not in sent.headers


async def test_small_answers_and_answers_to_writes_are_sent_as_they_are(world: World) -> None:
    """A packet is not filled either way; and what holds tokens is not compressed beside what a stranger chose."""
    small = await get(world, "/health", GZIP)
    body = {"username": "Ada", "email": "ada@example.org", "password": "a long enough secret"}
    tokens = await world.post("/api/v1/auth/register", body, headers={"Accept-Encoding": "gzip"})
    assert 201 == tokens.status_code
    assert "content-encoding" not in small.headers
    assert "Content-Encoding" not in tokens.headers


async def test_who_has_it_already_hears_that_it_depends_on_the_encoding(world: World) -> None:
    """A cache renews what it keeps by these headers."""
    first = await get(world, TOP, GZIP)
    again = await get(world, TOP, [*GZIP, (b"if-none-match", first.headers["etag"].encode())])
    assert (304, "accept-encoding", b"") == (again.status, again.headers["vary"], again.body)


@pytest.mark.parametrize("start", [b"", b"x", b"abc" * 30_000])
@pytest.mark.parametrize("end", [b"", b"}", b"y" * 65_535])
def test_a_beginning_is_compressed_once_for_every_end(start: bytes, end: bytes) -> None:
    """What comes out is gzip that anybody reads."""
    assert start + end == gzip.decompress(Packed.of(start).ending(end))
