from __future__ import annotations

import pytest

from scoreboard.security.sealing import Sealing

KEY = bytes(32)


def test_what_was_sealed_can_be_opened_under_its_name() -> None:
    """By whoever has the key, for the same purpose; and no two seals of one content are alike."""
    first, second = (Sealing(KEY, "answers").seal(b"content", "a") for _ in range(2))
    assert first != second
    assert b"content" not in first
    assert b"content" == Sealing(KEY, "answers").open(first, "a") == Sealing(KEY, "answers").open(second, "a")


def test_anything_else_is_nothing() -> None:
    """Another name, key or purpose; what was cut, lengthened or changed anywhere."""
    sealing = Sealing(KEY, "answers")
    sealed = sealing.seal(b"content", "a")
    assert sealing.open(sealed, "b") is None
    assert Sealing(b"\1" * 32, "answers").open(sealed, "a") is None
    assert Sealing(KEY, "other").open(sealed, "a") is None
    assert sealing.open(sealed + b"x", "a") is None
    for length in range(len(sealed)):
        changed = bytearray(sealed)
        changed[length] ^= 1
        assert sealing.open(sealed[:length], "a") is None
        assert sealing.open(bytes(changed), "a") is None


@pytest.mark.parametrize("content", [b"", b"x" * 100_000])
def test_contents_of_any_length_are_taken(content: bytes) -> None:
    """Nothing and much."""
    sealing = Sealing(KEY, "answers")
    assert content == sealing.open(sealing.seal(content, ""), "")
