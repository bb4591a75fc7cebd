"""What must hold after every step, and what must hold when everything has been quiet for a while."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, tzinfo
from typing import NamedTuple

from actors.leaderboard.calendar import span_of
from actors.leaderboard.events import Row
from actors.leaderboard.scope import scope_of
from actors.ports import BoardId, Committed, Period, ScoreFact, ScoreWrite, Span, UserId
from actors.user.messages import ScoreAnswer
from tests.fakes import FakeScoreStore, Players


class Broken(AssertionError):
    """A law does not hold."""


class State(NamedTuple):
    """How one player stood at one version."""

    version: int
    score: int
    reached_us: int
    country: str | None
    hidden: bool


class Fit(NamedTuple):
    """The versions of a player, the first and the last, at which a row was true."""

    first: int
    last: float


def _version_of(fact: ScoreFact) -> int:
    return fact.version


class Laws:
    """Watches the ledger and all that is shown or answered. The first breach ends the run.

    What a screen shows is held against each player by itself: every row must be what some prefix of the ledger gives of
    that player, and no screen goes back to an older one. It is not held against one prefix for all rows together,
    for workers commit side by side, and nothing orders what two of them commit of different players.
    """

    def __init__(
        self,
        ledger: FakeScoreStore,
        zones: Mapping[Period, tzinfo],
        broken: Callable[[], None],
        note: Callable[[str], None],
    ) -> None:
        self.breach: str | None = None
        self.shaken = False  # something may be shown that is lost, with the states that are
        self._lost_states: defaultdict[UserId, set[State]] = defaultdict(set)
        self._lost_scores: defaultdict[UserId, list[Committed]] = defaultdict(list)
        self.ledger = ledger
        self.zones = zones
        self.by_token: dict[bytes, tuple[ScoreWrite, Committed]] = {}
        self.lost: set[bytes] = set()  # tokens that were spent, in commits that the store has lost
        self.lost_actions: set[str] = set()
        self.lost_players: set[UserId] = set()
        self._broken, self._note = broken, note
        self._operations: set[str] = set()
        self._states: defaultdict[UserId, list[State]] = defaultdict(list)
        self._scored: defaultdict[UserId, list[Committed]] = defaultdict(list)
        self._seen = 0

    @property
    def players(self) -> Players:
        """All rows."""
        return self.ledger.players

    def require(self, condition: object, law: str) -> None:
        """The law that is broken otherwise."""
        if not condition and self.breach is None:
            self.breach = law
            self._note(f"BROKEN: {law}")
            self._broken()

    # --- the ledger ---

    def forget(self, lost: Sequence[ScoreWrite]) -> None:
        """The store has lost these, and whatever else was done since the first of them.

        What is shown may be what was lost, until it is quiet. Then all must be as ever.
        """
        self.lost |= {write.token_hash for write in lost}
        self.lost_actions |= {write.action_id for write in lost}
        self.lost_players |= self._states.keys() - self.players.rows.keys()
        for write in lost:
            self._operations.discard(write.operation_id)
            self.by_token.pop(write.token_hash, None)
        self._seen = len(self.ledger.ledger)
        for user_id, states in self._states.items():
            row = self.players.rows.get(user_id)
            version = -1 if row is None else row.version
            self._lost_states[user_id].update(states)
            states[:] = [state for state in states if state.version <= version]
            scored = self._scored[user_id]
            self._lost_scores[user_id] += [each for each in scored if each.fact.version > version]
            scored[:] = [each for each in scored if each.fact.version <= version]
        self.shaken = True

    def observe(self) -> None:
        """Something was done at the store: each operation once, each token once, each total one version further."""
        for write, outcome in self.ledger.ledger[self._seen :]:
            self._entry(write, outcome)
        self._seen = len(self.ledger.ledger)
        for row in self.players.rows.values():
            states = self._states[row.user_id]
            if not states or states[-1].version != row.version:
                states.append(State(row.version, row.score, row.reached_us, row.country, row.standing.hidden))

    def _entry(self, write: ScoreWrite, outcome: Committed) -> None:
        fact, points = outcome.fact, outcome.points
        self.require(write.operation_id not in self._operations, f"{write.operation_id} counts twice")
        self.require(write.token_hash not in self.by_token, f"a token of {write.user_id} was spent twice")
        self._operations.add(write.operation_id)
        self.by_token[write.token_hash] = write, outcome
        states = self._states[fact.user_id]
        before = states[-1] if states else State(0, 0, 0, None, hidden=False)
        self.require(fact.score == before.score + points, f"the total of {fact.user_id} is not its sum")
        self.require(fact.version == before.version + 1, f"a version of {fact.user_id} was left out")
        self.require(fact.reached_us > before.reached_us, f"the time of {fact.user_id} goes back")
        states.append(State(fact.version, fact.score, fact.reached_us, fact.country, fact.hidden))
        self._scored[fact.user_id].append(outcome)

    def acknowledged(self, user_id: UserId, token: bytes, answer: ScoreAnswer) -> None:
        """Somebody was told that it is on disk."""
        if token in self.lost:
            return
        entry = self.by_token.get(token)
        self.require(entry, f"{user_id} was told of a score that is not on disk")
        if entry is not None:
            self.require(entry[1].fact.score == answer.new_score, f"{user_id} was told another total")
        most = len(self.players.rows) + len(self.lost_players)
        for rank in (answer.previous_rank, answer.new_rank):
            self.require(rank is None or 1 <= rank <= most, f"{user_id} was told the rank {rank}")

    # --- what is shown ---

    def span(self, board: BoardId, moment_us: int) -> Span | None:
        """The period of a board that holds a moment; None of all time."""
        period = scope_of(board).period
        if period == Period.ALL_TIME:
            return None
        return span_of(period, self.zones.get(period, UTC), moment_us)

    def fit(self, board: BoardId, span: Span | None, row: Row, *, own: bool = False) -> Fit:
        """The versions at which a row was true; breaks the law if there is none. `own`: shown to the player itself."""
        states = self._states[row.user_id]
        shown = f"{board} shows {row.user_id} with {row.score} at {row.reached_us % 10**9}"
        if self.shaken:
            self._fit_or_lost(board, span, row, own=own)
            return Fit(0, float("inf"))
        found = self._of_total(states, row) if span is None else self._of_gain(row, span)
        if found is None:
            self.require(False, f"{shown}, which never was so")
            return Fit(0, 0)
        later = [state for state in states if state.version >= found.first]
        self.require(any(state.country == row.country for state in later), f"{shown} in {row.country}, but never was")
        self.require(own or not all(state.hidden for state in later), f"{shown}, who is hidden")
        country = scope_of(board).country
        self.require(country in {None, row.country}, f"{shown}, who is of {row.country}")
        return found

    def _fit_or_lost(self, board: BoardId, span: Span | None, row: Row, *, own: bool) -> None:
        """What is shown may be lost, or be put together of what is lost and what counts since, until it is read."""
        states = [*self._states[row.user_id], *self._lost_states[row.user_id]]
        shown = f"{board} shows {row.user_id} with {row.score} at {row.reached_us % 10**9}"
        known = {(state.score, state.reached_us) for state in states}
        if span is None:
            self.require((row.score, row.reached_us) in known, f"{shown}, neither lost nor true")
        else:
            self.require(row.score in self._sums(row, span), f"{shown}, neither lost nor true, nor both together")
        self.require(any(state.country == row.country for state in states), f"{shown} in {row.country}, but never was")
        self.require(own or not all(state.hidden for state in states), f"{shown}, who always was hidden")
        self.require(scope_of(board).country in {None, row.country}, f"{shown}, who is of {row.country}")

    def _sums(self, row: Row, span: Span) -> set[int]:
        """What a player may have gained in a period at that moment: scores one behind the other, lost or not.

        One may lie behind another where it has a later version, and its total room for both.
        """
        facts = {each.fact for each in (*self._scored[row.user_id], *self._lost_scores[row.user_id])}
        counted = sorted((fact for fact in facts if fact.points and span.holds(fact.occurred_us)), key=_version_of)
        sums: dict[ScoreFact, set[int]] = {}
        for fact in counted:
            before = [sums[each] for each in sums if each.version < fact.version]
            room = fact.score - fact.points
            sums[fact] = {fact.points, *(fact.points + gain for gain in set().union(*before) if gain <= room)}
        return set().union(*(found for fact, found in sums.items() if fact.reached_us == row.reached_us))

    def told_rank(self, user_id: UserId, answer: ScoreAnswer, shown: Row | None) -> None:
        """Whoever is told a new rank finds it on the board of who told it, or what the store has lost."""
        lost = {(state.score, state.reached_us) for state in self._lost_states[user_id]}
        known = shown is None or shown.score >= answer.new_score or (shown.score, shown.reached_us) in lost
        self.require(known, f"{user_id} was told {answer}, and the board shows {shown}")

    def _of_total(self, states: Sequence[State], row: Row) -> Fit | None:
        fitting = [state.version for state in states if (state.score, state.reached_us) == (row.score, row.reached_us)]
        return Fit(fitting[0], fitting[-1] if fitting[-1] < states[-1].version else float("inf")) if fitting else None

    def _of_gain(self, row: Row, span: Span) -> Fit | None:
        """All that was gained in the period up to some version.

        Nor is the first of it ever left out: of who comes to a board with more than was just gained the store is asked.
        """
        facts = [each.fact for each in self._scored[row.user_id]]
        counted = [fact for fact in facts if fact.points and span.holds(fact.occurred_us)]
        for at, fact in enumerate(counted, 1):
            if fact.reached_us == row.reached_us:
                after = counted[at].version - 1 if at < len(counted) else float("inf")
                return Fit(fact.version, after) if row.score == sum(each.points for each in counted[:at]) else None
        return None

    def ordered(self, board: BoardId, rows: Sequence[Row], *, first: int | None = 1) -> None:
        """Rows stand in the order of boards and are numbered one by one."""
        keys = [(-row.score, row.reached_us, row.user_id) for row in rows]
        self.require(keys == sorted(set(keys)), f"{board} is not in order")
        begin = rows[0].rank if rows and first is None else first or 1
        ranks = [row.rank for row in rows]
        self.require(ranks == list(range(begin, begin + len(rows))), f"{board} has the ranks {ranks}")

    # --- after quiet ---

    def truth(
        self, board: BoardId, now_us: int, *, eyes: UserId | None = None
    ) -> list[tuple[int, int, str, str | None]]:
        """The sort of what the ledger has, as others see it, or that player."""
        found = self.ledger._on_board(scope_of(board), self.span(board, now_us), self.players.rows)
        facts = [fact for fact in found.facts() if not fact.hidden or fact.user_id == eyes]
        rows = [(fact.score, fact.reached_us, fact.user_id, fact.country) for fact in facts]
        return sorted(rows, key=lambda each: (-each[0], *each[1:3]))

    def sums(self) -> None:
        """Totals are the sums of all rows."""
        for user_id, row in self.players.rows.items():
            total = sum(outcome.points for write, outcome in self.ledger.ledger if write.user_id == user_id)
            self.require(total == row.score, f"{user_id} has {row.score}, the rows give {total}")
