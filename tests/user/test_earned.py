from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.ports import UserId, key_id
from actors.user.earned import FORMER_AGE_US, Earned, RotatedOut, issue, read
from actors.user.token import ActionKeys, sign

KEYS = ActionKeys(b"current", (b"older",), (b"rotated",))
EARNED = Earned(UserId("ada"), "WIN_GAME", "match-1", 100, 1_000, 301_000)
TOKEN = issue(EARNED, KEYS)


def text(*fields: object) -> str:
    """A payload."""
    return base64.urlsafe_b64encode("\n".join(map(str, fields)).encode()).rstrip(b"=").decode()


def signed(front: str, key: bytes) -> str:
    """A token by hand."""
    mac = base64.urlsafe_b64encode(bytes.fromhex(sign(front, key))).rstrip(b"=").decode()
    return f"{front}.{mac}"


@pytest.mark.parametrize("key", [b"current", b"older"])
def test_a_token_says_what_it_was_given_for(key: bytes) -> None:
    """Whichever of the believed keys signed it; and by which it stands in it."""
    token = issue(EARNED, ActionKeys(key))
    assert EARNED == read(token, KEYS)
    payload = token.split(".")[1]
    assert base64.urlsafe_b64decode(payload + "==").decode().startswith(key_id(key))


def test_a_rotated_out_key_is_no_forgery() -> None:
    """But gives no right."""
    assert RotatedOut(UserId("ada")) == read(issue(EARNED, ActionKeys(b"rotated")), KEYS)
    assert read(issue(EARNED, ActionKeys(b"forgotten")), KEYS) is None


def test_a_token_is_judged_by_the_key_that_it_names() -> None:
    """One key's signature under another's name is none."""
    assert EARNED == read(signed("v2." + text(key_id(b"older"), *EARNED), b"older"), KEYS)
    assert read(signed("v2." + text(key_id(b"older"), *EARNED), b"current"), KEYS) is None


def test_a_token_of_former_times_is_good_until_it_ends() -> None:
    """It says neither its key nor its end."""
    old = signed("v1." + text(*EARNED[:5]), b"older")
    assert EARNED._replace(expires_us=1_000 + FORMER_AGE_US) == read(old, KEYS)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_whatever_is_changed_makes_it_none(place: int, character: str) -> None:
    """Every character is under the signature, those of the signature too."""
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]
    assert read(changed, KEYS) == (EARNED if changed == TOKEN else None)


def test_a_signature_is_good_in_one_spelling_only() -> None:
    """The last character has two bits that mean nothing: base64 would take four of them for the same."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    twins = [TOKEN[:-1] + digit for digit in digits]
    same = [
        twin
        for twin in twins
        if base64.urlsafe_b64decode(twin[-43:] + "=") == base64.urlsafe_b64decode(TOKEN[-43:] + "=")
    ]
    assert 4 == len(same)
    assert [EARNED] == [found for found in (read(twin, KEYS) for twin in twins) if found is not None]


@given(st.text())
def test_no_text_is_a_token_by_chance(said: str) -> None:
    """Nor does any make an error."""
    for odd in (
        said,
        f"v2.{said}",
        f"v1.{said}",
        f"v2.{said}.{said}",
        signed(f"v2.{said}", b"current") if said else "",
    ):
        assert read(odd, KEYS) is None


@pytest.mark.parametrize("field", [3, 4, 5])
def test_what_another_version_of_us_signed_is_none_and_no_mistake(field: int) -> None:
    """One that comes later may write something else in its place; whoever presents it hears so."""
    fields: list[object] = [*EARNED]
    fields[field] = "many"
    assert read(signed("v2." + text(key_id(b"current"), *fields), b"current"), KEYS) is None
    assert read(signed("v2." + text(key_id(b"current"), *EARNED, "more"), b"current"), KEYS) is None
