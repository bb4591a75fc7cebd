"""When something happened, and where a request came from."""

from __future__ import annotations

from typing import Any

import pytest

from actors.ports import Source
from scoreboard.wire.source import LONGEST_USER_AGENT, source_of
from scoreboard.wire.times import iso


def test_times_are_in_utc_to_the_millisecond() -> None:
    """As JavaScript writes them, also for a whole second."""
    assert ["1970-01-01T00:00:00.000Z", "2026-05-01T12:00:00.123Z"] == [iso(0), iso(1_777_636_800_123_456)]


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("192.0.2.1", 80), "192.0.2.1"),
        (("fe80::1%eth0", 80, 0, 1), "fe80::1"),
        ("/run/socket", None),
        (("not an address", 1), None),
        ((), None),
        (None, None),
    ],
)
def test_an_address_is_one_that_a_database_takes(peer: Any, address: str | None) -> None:
    """Whatever kind of socket it was; where there is no address there is none in the audit."""
    assert Source(address, None) == source_of(peer, "")


def test_a_user_agent_is_cut() -> None:
    """It is the client's to choose, and is kept with every score."""
    assert "a" * LONGEST_USER_AGENT == source_of(None, "a" * 10_000).user_agent
