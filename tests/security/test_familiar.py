"""From where players have signed in before."""

from __future__ import annotations

from scoreboard.security.familiar import TOLD_AT_ONCE, Familiar

HOME, CAFE = "192.0.2.1", "192.0.2.2"


def test_a_pair_is_known_once_somebody_signed_in() -> None:
    """Neither the account from elsewhere, nor another account from there, nor a name that nobody has."""
    familiar = Familiar(b"secret")
    assert familiar.known(HOME, "ada") is None
    familiar.signed_in(HOME, "ada")
    assert familiar.mark(HOME, "ada") == familiar.known(HOME, "ada")
    for site, account in ((CAFE, "ada"), (HOME, "bob"), (HOME, "nobody"), (CAFE, "nobody")):
        assert familiar.known(site, account) is None


def test_a_mark_is_of_one_pair_and_of_this_server() -> None:
    """It tells neither address nor name; and no two pairs have one, however they are put together."""
    familiar = Familiar(b"secret")
    marks = {familiar.mark(site, account) for site in (HOME, CAFE, "") for account in ("ada", "bob", "")}
    assert 9 == len(marks)
    assert familiar.mark(HOME, "ada") != Familiar(b"another").mark(HOME, "ada")
    assert not any("ada" in mark or HOME in mark for mark in marks)


def test_so_many_are_remembered_at_most() -> None:
    """Who signed in longest ago is forgotten; not who has done so again."""
    familiar = Familiar(b"", most=3)
    for number in range(3):
        familiar.signed_in(HOME, str(number))
    familiar.signed_in(HOME, "0")
    familiar.signed_in(HOME, "3")
    assert [True, False, True, True] == [familiar.known(HOME, str(number)) is not None for number in range(4)]
    assert "<Familiar, 3 pairs, 3 untold>" == repr(familiar)


def test_what_was_not_told_stays_to_be_told() -> None:
    """The oldest first, so many at once; what was heard of others is none of it."""
    familiar = Familiar(b"")
    familiar.heard(["a mark of another's"])
    for number in range(TOLD_AT_ONCE + 1):
        familiar.signed_in(HOME, str(number))
    first = familiar.untold()
    assert [familiar.mark(HOME, str(number)) for number in range(TOLD_AT_ONCE)] == first == familiar.untold()
    familiar.told(first)
    assert [familiar.mark(HOME, str(TOLD_AT_ONCE))] == familiar.untold()
