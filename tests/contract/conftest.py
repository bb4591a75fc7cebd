"""Each test of the contract runs against the fakes and against the real parts."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.contract.making import Backend, World, fake_backend, real_backend


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.stores)])
def backend(request: pytest.FixtureRequest) -> Backend:
    """One kind of stores, closed."""
    if request.param == "fake":
        return fake_backend()
    return real_backend(request.getfixturevalue("postgres_url"), request.getfixturevalue("redis_url"))


@pytest.fixture
async def world(backend: Backend) -> AsyncIterator[World]:
    """The stores, open."""
    async with backend.open() as opened:
        yield opened
