"""Tokens and scores in document A's form."""

from __future__ import annotations

import msgspec
import pytest

from actors.ports import UserId
from actors.user.messages import ScoreAnswer, TokenIssued
from actors.user.token import ActionToken
from scoreboard.wire.scores import IssuedJson, ScoreJson, TokenJson, is_key

TOKEN = ActionToken(UserId("u1"), 1_700_000_000_000, "00ff", "abcd")
JSON = b'{"userId":"u1","timestamp":1700000000000,"nonce":"00ff","signature":"abcd"}'


def test_a_token_is_presented_as_it_was_handed_out() -> None:
    """There and back nothing changes."""
    issued = msgspec.json.encode(IssuedJson.of(TokenIssued(TOKEN, 1_700_000_060_000, 60)))
    assert b'{"actionToken":%b,"expiresAt":1700000060000,"expiresIn":60}' % JSON == issued
    assert TOKEN == msgspec.json.decode(JSON, type=TokenJson).token()


@pytest.mark.parametrize(
    "other",
    [
        JSON.replace(b'"abcd"', b'""'),
        JSON.replace(b'"abcd"', b'"%b"' % (b"a" * 129)),
        JSON.replace(b'"u1"', b"1"),
        JSON.replace(b"1700000000000", b"-1"),
        JSON.replace(b"1700000000000", b"1.5"),
        JSON.replace(b"1700000000000", b'"1"'),
        JSON.replace(b'"nonce"', b'"nounce"'),
        JSON.replace(b"}", b',"points":2}'),
        b"{}",
    ],
)
def test_what_is_not_of_the_form_is_no_token(other: bytes) -> None:
    """Missing, unknown, empty, too long, of another type."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(other, type=TokenJson)


@pytest.mark.parametrize(
    ("before", "after", "changed"), [(3, 2, True), (2, 2, False), (None, 1, True), (None, None, False)]
)
def test_a_rank_has_changed_when_it_is_known_and_another(
    before: int | None, after: int | None, *, changed: bool
) -> None:
    """A rank that could not be asked is null, and then nothing is known to have changed."""
    told = msgspec.to_builtins(ScoreJson.of(ScoreAnswer(7, before, after)))
    assert {
        "success": True,
        "newScore": 7,
        "previousRank": before,
        "newRank": after,
        "rankChanged": changed,
    } == told


def test_a_key_is_visible_ascii() -> None:
    """And neither empty nor endless."""
    good, bad = ("a", "~!" * 127 + "x"), ("", "a b", "ä", "a\n", "a" * 256)
    assert [True] * len(good) + [False] * len(bad) == [is_key(text) for text in (*good, *bad)]
