"""Which of several servers is taken for the primary."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
import trio
import trio_asyncio
from trio.testing import MockClock

from actors.ports import StoreUnavailable
from scoreboard.stores.postgres_claims import NO_CLAIM, Claim
from scoreboard.stores.postgres_hosts import Hosts, hosts_of
from scoreboard.stores.primary import PATIENCE_S, Host, all_primaries, find_primary
from tests.stores.bounds import UNHURRIED

#: After so many seconds a server says that it is the primary; or, less than 0, that it is none.
Says = Mapping[str, float]
NEVER = 1e6


async def found(says: Says) -> tuple[str, float]:
    """Which it is, and how long that took to find out."""

    async def ask(name: str) -> None:
        await asyncio.sleep(abs(says[name]))
        if says[name] < 0:
            raise ConnectionError(f"{name} is none")

    async with trio_asyncio.open_loop() as loop:
        began = trio.current_time()
        name = await loop.run_aio_coroutine(find_primary(list(says), ask))
        return name, round(trio.current_time() - began, 3)


@pytest.mark.parametrize(
    ("says", "name", "after_s"),
    [
        ({"one": 0.1, "two": NEVER}, "one", 0.1),
        ({"one": -0.1, "two": 0.2, "three": NEVER}, "two", 0.2),
        ({"one": 0.3, "two": 0.1}, "one", 0.3),
        ({"one": NEVER, "two": 0.1}, "two", PATIENCE_S),
        ({"one": NEVER, "two": 2.0}, "two", 2.0),
        ({"one": 0.1}, "one", 0.1),
    ],
)
async def test_the_first_that_says_so_is_the_one(
    autojump_clock: MockClock, says: Says, name: str, after_s: float
) -> None:
    """In the order of the URL, for whom one waits a little, and not for ever for one that says nothing."""
    assert (name, after_s) == await found(says)


async def test_where_there_is_none_the_last_says_why(autojump_clock: MockClock) -> None:
    """When all have spoken."""
    with pytest.RaisesGroup(pytest.RaisesGroup(pytest.RaisesExc(ConnectionError, match="two is none"))):
        await found({"one": -0.2, "two": -0.1})


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("postgresql://me:a%40b@one:1,[::1]:2,three/db", [Host("one", 1), Host("::1", 2), Host("three", None)]),
        ("postgresql:///db?host=/run/a,/run/b&port=7", [Host("/run/a", 7), Host("/run/b", 7)]),
        ("postgresql:///db?host=one,two&port=1,2", [Host("one", 1), Host("two", 2)]),
        ("postgresql:///db", []),
    ],
)
def test_a_url_of_postgres_names_its_hosts(url: str, hosts: Sequence[Host]) -> None:
    """As libpq reads it."""
    assert hosts == hosts_of(url)


@pytest.mark.parametrize(
    ("says", "names", "after_s"),
    [
        ({"one": 0.1, "two": 0.3}, ["one", "two"], 0.3),
        ({"one": 0.1, "two": -0.2}, ["one"], 0.2),
        ({"one": 0.1, "two": NEVER}, ["one"], PATIENCE_S),
        ({"one": NEVER, "two": 2.0, "three": 2.1}, ["two"], 2.0),
        ({"one": -2.0, "two": 2.1}, ["two"], 2.1),
    ],
)
async def test_all_that_say_so_are_heard_for_a_little_while(
    autojump_clock: MockClock, says: Says, names: list[str], after_s: float
) -> None:
    """So that one can be chosen by what they say; then the first one is as good as any."""

    async def ask(name: str) -> str:
        await asyncio.sleep(abs(says[name]))
        if says[name] < 0:
            raise ConnectionError(f"{name} is none")
        return name.upper()

    async with trio_asyncio.open_loop() as loop:
        began = trio.current_time()
        said = await loop.run_aio_coroutine(all_primaries(list(says), ask))
        assert ({name: name.upper() for name in names}, after_s) == (said, round(trio.current_time() - began, 3))


class Told(Hosts):
    """Two servers, of which it is told what they claim."""

    def __init__(self) -> None:
        super().__init__("postgresql://one,two/db", UNHURRIED)
        self.claims: list[Claim | None] = [None, None]

    async def ask(self, number: int) -> Claim:
        """None if it takes no writes."""
        claim = self.claims[number]
        if claim is None:
            raise StoreUnavailable("this Postgres only reads")
        return claim

    async def after(self, one: Claim | None, two: Claim | None, *, lost: bool = False) -> str:
        """Which is followed when they claim that; looked for because it was `lost`, or as every now and then."""
        self.claims = [one, two]
        await (self.find() if lost else self.find_better(self.ask))
        return repr(self)


async def test_of_two_that_take_writes_the_later_timeline_is_followed_and_never_left(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Also where the former primary stands first, and where it alone answers. Operators hear of it once."""
    async with trio_asyncio.open_loop() as loop:
        hosts = Told()
        steps = [
            await loop.run_aio_coroutine(hosts.after(*claims, lost=lost))
            for claims, lost in (
                ((Claim(1, 5), None), True),
                ((Claim(1, 5), Claim(2, 0)), False),
                ((Claim(1, 5), Claim(2, 9)), True),
                ((Claim(1, 5), None), False),
            )
        ]
        assert ["<Hosts, one:5432>"] + ["<Hosts, two:5432>"] * 3 == steps
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="one on 00000002 has been the primary"):
                await loop.run_aio_coroutine(hosts.after(Claim(1, 5), None, lost=True))
    told = ["Postgres is on timeline 00000002", "Postgres at two:5432 is the primary now"]
    told += ["Postgres at one:5432 takes writes, too", "Postgres at one:5432 takes writes on timeline 00000001"]
    assert [True] * 4 == [line.startswith(what) for what, line in zip(told, caplog.messages, strict=True)]


async def test_a_server_in_the_place_of_another_is_another_also_under_the_same_name() -> None:
    """An address may have moved to the one that was promoted: what is under way is with the one that had it before."""
    async with trio_asyncio.open_loop() as loop:
        hosts = Told()
        for claim, is_other in ((Claim(1, 5), False), (Claim(1, 9), False), (Claim(2, 0), True), (Claim(2, 7), False)):
            hosts.claims = [claim, None]
            assert is_other is await loop.run_aio_coroutine(hosts.find())


async def test_of_two_on_timelines_of_one_number_the_one_that_was_followed_last_counts() -> None:
    """Whether one was there is not what decides, but what stands in them, which all workers read."""
    async with trio_asyncio.open_loop() as loop:
        for first, second, followed in (
            (Claim(2, 0), Claim(2, 0), "one"),
            (Claim(2, 0), Claim(2, 7), "two"),
            (Claim(2, 9), Claim(2, 7), "one"),
            (NO_CLAIM, NO_CLAIM, "one"),
        ):
            for lost in (True, False):
                hosts = Told()
                await loop.run_aio_coroutine(hosts.after(first, None, lost=True))
                assert f"<Hosts, {followed}:5432>" == await loop.run_aio_coroutine(
                    hosts.after(first, second, lost=lost)
                )


async def test_who_does_not_answer_for_a_moment_is_not_left_for_one_that_claims_no_more() -> None:
    """Only if it is lost: somebody has promoted the other one then."""
    async with trio_asyncio.open_loop() as loop:
        hosts = Told()
        await loop.run_aio_coroutine(hosts.after(Claim(2, 5), None, lost=True))
        assert "<Hosts, one:5432>" == await loop.run_aio_coroutine(hosts.after(None, Claim(2, 0)))
        assert "<Hosts, two:5432>" == await loop.run_aio_coroutine(hosts.after(None, Claim(2, 0), lost=True))


class Slow(Told):
    """Two servers, of which the second takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    async def ask(self, number: int) -> Claim:
        """The same, later."""
        if number:
            await asyncio.sleep(self._seconds)
        return await super().ask(number)


@pytest.mark.parametrize(("seconds", "followed"), [(2.5, "two"), (NEVER, "one")])
async def test_who_starts_waits_for_all_that_may_answer(
    autojump_clock: MockClock, seconds: float, followed: str
) -> None:
    """Nothing is known yet of a later timeline: what a former primary took until another look would be lost."""
    del autojump_clock
    async with trio_asyncio.open_loop() as loop:
        hosts = Slow(seconds)
        began = trio.current_time()
        assert f"<Hosts, {followed}:5432>" == await loop.run_aio_coroutine(
            hosts.after(Claim(1, 5), Claim(2, 0), lost=True)
        )
        assert trio.current_time() - began <= UNHURRIED.connect_s
