"""Passwords tried on many accounts, from many addresses: players score on, and nobody waits in an endless queue."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from itertools import count

import bcrypt
import pytest
import trio

from actors.ports import UserId
from scoreboard.security.keys import KeyRing
from scoreboard.security.passwords import Passwords
from tests.api.world import PASSWORD, World, running_world

PLACES = 8
LOGIN = "/api/auth/login"


class Hashing:
    """In the place of bcrypt's work: notes what is done in which threads, and how many at once; may be held up."""

    def __init__(self) -> None:
        self.threads: set[int] = set()
        self.begun: list[str] = []
        self.done = self.most = self._running = 0
        self.free = threading.Event()
        self.free.set()
        self._lock = threading.Lock()
        self._compare = bcrypt.checkpw

    def checkpw(self, password: bytes, hashed: bytes) -> bool:
        """The same, noted."""
        with self._lock:
            self.threads.add(threading.get_ident())
            self.begun.append(password.decode())
            self._running += 1
            self.most = max(self.most, self._running)
        self.free.wait(30)
        with self._lock:
            self._running -= 1
            self.done += 1
        return self._compare(password, hashed)

    @property
    def running(self) -> int:
        """How many are at it now."""
        return self._running


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Hashing:
    """Takes the place of bcrypt."""
    found = Hashing()
    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.checkpw", found.checkpw)
    return found


class Sites:
    """Where requests come from: each from somewhere else, until `one` is named."""

    def __init__(self) -> None:
        self._numbers = count()
        self.one: str | None = None

    def __call__(self, _: str) -> str:
        return self.one or f"site {next(self._numbers)}"


@pytest.fixture
def sites() -> Sites:
    """Of the world's requests."""
    return Sites()


@pytest.fixture
async def world(ring: KeyRing, sites: Sites) -> AsyncIterator[World]:
    """One password at a time is computed, seven wait; one address or account has a quarter of that."""
    passwords = Passwords(rounds=4, concurrency=1, waiting=PLACES - 1, share=0.25)
    async with running_world(ring=ring, passwords=passwords, site_of=sites) as running:
        yield running


async def guess(world: World, name: str, told: Counter[int]) -> None:
    """One try."""
    answer = await world.post(LOGIN, {"username": name, "password": "Summer-2026-guess"})
    told[answer.status_code] += 1
    assert (answer.status_code == 503) == ("Retry-After" in answer.headers)


async def until(fact: Callable[[], bool]) -> None:
    """Wait for something that a thread does."""
    with trio.fail_after(10):
        while not fact():  # noqa: ASYNC110 - a thread cannot set an event of Trio
            await trio.sleep(0.001)


async def test_a_spray_is_hashed_in_few_threads_and_never_on_the_loop(world: World, hashing: Hashing) -> None:
    """However many come at once: those for whom there is no place are sent away, and nothing is written."""
    for name in ("ada", "bob"):
        await world.signed_up(name)
    before, told = world.state(), Counter[int]()
    async with trio.open_nursery() as nursery:
        for number in range(200):
            nursery.start_soon(guess, world, ("ada", "bob", f"nobody {number}")[number % 3], told)
    assert 200 == told[401] + told[503]
    assert told[401] == hashing.done
    assert PLACES <= told[401] < 200
    assert 1 == hashing.most
    assert threading.get_ident() not in hashing.threads
    assert before == world.state()


async def test_players_score_while_all_who_hash_are_busy(world: World, hashing: Hashing) -> None:
    """No request but those with passwords waits for a thread; who is sent away costs no look into the database."""
    ada, told = await world.signed_up("ada"), Counter[int]()
    hashing.free.clear()
    async with trio.open_nursery() as nursery:
        for number in range(PLACES):
            nursery.start_soon(guess, world, f"nobody {number}", told)
        await until(lambda: hashing.running == 1 and f"inside={PLACES}/{PLACES}" in repr(world.given.passwords))
        looked = world.accounts.faults.calls
        for number in range(50):
            await guess(world, f"somebody {number}", told)
        assert ({503: 50}, looked) == (told, world.accounts.faults.calls)
        for _ in range(3):
            await world.point(ada)
        assert 200 == (await world.get("/api/scores/top")).status_code
        hashing.free.set()
    assert {503: 50, 401: PLACES} == told


@pytest.mark.parametrize("spray", ["one address", "one account"])
async def test_an_honest_player_signs_in_beside_a_spray(
    spray: str, world: World, hashing: Hashing, sites: Sites
) -> None:
    """From one address on many accounts, or on one account from many addresses: each has its share and no more."""
    await world.signed_up("ada")
    told, statuses = Counter[int](), list[int]()

    async def sign_in() -> None:
        answer = await world.post(LOGIN, {"username": "ada", "password": PASSWORD})
        statuses.append(answer.status_code)

    hashing.free.clear()
    async with trio.open_nursery() as nursery:
        sites.one = "an attacker's" if spray == "one address" else None
        for number in range(50):
            nursery.start_soon(guess, world, f"nobody {number if spray == 'one address' else 0}", told)
        await until(lambda: told[503] == 50 - PLACES // 4)
        sites.one = "ada's"
        nursery.start_soon(sign_in)
        await until(lambda: f"inside={PLACES // 4 + 1}/{PLACES}" in repr(world.given.passwords))
        hashing.free.set()
    assert [200] == statuses


@pytest.fixture
async def kept(ring: KeyRing, sites: Sites) -> AsyncIterator[World]:
    """Beside the places of all there are two for accounts at addresses where they signed in before."""
    passwords = Passwords(rounds=4, concurrency=1, waiting=PLACES - 1, share=0.25, kept=2)
    async with running_world(ring=ring, passwords=passwords, site_of=sites) as running:
        yield running


async def sprayed(world: World, hashing: Hashing, nursery: trio.Nursery, told: Counter[int]) -> None:
    """All places of everybody are taken, from many addresses and on many accounts."""
    hashing.free.clear()
    for number in range(50):
        nursery.start_soon(guess, world, f"nobody {number}", told)
    await until(lambda: told[503] == 50 - PLACES and f"inside={PLACES}/{PLACES}" in repr(world.given.passwords))


async def test_who_signed_in_from_there_before_does_so_beside_a_spray_of_all_places(
    kept: World, hashing: Hashing, sites: Sites
) -> None:
    """And next, whoever else waits. Somewhere else the same player is one of many."""
    await kept.signed_up("ada")
    sites.one = "ada's"
    assert 200 == (await kept.post(LOGIN, {"username": "ada", "password": PASSWORD})).status_code
    told, order = Counter[int](), list[int]()

    async def sign_in(name: str, password: str) -> None:
        order.append((await kept.post(LOGIN, {"username": name, "password": password})).status_code)

    async with trio.open_nursery() as nursery:
        sites.one = None
        await sprayed(kept, hashing, nursery, told)
        await sign_in("ada", PASSWORD)  # from elsewhere
        sites.one = "ada's"
        await sign_in("bob", PASSWORD)  # another account, from there
        assert [503, 503] == order
        nursery.start_soon(sign_in, "Ada", PASSWORD)
        await until(lambda: "known=1/2" in repr(kept.given.passwords))
        before = len(hashing.begun)  # the last of them is at it now
        hashing.free.set()
        await until(lambda: len(order) == 3)
        assert 200 == order[-1]
        assert PASSWORD == hashing.begun[before]
    assert PLACES == told[401]


async def test_who_shares_the_address_of_a_player_gains_one_place(kept: World, hashing: Hashing, sites: Sites) -> None:
    """For guesses of that player's password; beside it there are those of everybody. It tells others nothing."""
    await kept.signed_up("ada")
    sites.one = "shared"
    assert 200 == (await kept.post(LOGIN, {"username": "ada", "password": PASSWORD})).status_code
    told, shared, elsewhere = Counter[int](), Counter[int](), Counter[int]()
    async with trio.open_nursery() as nursery:
        sites.one = None
        await sprayed(kept, hashing, nursery, told)
        sites.one = "shared"
        for _ in range(5):
            nursery.start_soon(guess, kept, "ada", shared)
        await until(lambda: shared[503] == 4)
        sites.one = "elsewhere"
        for name in ("ada", "nobody"):
            await guess(kept, name, elsewhere)
        assert {503: 2} == elsewhere
        hashing.free.set()
    assert {503: 4, 401: 1} == shared


async def test_a_wrong_password_makes_nobody_known(kept: World, hashing: Hashing, sites: Sites) -> None:
    """Nor does a right one of an account that may not sign in, nor a name that nobody has."""
    ada = await kept.signed_up("ada")
    sites.one, told = "an attacker's", Counter[int]()
    for name in ("ada", "nobody"):
        await guess(kept, name, told)
    kept.players.rows[UserId(ada.user_id)].banned = True
    assert 403 == (await kept.post(LOGIN, {"username": "ada", "password": PASSWORD})).status_code
    assert "<Familiar, 0 pairs, 0 untold>" == repr(kept.given.familiar)
    assert {401: 2} == told
