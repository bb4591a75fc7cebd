"""Which of several servers is taken for the primary."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest
import trio
import trio_asyncio
from trio.testing import MockClock

from scoreboard.stores.postgres_hosts import hosts_of
from scoreboard.stores.primary import PATIENCE_S, Host, find_primary

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
