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


def test_who_leaves_takes_nobody_s_place_along() -> None:
    """Others under the same name are still there, and one name that has its share is enough to keep somebody out."""
    shares = Shares(2)
    with shares.taken(("site a", "account x")):
        with shares.taken(("site a",)):
            assert not shares.has_room(("site a", "account y"))
            assert not shares.has_room(("account y", "site a"))
        with shares.taken(("site a",)):
            assert not shares.has_room(("site a",))
        assert shares.has_room(("site a", "account x"))
