"""What is read as JSON of clients, wherever it comes from."""

from __future__ import annotations

import pytest

from scoreboard.wire.strict_json import DEEPEST, read_strict


def nested(depth: int, inside: str = "") -> str:
    """Lists in lists."""
    return "[" * depth + inside + "]" * depth


def test_what_is_nested_as_deep_as_may_be_is_read() -> None:
    """Also with many brackets side by side, or in texts."""
    assert isinstance(read_strict(nested(DEEPEST)), list)
    wide = "[" + ",".join(["[]", "{}"] * DEEPEST) + "]"
    assert 2 * DEEPEST == len(read_strict(wide))
    text = nested(DEEPEST, '"' + r"\"" + "[{" * DEEPEST + r"\\" + '"')
    assert isinstance(read_strict(text), list)


@pytest.mark.parametrize("text", [nested(DEEPEST + 1), nested(8000), "[" * 16_000, '{"a":' * 65 + "1" + "}" * 65])
def test_what_is_nested_deeper_is_refused(text: str) -> None:
    """Whichever version of Python reads it, and whether it is whole or not."""
    with pytest.raises(RecursionError):
        read_strict(text)


@pytest.mark.parametrize("text", ['{"a":1,"a":2}', '[{"b":{"a":1,"a":1}}]', "NaN", "[1,]", r'"\ud800"', "", '"a'])
def test_what_is_no_strict_json_is_refused(text: str) -> None:
    """Two readers must not take it for two things."""
    with pytest.raises(ValueError, match=r"."):
        read_strict(text)
