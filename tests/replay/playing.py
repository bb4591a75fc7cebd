"""Plays plans against the fake scoreboard, on a clock that jumps over every wait."""

from __future__ import annotations

import random
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import trio
import trio.testing

from scoreboard.replay.client import Api
from scoreboard.replay.entries import Header
from scoreboard.replay.football import Match, Season
from scoreboard.replay.journal import Journal
from scoreboard.replay.plan import Plan
from scoreboard.replay.player import Pace, Replay
from scoreboard.replay.report import Comparison
from scoreboard.replay.tally import Scoreline
from tests.replay.fake_scoreboard import FakeScoreboard, Killed

URL = "http://scoreboard.example"


class Notebook:
    """A reporter that keeps all that it is told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.shown: list[Scoreline] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def show(self, line: Scoreline, now: float) -> None:
        self.shown.append(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def match(day: str, home: str, away: str, score: str) -> Match:
    """A match in a few words: ``match("2015-08-08", "Arsenal", "Chelsea", "2:1")``."""
    home_goals, away_goals = (int(goals) for goals in score.split(":"))
    return Match(date.fromisoformat(day), "Cup", home, away, home_goals, away_goals)


def small_plan() -> Plan:
    """Two dates, four teams, eighteen points; one team plays twice on the first date."""
    matches = (
        match("2015-08-08", "Arsenal", "Chelsea", "2:1"),
        match("2015-08-08", "Everton", "Fulham", "0:0"),
        match("2015-08-08", "Fulham", "Arsenal", "1:1"),
        match("2015-08-15", "Arsenal", "Everton", "0:3"),
        match("2015-08-15", "Chelsea", "Fulham", "4:4"),
        match("2015-08-22", "Chelsea", "Everton", "1:0"),
        match("2015-08-22", "Fulham", "Arsenal", "0:1"),
    )
    return Plan(Season(2015), "Cup", matches)


def header_for(plan: Plan, url: str = URL) -> Header:
    """The header of a fresh journal for this plan."""
    return Header(f"{random.getrandbits(64):016x}", url, str(plan.season), plan.division, plan.fingerprint)


def play(
    server: FakeScoreboard,
    path: Path,
    *,
    plan: Plan | None = None,
    notebook: Notebook | None = None,
    matches_per_s: float | None = None,
    concurrency: int = 4,
    patience_s: float = 60.0,
) -> Comparison | None:
    """One life of a replay's process: what it found out, or None if it was killed."""
    plan, notebook = plan or small_plan(), notebook or Notebook()

    async def main() -> Comparison:
        with Journal.open(path, header_for(plan)) as journal:
            async with httpx.AsyncClient(base_url=URL, transport=server.transport()) as http:
                api = Api(http, concurrency, patience_s, notebook.say, random.Random(7))
                return await Replay(plan, journal, api, notebook, Pace(matches_per_s)).run()

    result = None
    try:
        result = trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    except* Killed:
        pass
    return result
