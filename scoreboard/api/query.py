"""Query parameters, as strict as bodies: known names, once each, values in range."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from scoreboard.api.errors import invalid_input
from scoreboard.api.request import ApiRequest

MOST_PARAMETERS = 16
_NUMBER = re.compile(r"[0-9]{1,16}")


@dataclass(frozen=True, slots=True)
class Whole:
    """A whole number from `least` to `most`; `default` where the parameter is absent."""

    default: int
    least: int
    most: int


def numbers(request: ApiRequest, rules: Mapping[str, Whole]) -> dict[str, int]:
    """All parameters of a route by name; raises ApiError (400) with the name of the wrong one."""
    values = {name: rule.default for name, rule in rules.items()}
    seen: set[str] = set()
    for name, text in _pairs(request.query_string):
        if name not in rules:
            raise invalid_input(f"There is no query parameter {name[:40]!a} here.")
        if name in seen:
            raise invalid_input(f"The query parameter {name} stands there twice.")
        seen.add(name)
        values[name] = _number(name, text, rules[name])
    return values


def require_none(request: ApiRequest) -> None:
    """For routes that have no parameters."""
    if request.query_string:
        numbers(request, {})


def _number(name: str, text: str, rule: Whole) -> int:
    number = int(text) if _NUMBER.fullmatch(text) else -1
    if not rule.least <= number <= rule.most:
        raise invalid_input(f"The query parameter {name} must be a whole number from {rule.least} to {rule.most}.")
    return number


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
