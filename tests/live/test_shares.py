"""What an address may send on all its connections together."""

from __future__ import annotations

import math

from scoreboard.live.shares import FrameRate, FrameShares


def test_the_turns_of_a_crowd_are_spread_evenly() -> None:
    """In the order in which they were asked for; what was saved up is free."""
    shares = FrameShares(FrameRate(10, 2))
    assert [0.0, 0.0, 0.1, 0.2, 0.3] == [round(shares.wait_for("a", 1, 5.0), 6) for _ in range(5)]
    assert 0.1 == round(shares.wait_for("a", 1, 5.3), 6)
    assert 0.0 == shares.wait_for("a", 2, 9.0)


def test_quiet_addresses_are_forgotten() -> None:
    """Or every one that ever sent something would stay; who has still a debt has it afterwards."""
    shares = FrameShares(FrameRate(10, 2))
    shares.wait_for("busy", 100_000, 0.0)
    for number in range(2000):
        shares.wait_for(str(number), 1, float(number))
    assert "<FrameShares of FrameRate(per_s=10, burst=2), " in repr(shares)
    assert int(repr(shares).split()[-2]) < 300
    assert shares.wait_for("busy", 1, 2000.0) > 7000


def test_an_infinite_rate_and_an_unknown_address_have_no_share() -> None:
    """As without limits, and behind a proxy that does not say for whom it speaks."""
    assert FrameShares().site("a") is None
    assert FrameShares(FrameRate(math.inf, math.inf)).site("a") is None
    assert FrameShares(FrameRate(10, 2)).site(None) is None


def test_what_is_one_site_has_one_share() -> None:
    """Whoever has a network of addresses to choose from."""
    shares = FrameShares(FrameRate(10, 2), site_of=lambda address: address[:1])
    assert "a" == shares.site("a1") == shares.site("a2")
