"""Reads a football file: which matches it holds, which rows cannot be used, and how many points each match gives.

Pure: bytes go in, values come out. A row that cannot be used is reported with its reason and never fails the rest.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from scoreboard.replay.errors import InputError

WIN_POINTS = 3
DRAW_POINTS = 1
SHORT = 40
FIRST_MONTH = 7  # a season runs from July to June

_SEASON = re.compile(r"(\d{4})[-/](\d{2}|\d{4})")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True, order=True)
class Season:
    """A season by the year it starts in; ``str()`` gives ``2015-16``."""

    start: int

    def __str__(self) -> str:
        return f"{self.start}-{(self.start + 1) % 100:02}"

    @classmethod
    def of(cls, day: date) -> Season:
        """The season that a day belongs to."""
        return cls(day.year if day.month >= FIRST_MONTH else day.year - 1)

    @classmethod
    def parse(cls, text: str) -> Season:
        """Read ``2015-16``, ``2015/16`` or ``2015-2016``; anything else raises InputError."""
        found = _SEASON.fullmatch(text.strip())
        if found is None or int(found[2]) not in {(int(found[1]) + 1) % 100, int(found[1]) + 1}:
            raise InputError(f"{text!r} is not a season: write two years that follow each other, as in 2015-16.")
        return cls(int(found[1]))


@dataclass(frozen=True, slots=True)
class Match:
    """One match that was played."""

    day: date
    division: str
    home: str
    away: str
    home_goals: int
    away_goals: int

    @property
    def season(self) -> Season:
        """The season it counts for."""
        return Season.of(self.day)

    @property
    def points(self) -> tuple[tuple[str, int], ...]:
        """Who gets how many league points: the winner three, or each side one."""
        if self.home_goals == self.away_goals:
            return ((self.home, DRAW_POINTS), (self.away, DRAW_POINTS))
        return ((self.home if self.home_goals > self.away_goals else self.away, WIN_POINTS),)


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row that was left out: its number (the first is 1), what it seems to be, and why."""

    number: int
    what: str
    reason: str

    def __str__(self) -> str:
        return f"row {self.number:,} ({self.what}): {self.reason}"


@dataclass(frozen=True, slots=True)
class Football:
    """What a file holds: usable matches in the order of the file, and the rows left out."""

    matches: tuple[Match, ...]
    unusable: tuple[UnusableRow, ...]

    @property
    def divisions(self) -> tuple[str, ...]:
        """The names of the divisions, sorted."""
        return tuple(sorted({match.division for match in self.matches}))


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of a league table; ranks are ordinal (1, 2, 3)."""

    rank: int
    team: str
    points: int


def read_football(raw: bytes) -> Football:
    """Read the JSON list of matches; raises InputError only if the whole is not a list in JSON."""
    matches: list[Match] = []
    unusable: list[UnusableRow] = []
    seen: set[tuple[str, date, str, str]] = set()
    for number, row in enumerate(_rows(raw), start=1):
        try:
            match = _match(row)
            identity = (match.division, match.day, match.home, match.away)
            if identity in seen:
                raise _Unusable("the same match stands in an earlier row")
        except _Unusable as why:
            unusable.append(UnusableRow(number, _describe(row), str(why)))
            continue
        seen.add(identity)
        matches.append(match)
    return Football(tuple(matches), tuple(unusable))


def find_division(wanted: str, football: Football) -> str:
    """The division meant by a natural name: case and accents do not matter, and a part is enough if only one has it.

    Raises InputError with the names that the file holds.
    """
    key = _folded(wanted)
    exact = [name for name in football.divisions if _folded(name) == key]
    partial = [name for name in football.divisions if key in _folded(name)]
    found = exact or partial
    if len(found) == 1:
        return found[0]
    if found and key:
        raise InputError(f"{wanted!r} may mean any of these divisions, write more of it: {', '.join(found)}.")
    raise InputError(f"The file has no division {wanted!r}; it has: {', '.join(football.divisions) or 'none'}.")


def select_season(football: Football, division: str, season: Season) -> tuple[Match, ...]:
    """The matches of one season of one division in order of date; raises InputError if there are none."""
    chosen = [match for match in football.matches if match.division == division and match.season == season]
    if not chosen:
        seasons = sorted({match.season for match in football.matches if match.division == division})
        have = ", ".join(str(each) for each in seasons) or "none"
        raise InputError(f"The file has no match of {division} in {season}; it has the seasons: {have}.")
    return tuple(sorted(chosen, key=lambda match: (match.day, match.home, match.away)))


def league_table(matches: Iterable[Match]) -> tuple[Standing, ...]:
    """The table by points, then name. Every team that played stands in it, also with no point."""
    totals: Counter[str] = Counter()
    for match in matches:
        totals.update({match.home: 0, match.away: 0})
        totals.update(dict(match.points))
    ordered = sorted(totals.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Standing(rank, team, points) for rank, (team, points) in enumerate(ordered, start=1))


class _Unusable(Exception):
    """Why a row is left out."""


def _rows(raw: bytes) -> Sequence[object]:
    try:
        rows = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The file is not JSON ({error}): it must be a list of matches.") from error
    if not isinstance(rows, list):
        raise InputError(f"The file holds a JSON {type(rows).__name__}: it must be a list of matches.")
    return rows


def _match(row: object) -> Match:
    if not isinstance(row, dict):
        raise _Unusable("not an object")
    fields = cast("dict[str, object]", row)
    match = Match(
        day=_day(fields),
        division=_text(fields, "division"),
        home=_text(fields, "home_team"),
        away=_text(fields, "away_team"),
        home_goals=_goals(fields, "home_score"),
        away_goals=_goals(fields, "away_score"),
    )
    if match.home == match.away:
        raise _Unusable("a team plays against itself")
    return match


def _field(row: dict[str, object], name: str) -> object:
    if name not in row:
        raise _Unusable(f"{name} is missing")
    if row[name] is None:
        raise _Unusable(f"{name} is null")
    return row[name]


def _text(row: dict[str, object], name: str) -> str:
    value = _field(row, name)
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise _Unusable(f"{name} is not a name: {_short(value)}")
    return unicodedata.normalize("NFC", value.strip())


def _goals(row: dict[str, object], name: str) -> int:
    value = _field(row, name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _Unusable(f"{name} is not a number of goals: {_short(value)}")
    return value


def _day(row: dict[str, object]) -> date:
    value = _field(row, "date")
    # Python also reads 20150808 and 2015-W32-6 as dates; the file promises one form, so the others are mistakes.
    if not isinstance(value, str) or _DATE.fullmatch(value) is None:
        raise _Unusable(f"date is not like 2015-08-08: {_short(value)}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise _Unusable(f"date is not in the calendar: {_short(value)}") from None


def _describe(row: object) -> str:
    if not isinstance(row, dict):
        return _short(row)
    values = [row.get(name) for name in ("division", "date", "home_team", "away_team")]
    named = [each[:60] if isinstance(each, str) and each.isprintable() else "?" for each in values]
    return "{} {}, {} - {}".format(*named)


def _short(value: object) -> str:
    try:
        text = repr(value)
    except (ValueError, RecursionError):
        text = "a value too large to print"
    return text if len(text) <= SHORT else text[: SHORT - 3] + "..."


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in decomposed if not unicodedata.combining(c)).casefold().split())
