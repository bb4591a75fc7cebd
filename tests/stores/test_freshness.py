from __future__ import annotations

import math

from scoreboard.stores.freshness import Freshness


def test_a_replica_shows_everything_up_to_the_last_end_that_it_has_reached() -> None:
    """Not what came after it, however little that is."""
    ends = Freshness()
    for now, place in ((1.0, 100), (2.0, 200), (3.0, 300)):
        ends.ended(now, place)
    assert [2.0, 1.0, 3.0] == [ends.shown_since(place) for place in (299, 199, 301)]
    assert -math.inf == ends.shown_since(99)
    assert "<Freshness, 3 ends known>" == repr(ends)


def test_while_nobody_writes_a_replica_that_has_all_does_not_grow_old() -> None:
    """Its place is as far as the end at every look."""
    ends = Freshness()
    for now in (1.0, 2.0, 3.0):
        ends.ended(now, 100)
    assert 3.0 == ends.shown_since(100)


def test_what_is_no_replica_shows_nothing_for_sure() -> None:
    """It may be a primary that was left behind."""
    ends = Freshness()
    ends.ended(1.0, 100)
    assert -math.inf == ends.shown_since(None)


def test_ends_of_a_primary_that_was_further_are_forgotten() -> None:
    """After a failover that lost something its places mean something else."""
    ends = Freshness()
    ends.ended(1.0, 100)
    ends.ended(2.0, 90)
    assert 2.0 == ends.shown_since(95)
    assert -math.inf == ends.shown_since(89)
