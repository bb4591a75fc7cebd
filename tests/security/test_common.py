"""Passwords that everybody thinks of."""

from __future__ import annotations

import pytest

from scoreboard.security.common import common_passwords, judge, refuse_common
from scoreboard.security.errors import PasswordRefused

COMMON = common_passwords()


@pytest.mark.parametrize(
    "password",
    [
        "password",
        "Password1",
        "PASSWORD123!",
        "iloveyou",
        "qwertyuiop",
        "12345678",
        "dragon2024!",
        "trustno1",
        "sunshine",
    ],
)
def test_what_many_people_take_is_refused(password: str) -> None:
    """In any case, and with a few digits or signs behind it."""
    with pytest.raises(PasswordRefused, match="first to be tried"):
        refuse_common(password, COMMON)


@pytest.mark.parametrize("password", ["aaaaaaaaa", "abababab", "zzzzzzzzzzzzzzzzzzzz"])
def test_the_same_over_and_over_is_refused(password: str) -> None:
    """However long it is."""
    with pytest.raises(PasswordRefused):
        refuse_common(password, COMMON)


@pytest.mark.parametrize("password", ["GracieHopper", "grace@example.org"])
def test_ones_own_name_is_refused(password: str) -> None:
    """In any case; a name within a longer password is not for us to find."""
    own = ("graciehopper", "Grace@Example.org")
    with pytest.raises(PasswordRefused, match="your own"):
        judge(frozenset())(password, own)
    judge(COMMON)(f"{password} and the moth of 1947", own)


@pytest.mark.parametrize(
    "password",
    ["a long enough secret", "correct horse battery staple", "Ada-Passw0rd!", "ÄÖÜ-schwer-zu-raten", "q7#Vt!p2xL"],
)
def test_others_are_good(password: str) -> None:
    """A common word may stand in one, and few rules are kept."""
    refuse_common(password, COMMON, ["Ada"])


def test_the_list_is_long() -> None:
    """As it was published, without what is too short for a password or a word."""
    assert 25_000 < len(COMMON) <= 30_000
