from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actors.ports import CLOCK_SKEW_US, UserId, key_id
from actors.runtime import Refusal
from actors.user.refusals import TokenExpired, TokenInvalid, TokenRotatedOut
from actors.user.token import MAX_TIMESTAMP_MS, ActionKeys, ActionToken, issue, judge, sign, well_formed

ALICE, BOB = UserId("alice"), UserId("bob")
KEYS = ActionKeys(b"current", (b"older", b"oldest"))
NOW_MS = 1_750_000_000_000
AGE_MS = 60_000
SKEW_MS = CLOCK_SKEW_US // 1000


def verdict(
    token: ActionToken, *, owner: UserId = ALICE, now_ms: int = NOW_MS, keys: ActionKeys = KEYS
) -> type[Refusal] | None:
    """The kind of refusal, None if the token is good."""
    refusal = judge(token, owner=owner, now_ms=now_ms, age_ms=AGE_MS, keys=keys)
    return None if refusal is None else type(refusal)


NONCE = "0123456789abcdef"


def fresh(owner: UserId = ALICE, now_ms: int = NOW_MS, keys: ActionKeys = KEYS) -> ActionToken:
    """A good token, unless the arguments make it a bad one."""
    return issue(owner, now_ms=now_ms, nonce=NONCE, keys=keys)


def former(key: bytes) -> ActionToken:
    """A token whose nonce does not say which key signed it."""
    return ActionToken(ALICE, NOW_MS, NONCE, sign(f"alice:{NOW_MS}:{NONCE}", key))


@pytest.mark.parametrize(
    ("timestamp_ms", "written"), [(-1, False), (0, True), (MAX_TIMESTAMP_MS - 1, True), (MAX_TIMESTAMP_MS, False)]
)
def test_a_time_is_a_whole_number_in_reason(timestamp_ms: int, written: bool) -> None:  # noqa: FBT001
    """Nobody makes the server write numbers of thousands of digits."""
    assert written == well_formed(ActionToken(ALICE, timestamp_ms, NONCE, "00"))
    assert 10**14 == MAX_TIMESTAMP_MS


def test_the_signed_text_is_user_time_and_nonce_joined_by_colons() -> None:
    """Exactly as the contract gives it, so that others can check a signature; the nonce begins with the key's id."""
    assert f"alice:1750000000000:{key_id(b'current')}-0123456789abcdef" == fresh().signed_text


def test_the_signature_is_the_known_hmac() -> None:
    """HMAC-SHA256 in lower-case hex: the vector of RFC 4231, case 2, and a token's own text."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert sign("what do ya want for nothing?", b"Jefe") == expected
    assert fresh().signature == hmac.digest(b"current", fresh().signed_text.encode(), "sha256").hex()
    assert fresh().digest == hashlib.sha256(fresh().signed_text.encode()).digest()


@pytest.mark.parametrize("key", [b"current", b"older", b"oldest"])
def test_the_current_and_the_previous_keys_are_accepted(key: bytes) -> None:
    """A rotation of keys takes no token away, nor one of those that do not say their key."""
    assert verdict(fresh(keys=ActionKeys(key))) is None
    assert verdict(former(key)) is None


def test_a_key_that_nobody_knows_is_foreign() -> None:
    """A token of it was not made by this server."""
    assert verdict(fresh(keys=ActionKeys(b"forgotten"))) is TokenInvalid
    assert verdict(former(b"forgotten")) is TokenInvalid


def test_a_key_that_was_rotated_out_is_no_forgery() -> None:
    """The refusal says so, if the key did sign it; and nobody's token counts for its sake."""
    keys = replace(KEYS, rotated_out=(b"rotated",))
    gone = fresh(keys=ActionKeys(b"rotated"))
    assert verdict(gone, keys=keys) is TokenRotatedOut
    assert verdict(former(b"rotated"), keys=keys) is TokenRotatedOut
    assert verdict(replace(gone, signature="0" * 64), keys=keys) is TokenInvalid
    assert {"reason": "rotated_out"} == TokenRotatedOut.details


def test_a_token_is_judged_by_the_key_that_it_names() -> None:
    """One key's signature under another's name is none."""
    text = f"{key_id(b'older')}-{NONCE}"
    swapped = ActionToken(ALICE, NOW_MS, text, sign(f"alice:{NOW_MS}:{text}", b"current"))
    assert verdict(swapped) is TokenInvalid


def test_a_token_lives_for_its_age_and_not_a_millisecond_longer() -> None:
    """Its last good moment is one millisecond before its age."""
    assert verdict(fresh(), now_ms=NOW_MS + AGE_MS - 1) is None
    assert verdict(fresh(), now_ms=NOW_MS + AGE_MS) is TokenExpired


def test_a_token_from_the_future_is_invalid_beyond_the_skew_of_clocks() -> None:
    """Two servers' clocks may differ a little."""
    assert verdict(fresh(now_ms=NOW_MS + SKEW_MS)) is None
    assert verdict(fresh(now_ms=NOW_MS + SKEW_MS + 1)) is TokenInvalid


def test_a_token_of_somebody_else_is_invalid() -> None:
    """However well it is signed."""
    assert verdict(fresh(BOB)) is TokenInvalid


def test_an_old_forgery_is_invalid_and_not_expired() -> None:
    """Only a token of ours can have expired: a forger learns nothing about ages."""
    old = fresh(now_ms=NOW_MS - 10 * AGE_MS)
    assert verdict(old) is TokenExpired
    assert verdict(ActionToken(ALICE, old.timestamp_ms, old.nonce, "0" * 64)) is TokenInvalid


def test_an_old_token_of_somebody_else_is_invalid_and_not_expired() -> None:
    """Whose it is comes before how old it is."""
    assert verdict(fresh(BOB, now_ms=NOW_MS - 10 * AGE_MS)) is TokenInvalid


@given(
    user=st.sampled_from([ALICE, BOB]),
    shift=st.integers(-AGE_MS, SKEW_MS),
    nonce=st.text("0123456789abcdef", min_size=1),
    signature=st.text("0123456789abcdef", min_size=64, max_size=64),
)
def test_whatever_is_changed_in_a_token_makes_it_invalid(user: UserId, shift: int, nonce: str, signature: str) -> None:
    """User, time, nonce and signature are all under the signature."""
    good = fresh()
    changed = ActionToken(user, NOW_MS + shift, nonce, good.signature)
    assert verdict(changed, owner=user) is (None if changed == good else TokenInvalid)
    resigned = ActionToken(ALICE, NOW_MS, good.nonce, signature)
    assert verdict(resigned) is (None if resigned == good else TokenInvalid)


@pytest.mark.parametrize(
    "token",
    [
        ActionToken(ALICE, NOW_MS, "ab", "é" * 64),
        ActionToken(ALICE, NOW_MS, "\ud800", "0" * 64),
        ActionToken(ALICE, 10**5000, "ab", "0" * 64),
        ActionToken(ALICE, -1, "ab", "0" * 64),
        ActionToken(UserId("é"), NOW_MS, "ab", "0" * 64),
    ],
    ids=["letters in the signature", "half a character", "a number too long to write", "before 1970", "foreign user"],
)
def test_what_cannot_be_a_token_is_invalid_and_breaks_nothing(token: ActionToken) -> None:
    """Such text comes through JSON; Python's own comparison and printing would raise."""
    assert verdict(token) is TokenInvalid


def test_keys_do_not_show_themselves() -> None:
    """What is logged of them is their number."""
    assert repr(KEYS) == "<ActionKeys, 3 keys>"
