"""A player's place as one integer, so that an order of places is an order of integers."""

from __future__ import annotations

from actors.ports import MAX_SCORE

_REACHED_BITS, _SLOT_BITS, VERSION_BITS = 63, 27, 36
_SLOT = (1 << _SLOT_BITS) - 1
_VERSION = (1 << VERSION_BITS) - 1
_REACHED = (1 << _REACHED_BITS) - 1

#: Two places that differ only in so many last bits are tied: what decides is the user id.
TIE_BITS = _SLOT_BITS + VERSION_BITS
TIE = 1 << TIE_BITS
_SCORE_SHIFT = _REACHED_BITS + TIE_BITS

Place = int
"""How much the score is below the highest one, when it was reached, the player's slot, the fact's version.

The lesser of two places stands first. With at most 180 bits it takes 48 bytes; a tuple of the four and its integers
take over 200.
"""


def place_of(score: int, reached_us: int, slot: int, version: int) -> Place:
    """Exact for every score.

    Raises ValueError for a time before 1970 or of more than 63 bits, and behind 134 million players or 68 billion
    versions of one.
    """
    if reached_us >> _REACHED_BITS | slot >> _SLOT_BITS | version >> VERSION_BITS:
        raise ValueError(f"no place for a score reached at {reached_us} in slot {slot} with version {version}")
    return ((MAX_SCORE - score) << _REACHED_BITS | reached_us) << TIE_BITS | slot << VERSION_BITS | version


def slot_of(place: Place) -> int:
    """The player's slot."""
    return place >> VERSION_BITS & _SLOT


def version_of(place: Place) -> int:
    """The version of the player's last fact."""
    return place & _VERSION


def score_of(place: Place) -> int:
    """The score."""
    return MAX_SCORE - (place >> _SCORE_SHIFT)


def reached_us_of(place: Place) -> int:
    """When it was reached."""
    return place >> TIE_BITS & _REACHED
