"""Shares of a queue."""

from __future__ import annotations

from scoreboard.security.shares import Shares


def test_who_has_left_is_forgotten() -> None:
    """Names are the strangers' to choose: a flood of them leaves nothing behind."""
    shares = Shares(2)
    for number in range(100):
        with shares.taken((f"site {number}", "account x")):
            assert "<Shares of 2, 2 names>" == repr(shares)
            assert shares.has_room(("account x", "somebody else"))
    assert "<Shares of 2, 0 names>" == repr(shares)
