"""A ledger in the plainest way: who did what and when, and the boards that are sorted anew from it each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from hypothesis import strategies as st

from actors.leaderboard.events import Row
from actors.ports import BoardScope, Members, ScoreFact, Span, UserId

DAY = Span(1_000, 2_000, "a day")
BEFORE, DURING, AFTER = 500, 1_500, 2_500
COUNTRIES = [None, "US", "DE"]


@dataclass
class Deed:
    """One row of the ledger; a change of profile has no points, nor has one of standing (hidden, or shown again)."""

    user: str
    points: int
    occurred_us: int
    country: str | None
    hidden: bool | None = None


@dataclass
class NaiveLedger:
    """Every fact, in the order of the commits. Some moments are shared, so that there are ties."""

    facts: list[ScoreFact] = field(default_factory=list)

    def add(self, deed: Deed) -> ScoreFact:
        """One deed more. A gain keeps the country; a change of profile sets it."""
        known = self.of(deed.user)
        last = known[-1] if known else ScoreFact(UserId(deed.user), deed.user.upper(), 0, 0, 0)
        score = last.score + deed.points
        reached = 1_000 + len(self.facts) // 4 if deed.points else last.reached_us
        country = last.country if deed.points else deed.country
        hidden = last.hidden if deed.points or deed.hidden is None else deed.hidden
        name = f"{deed.user.upper()} in {country}"
        fact = ScoreFact(
            last.user_id,
            name,
            score,
            last.version + 1,
            reached,
            deed.points,
            deed.occurred_us,
            country,
            f"{country}.png",
            hidden,
        )
        self.facts.append(fact)
        return fact

    def of(self, user: str) -> list[ScoreFact]:
        """All of one player."""
        return [fact for fact in self.facts if fact.user_id == user]

    def lines(self, scope: BoardScope, span: Span | None) -> list[tuple[ScoreFact, int]]:
        """Each player of a board as it shows them, with the total."""
        lines = []
        for user in sorted({fact.user_id for fact in self.facts}):
            known = self.of(user)
            counted = [fact for fact in known if fact.points and (span is None or span.holds(fact.occurred_us))]
            if scope.country not in (None, known[-1].country) or (span is not None and not counted):
                continue
            reached = counted[-1].reached_us if counted else known[-1].reached_us
            score = sum(fact.points for fact in counted)
            lines.append((known[-1]._replace(score=score, reached_us=reached), known[-1].score))
        return lines

    def rows(self, scope: BoardScope, span: Span | None, eyes: str | None = None) -> tuple[Row, ...]:
        """The board, sorted anew, as others see it, or that player."""
        lines = [line for line, _ in self.lines(scope, span) if not line.hidden or line.user_id == eyes]
        facts = sorted(lines, key=lambda one: (-one.score, one.reached_us, one.user_id))
        return tuple(
            Row(rank, one.user_id, one.username, one.score, one.reached_us, one.country, one.avatar)
            for rank, one in enumerate(facts, 1)
        )

    def members(self, scope: BoardScope, span: Span | None, users: Sequence[str] | None = None) -> Members:
        """The board as a store tells it; of these players, if some are given."""
        lines = [line for line in self.lines(scope, span) if users is None or line[0].user_id in users]
        return Members(
            [one.user_id for one, _ in lines],
            [one.username for one, _ in lines],
            [one.score for one, _ in lines],
            [one.version for one, _ in lines],
            [one.reached_us for one, _ in lines],
            [total for _, total in lines],
            [one.country for one, _ in lines],
            [one.avatar for one, _ in lines],
            1.0,
            [one.hidden for one, _ in lines] if any(one.hidden for one, _ in lines) else None,
        )


DEEDS = st.lists(
    st.builds(
        Deed,
        st.sampled_from("abcdef"),
        st.sampled_from([0, 1, 1, 2, 3]),
        st.sampled_from([BEFORE, DURING, DURING, AFTER]),
        st.sampled_from(COUNTRIES),
        st.sampled_from([None, None, True, False]),
    ),
    max_size=40,
)
