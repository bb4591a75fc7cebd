"""What a replay will do, decided before anything is sent: the matches in order, and every point numbered."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import groupby

from scoreboard.replay.football import Match, Season

EMAIL_DOMAIN = "replay.example"


@dataclass(frozen=True, slots=True)
class Fixture:
    """One match of the plan, its place there, and the numbers of the points that each team gets from it, in order."""

    match: Match
    number: int
    points: tuple[tuple[str, tuple[int, ...]], ...]


@dataclass(frozen=True)
class Plan:
    """One season to play. The same matches give the same plan, so a point's number is its name in the journal.

    `matches` stand in order of date. The fingerprint changes with anything that would change a number or a point.
    """

    season: Season
    division: str
    matches: tuple[Match, ...]

    @cached_property
    def fixtures(self) -> tuple[Fixture, ...]:
        """Every match with its numbered points."""
        fixtures, number = [], 0
        for place, match in enumerate(self.matches):
            sides = []
            for team, count in match.points:
                sides.append((team, tuple(range(number, number + count))))
                number += count
            fixtures.append(Fixture(match, place, tuple(sides)))
        return tuple(fixtures)

    @cached_property
    def point_team(self) -> tuple[str, ...]:
        """The team of each point, by the point's number."""
        return tuple(team for fixture in self.fixtures for team, numbers in fixture.points for _ in numbers)

    @cached_property
    def point_match(self) -> tuple[int, ...]:
        """The place in `matches` of each point's match, by the point's number."""
        return tuple(fixture.number for fixture in self.fixtures for _, numbers in fixture.points for _ in numbers)

    @cached_property
    def teams(self) -> tuple[str, ...]:
        """Everybody who plays, sorted."""
        return tuple(sorted({team for match in self.matches for team in (match.home, match.away)}))

    @cached_property
    def fingerprint(self) -> str:
        """A digest of all that decides the points."""
        digest = hashlib.sha256()
        for match in self.matches:
            goals = f"{match.home_goals}:{match.away_goals}"
            digest.update("\0".join((str(match.day), match.home, match.away, goals, "\n")).encode())
        return f"sha256:{digest.hexdigest()}"

    def days(self) -> Iterator[tuple[date, tuple[Fixture, ...]]]:
        """The matches of each date, dates in order."""
        for day, fixtures in groupby(self.fixtures, key=lambda fixture: fixture.match.day):
            yield day, tuple(fixtures)


def slug(name: str) -> str:
    """A name in lower-case ASCII letters, digits and hyphens; a digest of it where nothing else would be left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    short = "-".join(re.findall(r"[a-z0-9]+", plain))
    return short or hashlib.sha256(name.encode()).hexdigest()[:12]


def team_emails(teams: tuple[str, ...]) -> dict[str, str]:
    """An e-mail address for each team, all different, the same whenever the teams are the same."""
    addresses: dict[str, str] = {}
    taken: set[str] = set()
    for team in teams:
        base, number = slug(team), 1
        local = base
        while local in taken:
            number += 1
            local = f"{base}-{number}"
        taken.add(local)
        addresses[team] = f"{local}@{EMAIL_DOMAIN}"
    return addresses
