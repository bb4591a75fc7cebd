from __future__ import annotations

import pytest

from scoreboard.security import refresh


def test_new_tokens_are_long_and_differ() -> None:
    """256 random bits each."""
    tokens = {refresh.new() for _ in range(50)}
    assert 50 == len(tokens)
    assert {43} == {len(token) for token in tokens}
    assert all(map(refresh.has_shape, tokens))


def test_a_token_has_one_successor() -> None:
    """Asking again after a lost answer gives the same one, which looks like any other token."""
    token = refresh.new()
    assert refresh.successor(token, b"k" * 32) == refresh.successor(token, b"k" * 32)
    assert refresh.has_shape(refresh.successor(token, b"k" * 32))
    assert token != refresh.successor(token, b"k" * 32)


def test_without_the_key_nobody_computes_the_successor() -> None:
    """Who stole an old token cannot go on from it."""
    token = refresh.new()
    assert refresh.successor(token, b"k" * 32) != refresh.successor(token, b"l" * 32)


def test_the_store_sees_only_a_hash() -> None:
    """32 bytes in which the token is not found."""
    token = refresh.new()
    assert 32 == len(refresh.hashed(token))
    assert refresh.hashed(token) == refresh.hashed(token) != refresh.hashed(refresh.new())


@pytest.mark.parametrize("text", ["", "a" * 42, "a" * 44, "a" * 42 + "=", "a" * 42 + "é", "a" * 43 + "\n", "\ud800"])
def test_anything_else_has_not_its_shape(text: str) -> None:
    """It can be refused without asking the store, and hashing it does not fail."""
    assert not refresh.has_shape(text)
    assert 32 == len(refresh.hashed(text))
