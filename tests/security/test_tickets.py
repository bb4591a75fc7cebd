"""Tickets: good once, soon, and only as they were handed out."""

from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.security.errors import TicketRefused
from scoreboard.security.tickets import LIFETIME_S, MOST_USED, Tickets
from scoreboard.security.tokens import Caller

ANN = Caller("u1", "Änn", "user", ("leaderboard.view",), "s1", 1_800_000_000)


class Shared:
    """What all workers see: which were used; `answers` is turned off when it is away."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.answers = True

    async def first_use(self, name: str, within_s: int) -> bool | None:
        assert within_s == LIFETIME_S
        await trio.lowlevel.checkpoint()
        if not self.answers:
            return None
        first = name not in self.names
        self.names.add(name)
        return first


class Worker:
    """One worker's tickets, and a clock that a test moves."""

    def __init__(self, shared: Shared | None = None, secret: bytes = b"secret") -> None:
        self.now_us = 1_761_820_200_000_000
        self.shared = shared or Shared()
        self.tickets = Tickets(secret, now_us=lambda: self.now_us, used=self.shared)


async def test_a_ticket_says_who_one_is_once() -> None:
    """The same player, of the same session, until the access token expires."""
    worker = Worker()
    ticket = worker.tickets.issue(ANN)
    assert ticket.expires_in_s == 30
    assert await worker.tickets.redeem(ticket.text) == ANN
    with pytest.raises(TicketRefused, match="used before"):
        await worker.tickets.redeem(ticket.text)


async def test_a_ticket_is_used_up_for_all_workers() -> None:
    """Whichever took it."""
    one = Worker()
    two = Worker(one.shared)
    ticket = one.tickets.issue(ANN)
    assert await two.tickets.redeem(ticket.text) == ANN
    with pytest.raises(TicketRefused, match="used before"):
        await one.tickets.redeem(ticket.text)


async def test_of_two_at_the_same_moment_one_is_let_in() -> None:
    """Also while nobody can be asked: then each worker knows its own."""
    worker = Worker()
    worker.shared.answers = False
    text = worker.tickets.issue(ANN).text
    taken: list[Caller | None] = []

    async def use() -> None:
        try:
            taken.append(await worker.tickets.redeem(text))
        except TicketRefused:
            taken.append(None)

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(use)
    assert (taken.count(ANN), taken.count(None)) == (1, 4)


async def test_a_ticket_expires() -> None:
    """After half a minute, used or not; what was used is forgotten then."""
    worker = Worker()
    text, used = worker.tickets.issue(ANN).text, worker.tickets.issue(ANN).text
    await worker.tickets.redeem(used)
    worker.now_us += LIFETIME_S * 1_000_000
    for each in (text, used):
        with pytest.raises(TicketRefused, match="expired"):
            await worker.tickets.redeem(each)
    await worker.tickets.redeem(worker.tickets.issue(ANN).text)
    assert repr(worker.tickets) == "<Tickets, 1 used lately>"


@pytest.mark.parametrize("text", ["", "x", "=", "a" * 2000, "ä", "AAAA" * 20])
async def test_what_is_no_ticket_is_refused(text: str) -> None:
    """Whatever it is."""
    with pytest.raises(TicketRefused, match="not valid"):
        await Worker().tickets.redeem(text)


@given(st.integers(0, 1000))
def test_a_ticket_that_was_changed_is_refused(where: int) -> None:
    """Each of its characters counts; the last one may hold bits that mean nothing."""
    worker = Worker()
    text = worker.tickets.issue(ANN).text
    at = where % (len(text) - 1)
    other = "B" if text[at] == "A" else "A"
    with pytest.raises(TicketRefused, match="not valid"):
        trio.run(worker.tickets.redeem, text[:at] + other + text[at + 1 :])


async def test_a_ticket_of_another_server_is_refused() -> None:
    """It has another key."""
    with pytest.raises(TicketRefused, match="not valid"):
        await Worker().tickets.redeem(Worker(secret=b"other").tickets.issue(ANN).text)


async def test_no_more_are_taken_than_can_be_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket that is not remembered could be used twice."""
    monkeypatch.setattr("scoreboard.security.tickets.MOST_USED", 2)
    worker = Worker()
    for _ in range(2):
        await worker.tickets.redeem(worker.tickets.issue(ANN).text)
    with pytest.raises(TicketRefused, match="Too many"):
        await worker.tickets.redeem(worker.tickets.issue(ANN).text)
    assert MOST_USED > 10_000
