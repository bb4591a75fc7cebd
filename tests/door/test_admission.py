"""Who may come in."""

from __future__ import annotations

import pytest

from scoreboard.door.admission import Admission, site_of
from scoreboard.door.limits import DoorLimits
from scoreboard.door.observer import Drop


def test_the_house_is_full_at_its_limit_and_not_after_one_has_left() -> None:
    """All addresses count together."""
    admission = Admission(DoorLimits(connections=2, connections_per_address=2))
    assert [None, None, Drop.FULL] == [admission.enter(site) for site in "abc"]
    admission.leave("a")
    assert admission.enter("c") is None
    assert repr(admission) == "<Admission 2 inside from 2 sites>"


def test_one_address_cannot_take_all_places() -> None:
    """Its own limit comes first; a neighbour is let in."""
    admission = Admission(DoorLimits(connections=10, connections_per_address=1))
    assert [None, Drop.ADDRESS_FULL, None] == [admission.enter(site) for site in "aab"]
    assert admission.inside == 2


def test_who_has_left_is_forgotten() -> None:
    """An address that came once takes no memory for ever."""
    admission = Admission(DoorLimits())
    for number in range(100):
        admission.enter(str(number))
        admission.leave(str(number))
    assert repr(admission) == "<Admission 0 inside from 0 sites>"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_addresses_of_one_household_share_a_limit(one: str, other: str, *, same: bool) -> None:
    """An IPv6 household has a whole /64; an IPv4 address is the same in both notations."""
    assert (site_of(one) == site_of(other)) is same
