"""A world for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from functools import cache

import pytest
from trio.testing import MockClock

from actors.user.world import UserRules
from scoreboard.api.compression import packed
from scoreboard.security.keys import KeyRing
from tests.api.world import World, running_world
from tests.security.rings import fresh_ring


@pytest.fixture(scope="session", autouse=True)
def files_are_packed_once() -> Iterator[None]:
    """A server compresses its files when it starts, for half of the time that a world takes to start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scoreboard.api.files.packed", cache(packed))
        yield


@pytest.fixture(scope="session")
def ring() -> KeyRing:
    """Keys take a while to make, so one ring serves all tests."""
    return fresh_ring()


@pytest.fixture
async def world(ring: KeyRing) -> AsyncIterator[World]:
    """A server with the limits of document A."""
    async with running_world(ring=ring) as running:
        yield running


@pytest.fixture
async def unlimited(ring: KeyRing) -> AsyncIterator[World]:
    """A server without limits."""
    async with running_world(ring=ring, rules=UserRules(tokens=None, increments=None)) as running:
        yield running


@pytest.fixture
def walking_clock() -> MockClock:
    """A clock that goes as others do and can be moved on: for who waits for threads too, which none can hurry."""
    return MockClock(rate=1)
