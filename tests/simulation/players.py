"""Those who do something: players who ask again until they are told, services, judges, and who only looks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import TypeVar

import trio

from actors.leaderboard.events import Row
from actors.leaderboard.messages import NotRanked, Page, RankOf
from actors.ledger.messages import ChangeProfile, ChangeStanding, EndSessions, LedgerUnavailable, Register
from actors.ports import (
    ALL_TIME,
    Act,
    BoardId,
    EventId,
    EventKind,
    NewAccount,
    NewSession,
    ProfileChange,
    Registered,
    SessionId,
    Source,
    StandingChange,
    UserId,
)
from actors.runtime import ActorError, AskTimeout, Refusal
from actors.service.messages import RowRefused, RowResult, RowScored, ScoreRow, ServiceBusy, Submit
from actors.user.messages import Increment, IssueToken, ScoreAnswer
from actors.user.refusals import TokenExpired, TokenInvalid, Unavailable, UserBanned
from actors.user.token import ActionToken
from scoreboard.server.core import Core
from tests.simulation.socket import spend
from tests.simulation.worker import Crew, Gone, Serving
from tests.simulation.world import World

T = TypeVar("T")

HERE = Source(None, None)
COUNTRIES = ["US", "DE", None]
#: Whoever gets no answer asks again so often, which takes longer than any trouble lasts.
PATIENCE = 80
#: Scores of one player in a second, where there is much to do.
BUSY_RATE = 4
#: So many servers of the game may tell of scores in the same moment.
SERVERS = 4
#: So many keys are asked for once more in the end.
ASKED_AGAIN = 6
#: A token is worth something for so long; or not much longer than an answer may take.
TOKEN_AGE_S, BRIEF_S = 20, 4


def token_age_s(habits: Collection[str]) -> int:
    """For so long a token is worth something."""
    return BRIEF_S if "brief" in habits else TOKEN_AGE_S


@dataclass
class Tried:
    """One token, and all that was heard of it."""

    user_id: UserId
    token: ActionToken
    key: str | None
    shown_at: float = 0.0  # for the first time, on Trio's clock
    answers: list[ScoreAnswer] = field(default_factory=list)
    refused: Refusal | None = None
    lost: int = 0  # attempts of which nothing was heard


@dataclass
class People:
    """All of them, and what they were told."""

    world: World
    crew: Crew
    kinds: Collection[str] = ()  # of harm
    habits: Collection[str] = ()
    calm: bool = False  # nothing can go wrong
    tried: list[Tried] = field(default_factory=list)
    joined: list[UserId] = field(default_factory=list)
    rows: dict[str, tuple[UserId, RowScored | RowRefused | None]] = field(default_factory=dict)
    signed_out: list[SessionId] = field(default_factory=list)
    numbers: count[int] = field(default_factory=lambda: count(1))

    async def _insist(self, question: Callable[[Core], Awaitable[T]], times: int = PATIENCE) -> T | None:
        """Ask any worker, again and again while nobody says what has become of it; None if nobody ever does."""
        for _ in range(times):
            try:
                return await self.crew.ask(question)
            except (Gone, ActorError):
                await trio.sleep(self.world.rng.uniform(0.1, 2))
        return None

    # --- scores ---

    async def play(self, user_id: UserId, times: int) -> None:
        """Score some points, now and then on two workers at once."""
        rng = self.world.rng
        for _ in range(times):
            await trio.sleep(rng.expovariate(BUSY_RATE if "busy" in self.habits else 1))
            issued = await self._insist(lambda core: core.users.ask(user_id, IssueToken(), within=10))
            if issued is None:
                return
            keyed = rng.random() < (0.2 if "careless" in self.habits else 0.85)
            tried = Tried(user_id, issued.token, f"key {next(self.numbers)}" if keyed else None)
            self.tried.append(tried)
            if rng.random() < 0.1:  # long after it was made
                await trio.sleep(rng.uniform(0, 25))
            tried.shown_at = trio.current_time()
            async with trio.open_nursery() as nursery:
                for first in self._ways():
                    nursery.start_soon(self._increment, tried, first)
                if "cheats" in self.habits and rng.random() < 0.3:
                    nursery.start_soon(self._steal, tried)
            if "cheats" in self.habits and rng.random() < 0.3:
                await self._use_key_again(tried)

    def _ways(self) -> list[Serving | None]:
        """On how many workers at once a token is shown; None is any of them."""
        if "duels" in self.habits:
            return [*self.crew.serving] or [None]
        return [None] * self.world.rng.choice([1, 1, 1, 2])

    async def _steal(self, tried: Tried) -> None:
        """Somebody else shows the token, before or after who it is made for, and is refused."""
        thief = self.world.rng.choice([user_id for user_id in self.world.players.rows if user_id != tried.user_id])
        wish = Increment(tried.token, tried.key, HERE)
        await self._be_refused(thief, wish)

    async def _use_key_again(self, tried: Tried) -> None:
        """The same key with another token is refused, and the token can still be spent."""
        issued = await self._insist(lambda core: core.users.ask(tried.user_id, IssueToken(), within=10))
        if issued is None or tried.key is None or not tried.answers:
            return
        other = Tried(tried.user_id, issued.token, None, trio.current_time())
        await self._be_refused(tried.user_id, Increment(issued.token, tried.key, HERE), tried)
        self.tried.append(other)
        if tried.token.digest not in self.world.laws.lost:
            await self._increment(other)

    async def _be_refused(self, user_id: UserId, wish: Increment, first: Tried | None = None) -> None:
        for _ in range(PATIENCE):
            try:
                answer = await self.crew.ask(lambda core: core.users.ask(user_id, wish, within=10))
            except (Unavailable, LedgerUnavailable, AskTimeout, Gone):
                await trio.sleep(self.world.rng.uniform(0.1, 2))
            except ActorError:
                return
            else:
                forgotten = first is not None and first.token.digest in self.world.laws.lost
                self.world.laws.require(forgotten, f"{user_id} should have been refused {wish}, and heard {answer}")
                return

    async def _increment(self, tried: Tried, first: Serving | None = None) -> None:
        for _ in range(PATIENCE if tried.key else 1):
            try:
                serving, first = first or self.crew.any(), None
                answer = await self._spend(serving, tried)
            except Gone:
                tried.lost += 1
            except (Unavailable, LedgerUnavailable, AskTimeout):
                tried.lost += 1
            except Refusal as refusal:
                tried.refused = refusal
                return
            except ActorError:
                tried.lost += 1
            else:
                tried.answers.append(answer)
                self.world.laws.acknowledged(tried.user_id, tried.token.digest, answer)
                self._look_at_own(tried, serving.core, answer)
                return
            await trio.sleep(self.world.rng.uniform(0.1, 2))

    async def _spend(self, serving: Serving, tried: Tried) -> ScoreAnswer:
        """By a request, or on a live connection, which may be gone before the answer."""
        if self.world.rng.random() < 0.7:
            wish = Increment(tried.token, tried.key, HERE)
            return await serving.ask(lambda core: core.users.ask(tried.user_id, wish, within=10))
        within = self.world.rng.choice([0.5, 5.0, 20.0])
        return await spend(serving, tried.user_id, tried.token, tried.key, within)

    def _look_at_own(self, tried: Tried, core: Core, answer: ScoreAnswer) -> None:
        """Whoever is told a new rank finds it on the board of who told it."""
        if answer.new_rank is None or answer.repeated:
            return
        with suppress(NotRanked):
            shown = core.published.answer(ALL_TIME, RankOf(tried.user_id, own=True))
            self.world.laws.told_rank(tried.user_id, answer, None if shown is None else shown.row)

    async def send_batches(self, players: Sequence[UserId], times: int, rate: float = 0.3) -> None:
        """One of the game's servers tells of many at once, and again until each has a result."""
        rng = self.world.rng
        for _ in range(times):
            await trio.sleep(rng.expovariate(rate))
            names = [f"deed {next(self.numbers)}" for _ in range(rng.randint(1, 6))]
            rows = [ScoreRow(rng.choice(players), name) for name in names]
            self.rows |= {row.action_id: (UserId(row.user_id), None) for row in rows}
            await self._send(rows)

    async def flood(self, players: Sequence[UserId]) -> None:
        """All of the game's servers tell at once, so that batches wait for one another."""
        await trio.sleep(self.world.rng.uniform(0, 15))
        async with trio.open_nursery() as nursery:
            for _ in range(SERVERS):
                nursery.start_soon(self.send_batches, players, 1, 3.0)

    async def _send(self, rows: list[ScoreRow]) -> None:
        for _ in range(PATIENCE):
            try:
                results = await self.crew.ask(partial(_of_service, Submit(tuple(rows), HERE)))
            except (Gone, ActorError):
                await trio.sleep(self.world.rng.uniform(0.1, 2))
                continue
            again = []
            for row, result in zip(rows, results, strict=True):
                self._told(row, result)
                if isinstance(result, RowRefused) and result.code == ServiceBusy.code:
                    again.append(row)
            if not again:
                return
            rows = again

    def _told(self, row: ScoreRow, result: RowScored | RowRefused) -> None:
        self.rows[row.action_id] = (UserId(row.user_id), result)
        if isinstance(result, RowScored) and row.action_id not in self.world.laws.lost_actions:
            counted = [write for write, _ in self.world.laws.by_token.values() if write.action_id == row.action_id]
            self.world.laws.require(
                len(counted) == 1, f"{row.action_id} was confirmed, and counts {len(counted)} times"
            )

    # --- everything else ---

    async def travel(self, user_id: UserId, times: int) -> None:
        """Change the country."""
        for _ in range(times):
            await trio.sleep(self.world.rng.expovariate(0.3))
            change = ChangeProfile(user_id, ProfileChange(country=self.world.rng.choice(COUNTRIES)))
            await self._insist(partial(_of_accounts, change))

    async def judge(self, user_id: UserId, times: int) -> None:
        """Quarantine a player, or lift it."""
        for number in range(times):
            await trio.sleep(self.world.rng.expovariate(0.3))
            change = StandingChange(quarantined=self.world.rng.random() < 0.6)
            act = Act(EventId(f"{user_id} {number}"), 0, EventKind.CONSEQUENCE, "rule:any", "for a test")
            await self._insist(partial(_of_standing, ChangeStanding(user_id, change, act)))

    async def register(self, name: str) -> None:
        """Become a player. Told to try again one finds one's name taken, and that is as it should be."""
        await trio.sleep(self.world.rng.uniform(0, 15))
        user_id, session_id = UserId(name), SessionId(f"of {name}")
        account = NewAccount(user_id, name, name, name, name, "hash")
        session = NewSession(session_id, user_id, name.encode(), 0, 2**60, HERE)
        try:
            outcome = await self.crew.ask(lambda core: core.accounts.ask(Register(account, session), within=30))
        except (Gone, ActorError):
            return
        if isinstance(outcome, Registered):
            self.joined.append(user_id)
            await trio.sleep(self.world.rng.uniform(0, 5))
            ended = EndSessions(user_id, self.world.clock.now_us())
            if await self._insist(lambda core: core.accounts.ask(ended, within=10)) is not None:
                self.signed_out.append(session_id)

    async def look(self, boards: Sequence[BoardId], players: Sequence[UserId], times: int) -> None:
        """Read boards, and where somebody stands; what is read must be true."""
        rng = self.world.rng
        for _ in range(times):
            await trio.sleep(rng.expovariate(1))
            board, user_id = rng.choice(boards), rng.choice(players)
            there = self.crew.serving
            if not there:
                continue
            serving = rng.choice(there)
            ask = partial(_page, board) if rng.random() < 0.5 else partial(_rank_of, board, user_id)
            try:
                rows = await serving.ask(ask)
            except (Gone, ActorError):
                continue
            self._check(board, serving.core, rows)

    def _check(self, board: BoardId, core: Core, rows: Sequence[Row]) -> None:
        """What was told, and what is published beside it: of a period it says of which, and that holds for both."""
        view = core.published.current(board)
        if view is None:
            return
        for each in (rows, view.rows):
            for row in each:
                self.world.laws.fit(board, view.span, row)
            self.world.laws.ordered(board, each, first=None)

    # --- in the end ---

    async def ask_again(self) -> None:
        """Long afterwards some ask once more: what counts is told as it was at first, and of the rest nothing."""
        laws = self.world.laws
        for tried in self._doubtful():
            wish = Increment(tried.token, tried.key, HERE)
            answer = await self._insist(partial(_of_user, tried.user_id, wish), times=3)
            counted = tried.token.digest in laws.by_token
            laws.require(counted or answer is None, f"was told {answer} once more, but it is not on disk: {tried}")
            known = answer is not None or tried.user_id in self.world.accounts.erased
            laws.require(known or not counted, f"asked once more, and was not told what counts: {tried}")
            tried.answers += [] if answer is None else [answer]

    def _doubtful(self) -> list[Tried]:
        """Some with keys, and first of all those whose score was lost, or who had to ask more than once."""
        keyed = [tried for tried in self.tried if tried.key]
        self.world.rng.shuffle(keyed)
        keyed.sort(key=lambda tried: (tried.token.digest not in self.world.laws.lost, not tried.lost))
        return keyed[:ASKED_AGAIN]

    def check(self) -> None:
        """What was answered is on disk, what was refused is not, and who asked again heard the same.

        Unless it was lost with the store's last commits: then it may be anything, but counts once at most; and the
        ranks that were told may be lost even where the score was not, for they are kept a little later. Who is
        banned by hand is refused. A token that was made by a clock that was ahead lies in the future for all others.
        Who was told before that the score could not be confirmed may hear of an expired token and yet have it counted:
        the transaction of which nobody knew ends when it will, and one worker does not know what another has in doubt.
        """
        laws = self.world.laws
        allowed: tuple[type[Refusal], ...] = (TokenExpired,)
        allowed += (TokenInvalid,) if "clock" in self.kinds else ()
        allowed += (UserBanned,) if {"hands", "erase"}.intersection(self.kinds) else ()
        for tried in self.tried:
            if tried.token.digest in laws.lost:
                continue
            counted = tried.token.digest in laws.by_token
            owner = laws.by_token[tried.token.digest][0].user_id if counted else tried.user_id
            laws.require(owner == tried.user_id, f"counts for {owner}: {tried}")
            fresh = "clock" in self.kinds or not self._expired(tried)
            laws.require(fresh or not counted, f"too old, but counts: {tried}")
            laws.require(not tried.answers or counted, f"answered, but not on disk: {tried}")
            laws.require(not tried.key or tried.answers or tried.refused, f"never answered: {tried}")
            if tried.key and tried.refused is not None:
                laws.require(isinstance(tried.refused, allowed), f"refused for a wrong reason: {tried}")
                laws.require(not counted or tried.lost or tried.answers, f"refused, and counts: {tried}")
            laws.require(not (tried.lost and self.calm), f"not answered at once, and nothing was wrong: {tried}")
            ranks = [(each.previous_rank, each.new_rank) for each in tried.answers if not laws.shaken]
            heard = {each.new_score for each in tried.answers}
            laws.require(len(set(ranks)) <= 1, f"heard different ranks: {tried}")
            laws.require(len(heard) <= 1, f"heard different answers: {tried}")
            laws.require(sum(not each.repeated for each in tried.answers) <= 1, f"twice the first: {tried}")
        self._check_rows(allowed)
        known = self.world.players.rows
        laws.require(set(self.joined) <= set(known) | laws.lost_players, "somebody joined who is not there")
        ended = laws.shaken or set(self.signed_out) <= set(self.world.accounts.ended)
        laws.require(ended, "a session has not ended that was told to have")

    def _check_rows(self, allowed: tuple[type[Refusal], ...]) -> None:
        """Each row of a batch is confirmed in the end, unless its player is banned by hand."""
        for name, (user_id, result) in self.rows.items():
            banned = isinstance(result, RowRefused) and result.code == UserBanned.code and UserBanned in allowed
            confirmed = banned or isinstance(result, RowScored)
            self.world.laws.require(confirmed, f"{name} of {user_id} was never confirmed: {result}")

    def _expired(self, tried: Tried) -> bool:
        """Whether it was too old when it was shown first, by a clock that is right."""
        shown_ms = self.world.begin_s * 1000 + tried.shown_at * 1000
        return shown_ms > tried.token.timestamp_ms + token_age_s(self.habits) * 1000


async def _page(board: BoardId, core: Core) -> tuple[Row, ...]:
    return (await core.boards.ask(board, Page(100, 0), within=5)).rows


async def _rank_of(board: BoardId, user_id: UserId, core: Core) -> tuple[Row, ...]:
    return ((await core.boards.ask(board, RankOf(user_id), within=5)).row,)


async def _of_user(user_id: UserId, wish: Increment, core: Core) -> ScoreAnswer:
    return await core.users.ask(user_id, wish, within=30)


async def _of_accounts(change: ChangeProfile, core: Core) -> object:
    return await core.accounts.ask(change, within=10)


async def _of_standing(change: ChangeStanding, core: Core) -> object:
    return await core.standing.ask(change, within=10)


async def _of_service(batch: Submit, core: Core) -> list[RowResult]:
    return await core.services.ask("game", batch, within=10)
