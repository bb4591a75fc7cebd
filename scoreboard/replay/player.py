"""Plays a plan: dates in order, the matches of a date together, the points of one team one after another."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

import trio

from scoreboard.replay.accounts import (
    Player,
    Presented,
    fresh_password,
    issue_token,
    present,
    score_of,
    server_table,
    sign_in,
    sign_up,
)
from scoreboard.replay.client import Api
from scoreboard.replay.entries import Account, Counted, Joined, Sent
from scoreboard.replay.errors import AccountTaken, ServerRefused
from scoreboard.replay.football import league_table
from scoreboard.replay.journal import Journal
from scoreboard.replay.plan import Fixture, Plan, team_emails
from scoreboard.replay.progress import Reporter
from scoreboard.replay.report import Comparison, compare
from scoreboard.replay.tally import Tally

STALE_TOKENS = 8  # fresh tokens in a row that the server calls expired or invalid before that is an error
SETTLE_S = 3.0  # a table may trail behind the last answer by a tick or a node's lag
SETTLE_PAUSE_S = 0.25


@dataclass(slots=True)
class Pace:
    """Starts matches evenly, so many a second; None starts them at once."""

    matches_per_s: float | None
    _next: float = 0.0

    async def turn(self) -> None:
        """Wait until the next match may start."""
        if self.matches_per_s is None:
            return
        start = max(self._next, trio.current_time())
        self._next = start + 1.0 / self.matches_per_s
        await trio.sleep_until(start)


@dataclass(slots=True)
class Replay:
    """One run of a plan against a server, made inside Trio. The journal decides what is left to do.

    `password` is for accounts yet to be made; without one each team gets its own random one.
    """

    plan: Plan
    journal: Journal
    api: Api
    reporter: Reporter
    pace: Pace
    password: str | None = None
    _tally: Tally = field(init=False)
    _players: dict[str, Player] = field(init=False, default_factory=dict)
    _turns: dict[str, trio.Lock] = field(init=False)

    def __post_init__(self) -> None:
        self._tally = Tally(self.plan, self.journal.memory.counted)
        self._turns = {team: trio.Lock() for team in self.plan.teams}

    async def run(self) -> Comparison:
        """Sign in, play what is left, and compare the tables.

        Raises:
            ReplayError: as one of its kinds, alone or in groups. The journal is then good for going on.
        """
        await self._sign_in_all()
        self._show()
        for _, fixtures in self.plan.days():
            await self._play_day(fixtures)
        return await self._compare()

    # --- accounts ------------------------------------------------------------------------------------------------

    async def _sign_in_all(self) -> None:
        emails = team_emails(self.plan.teams)
        self.reporter.say(f"Signing in {len(self.plan.teams)} teams; each password costs the server a moment.")
        async with trio.open_nursery() as nursery:
            for team in self.plan.teams:
                nursery.start_soon(self._join, team, emails[team])

    async def _join(self, team: str, email: str) -> None:
        memory = self.journal.memory
        if team not in memory.accounts:
            # Written first: an account whose password was lost with the process could never be used again.
            self.journal.write(Account(team, email, self.password or fresh_password()))
        signing = sign_in if team in memory.joined else sign_up
        player = await signing(self.api, memory.accounts[team])
        await self._check_start(player)
        self._players[team] = player
        if team not in memory.joined:
            self.journal.write(Joined(team, player.user_id))

    async def _check_start(self, player: Player) -> None:
        """What the server holds must be what the journal knows of, but for the point whose answer was lost."""
        team = player.account.team
        known = self._tally.scores[team]
        unsure = sum(self.plan.point_team[point] == team for point in self.journal.memory.pending)
        give_up = trio.current_time() + SETTLE_S
        while not known <= (score := await score_of(self.api, player)) <= known + unsure:
            if score > known or trio.current_time() > give_up:
                raise AccountTaken(
                    f"{team!r} has {score} points on the server, and the journal knows of {known}: somebody else "
                    "played with this account, or the server runs on other data. Use the journal of the run that scored"
                    " them (--journal), or a server with a fresh data directory and a new journal."
                )
            await trio.sleep(SETTLE_PAUSE_S)

    # --- matches -------------------------------------------------------------------------------------------------

    async def _play_day(self, fixtures: tuple[Fixture, ...]) -> None:
        async with trio.open_nursery() as nursery:
            for fixture in fixtures:
                if not self._tally.is_played(fixture.number):
                    await self.pace.turn()
                    for team, points in fixture.points:
                        nursery.start_soon(self._play_side, self._players[team], points)

    async def _play_side(self, player: Player, points: tuple[int, ...]) -> None:
        async with self._turns[player.account.team]:
            for point in points:
                if point not in self.journal.memory.counted:
                    await self._play_point(player, point)

    async def _play_point(self, player: Player, point: int) -> None:
        """Make one point count, exactly once.

        A point in doubt is presented again with its own token and key. Is that token stale then, it was not counted,
        because a server looks for the key first. But keys are not kept for ever: so the score is asked too, which is
        exact because a team has only one point on its way.
        """
        pending = self.journal.memory.pending
        for attempt in range(STALE_TOKENS):
            if attempt or point not in pending:
                await self._take_token(player, point)
            presented = await present(self.api, player, pending[point])
            if presented is Presented.COUNTED or await self._counts_already(player):
                self._count(point)
                return
            await trio.sleep(SETTLE_PAUSE_S * attempt)
        raise ServerRefused(f"The server calls every fresh action token of {player.account.team!r} expired or invalid.")

    async def _take_token(self, player: Player, point: int) -> None:
        token = await issue_token(self.api, player)
        key = f"{self.journal.header.run}-{point}-{secrets.token_hex(4)}"
        self.journal.write(Sent(point, key, token))

    async def _counts_already(self, player: Player) -> bool:
        return await score_of(self.api, player) > self._tally.scores[player.account.team]

    def _count(self, point: int) -> None:
        self.journal.write(Counted(point))
        self._tally.count(point, trio.current_time())
        self._show()

    def _show(self) -> None:
        now = trio.current_time()
        self.reporter.show(self._tally.scoreline(now), now)

    # --- the end -------------------------------------------------------------------------------------------------

    async def _compare(self) -> Comparison:
        """Compare until both agree, or for as long as a table may trail behind."""
        user_ids = {team: player.user_id for team, player in self._players.items()}
        table = league_table(self.plan.matches)
        give_up = trio.current_time() + SETTLE_S
        while True:
            rows = await server_table(self.api, frozenset(user_ids.values()))
            comparison = compare(table, rows, user_ids)
            if comparison.agrees or trio.current_time() > give_up:
                return comparison
            await trio.sleep(SETTLE_PAUSE_S)
