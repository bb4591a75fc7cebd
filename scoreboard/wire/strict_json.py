"""JSON as RFC 8259 has it, with unique names, and nested no deeper than anything that anybody here would send."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

#: Nothing that we read is nested deeper than 5; without a bound of our own it is another one in each version of Python.
DEEPEST = 64
_TEXT_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[][{}]')


def read_strict(text: str) -> Any:
    """The value; raises ValueError, or RecursionError."""
    require_shallow(text)
    msgspec.json.decode(text)  # sees all but a name given twice, which means another thing to the next reader
    return json.loads(text, object_pairs_hook=_unique)


def require_shallow(text: str) -> None:
    """Raises RecursionError if it is nested too deeply. What is no JSON for another reason is for others to find."""
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for found in _TEXT_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
        elif found[0] in "]}":
            depth -= 1
        if depth > DEEPEST:
            raise RecursionError(f"nested deeper than {DEEPEST}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return fields
