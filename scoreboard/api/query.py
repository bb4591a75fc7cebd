"""Query parameters, as strict as bodies: known names, once each, values in range."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

from scoreboard.api.errors import invalid_input
from scoreboard.api.request import ApiRequest

MOST_PARAMETERS = 16
_NUMBER = re.compile(r"[0-9]{1,16}")


class Rule(Protocol):
    """What one parameter may be; `default` where it is absent."""

    @property
    def default(self) -> Any:
        """What stands for an absent one."""
        ...

    def read(self, text: str) -> Any:
        """What the text means; None: nothing that may stand here."""
        ...

    @property
    def expected(self) -> str:
        """What may stand here, in words."""
        ...

    @property
    def schema(self) -> dict[str, Any]:
        """The same as JSON Schema."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`; `default` where the parameter is absent."""

    default: int
    least: int
    most: int

    def read(self, text: str) -> int | None:
        """See `Rule.read`."""
        number = int(text) if _NUMBER.fullmatch(text) else -1
        return number if self.least <= number <= self.most else None

    @property
    def expected(self) -> str:
        """See `Rule.expected`."""
        return f"a whole number from {self.least} to {self.most}"

    @property
    def schema(self) -> dict[str, Any]:
        """See `Rule.schema`."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most, "default": self.default}


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of these words, exactly."""

    default: str | None
    words: Sequence[str]

    def read(self, text: str) -> str | None:
        """See `Rule.read`."""
        return text if text in self.words else None

    @property
    def expected(self) -> str:
        """See `Rule.expected`."""
        return f"one of {', '.join(self.words)}"

    @property
    def schema(self) -> dict[str, Any]:
        """See `Rule.schema`."""
        return {"type": "string", "enum": [*self.words], "default": self.default}


@dataclass(frozen=True, slots=True)
class Matching:
    """A text that this pattern matches as a whole."""

    pattern: re.Pattern[str]
    expected: str
    default: str | None = None

    def read(self, text: str) -> str | None:
        """See `Rule.read`."""
        return text if self.pattern.fullmatch(text) else None

    @property
    def schema(self) -> dict[str, Any]:
        """See `Rule.schema`."""
        return {"type": "string", "pattern": f"^({self.pattern.pattern})$", "description": self.expected}


def numbers(request: ApiRequest, rules: Mapping[str, Whole]) -> dict[str, int]:
    """As `values`, where all are numbers."""
    return values(request, rules)


def values(request: ApiRequest, rules: Mapping[str, Rule]) -> dict[str, Any]:
    """All parameters of a route by name; raises ApiError (400) with the name of the wrong one."""
    found: dict[str, Any] = {name: rule.default for name, rule in rules.items()}
    seen: set[str] = set()
    for name, text in _pairs(request.query_string):
        if name not in rules:
            raise invalid_input(f"There is no query parameter {name[:40]!a} here.")
        if name in seen:
            raise invalid_input(f"The query parameter {name} stands there twice.", field=name)
        seen.add(name)
        value = rules[name].read(text)
        if value is None:
            raise invalid_input(f"The query parameter {name} must be {rules[name].expected}.", field=name)
        found[name] = value
    return found


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    if not raw:
        return []
    try:
        return parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_PARAMETERS,
        )
    except ValueError as error:
        raise invalid_input("The query of the address cannot be read.") from error
