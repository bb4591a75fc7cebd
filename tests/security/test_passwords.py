from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

import bcrypt
import pytest
import trio

from scoreboard.security.errors import HashingBusy, PasswordRefused
from scoreboard.security.passwords import Passwords, new_secret
from scoreboard.security.turns import Asker

QUICK = 4  # the lowest cost that bcrypt has


async def test_a_password_is_recognized_and_another_one_is_not() -> None:
    """What was hashed verifies, nothing else."""
    passwords = Passwords(rounds=QUICK)
    stored = await passwords.hash("SecureP@ssw0rd")
    assert stored.startswith("$2b$04$")
    assert await passwords.verify("SecureP@ssw0rd", stored)
    assert not await passwords.verify("SecureP@ssw0re", stored)


async def test_the_same_password_typed_on_another_system_is_recognized() -> None:
    """One letter with an accent, or a letter and an accent."""
    passwords = Passwords(rounds=QUICK)
    assert await passwords.verify("cafe\u0301 noir", await passwords.hash("caf\u00e9 noir"))


async def test_an_unknown_user_costs_as_much_as_a_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is no, after a real comparison of the same cost."""
    compared: list[bytes] = []
    real = bcrypt.checkpw

    def spy(password: bytes, hashed: bytes) -> bool:
        compared.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.checkpw", spy)
    passwords = Passwords(rounds=QUICK)
    stored = await passwords.hash("SecureP@ssw0rd")
    assert not await passwords.verify("SecureP@ssw0rd", None)
    assert not await passwords.verify("wrong password", stored)
    assert [60, 60] == [len(hashed) for hashed in compared]
    assert [b"$2b$04$", b"$2b$04$"] == [hashed[:7] for hashed in compared]


@pytest.mark.parametrize(
    ("password", "sentence"),
    [
        ("short77", "at least 8"),
        ("a" * 73, "72 bytes"),
        ("é" * 37, "72 bytes"),
        ("eight\0chars", r"U\+0000"),
        ("eight \ud800 chars", "surrogate"),
    ],
)
def test_a_password_that_cannot_be_hashed_is_refused_by_its_rule(password: str, sentence: str) -> None:
    """Clearly, before any hashing, and without repeating the password."""
    with pytest.raises(PasswordRefused, match=sentence) as refused:
        new_secret(password)
    assert password not in str(refused.value)


@pytest.mark.parametrize("password", ["12345678", "a" * 72, "пароль", "é" * 36])
def test_a_password_at_the_edge_is_taken(password: str) -> None:
    """8 characters are enough, 72 bytes not too many."""
    padded = password.ljust(8, "!")
    assert padded.encode() == new_secret(padded)


async def test_a_short_password_is_still_compared_at_login() -> None:
    """The rule for new passwords says nothing about old ones."""
    stored = bcrypt.hashpw(b"old", bcrypt.gensalt(QUICK)).decode()
    assert await Passwords(rounds=QUICK).verify("old", stored)


class Gate:
    """Stands in for bcrypt and holds every hash until it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.running = 0
        self.most = 0
        self._lock = threading.Lock()

    def hashpw(self, password: bytes, salt: bytes) -> bytes:
        """Counts who is inside at once."""
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.open.wait(10)
        with self._lock:
            self.running -= 1
        return b"$2b$04$" + b"x" * 53


async def until(fact: Callable[[], bool]) -> None:
    """Wait for something that a thread does."""
    with trio.fail_after(10):
        while not fact():  # noqa: ASYNC110  (a thread cannot set an event of Trio)
            await trio.sleep(0.001)


@pytest.mark.parametrize(("rounds", "wait_s"), [(12, 1), (14, 3)])
async def test_only_so_many_hashes_run_and_wait(rounds: int, wait_s: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One computes, two wait, the next is refused at once and told when to come back; then there is room again."""
    gate = Gate()
    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.hashpw", gate.hashpw)
    passwords = Passwords(rounds=rounds, concurrency=1, waiting=2)
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(passwords.hash, "long enough")
        await until(lambda: "inside=3/3" in repr(passwords) and gate.running == 1)
        with pytest.raises(HashingBusy) as busy:
            await passwords.hash("long enough")
        assert wait_s == busy.value.retry_after_s
        gate.open.set()
    assert 1 == gate.most
    assert f"<Passwords rounds={rounds} inside=0/3 known=0/0>" == repr(passwords)
    await passwords.hash("long enough")


async def test_who_hangs_up_while_waiting_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A place is given back by cancellation too."""
    gate = Gate()
    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.hashpw", gate.hashpw)
    passwords = Passwords(rounds=QUICK, concurrency=1, waiting=1)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(passwords.hash, "long enough")
        await until(lambda: gate.running == 1)
        with trio.move_on_after(0.01) as scope:
            await passwords.hash("long enough")
        assert scope.cancelled_caught
        assert "inside=1/2" in repr(passwords)
        gate.open.set()


async def test_hashing_does_not_hold_up_the_loop() -> None:
    """Others go on while a password is hashed."""
    passwords = Passwords(rounds=10)
    steps = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(passwords.hash, "long enough")
        begun = time.perf_counter()
        await trio.testing.wait_all_tasks_blocked()
        while "inside=1" in repr(passwords) and time.perf_counter() - begun < 5:
            await trio.sleep(0.001)
            steps += 1
    assert steps > 2


async def test_the_least_share_is_one_place() -> None:
    """Otherwise nobody could sign in at all."""
    passwords = Passwords(rounds=QUICK, concurrency=1, waiting=0, share=0.01)
    assert await passwords.hash("long enough", by=Asker(("site a", "account x")))


async def test_nobody_takes_all_places_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address, or an account, has its share of them; whoever else comes finds room, and then they do again."""
    gate = Gate()
    monkeypatch.setattr("scoreboard.security.passwords.bcrypt.hashpw", gate.hashpw)
    passwords = Passwords(rounds=12, concurrency=1, waiting=7, share=0.25)
    async with trio.open_nursery() as nursery:
        for _ in range(2):
            nursery.start_soon(partial(passwords.hash, "long enough", by=Asker(("site a", "account x"))))
        await until(lambda: "inside=2/8" in repr(passwords) and gate.running == 1)
        for names in (("site a", "account y"), ("site b", "account x")):
            with pytest.raises(HashingBusy):
                await passwords.verify("long enough", None, by=Asker(names))
        nursery.start_soon(partial(passwords.hash, "long enough", by=Asker(("site b", "account y"))))
        await until(lambda: "inside=3/8" in repr(passwords))
        gate.open.set()
    assert isinstance(await passwords.hash("long enough", by=Asker(("site a", "account x"))), str)
