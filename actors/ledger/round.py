"""What goes into one transaction together, and who waits for what of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from actors.ledger.messages import Result
from actors.ports import Committed, Repeated, ScoreFact, ScoreWrite, SpentToken, UserId
from actors.runtime import Request

#: A spent token is shown so long at most: then the longest-lived has expired.
SHOWN_US = 300_000_000


@dataclass(slots=True)
class Round:
    """Writes in doubt, whose askers have been sent away; then single scores; then batches; and what is announced.

    `results` stand in the order of `writes` once the transaction has ended, which `began` then on Trio's clock,
    when the store had this `history`.
    """

    doubted: list[ScoreWrite]
    commits: list[Request]
    batches: list[Request]
    announced: list[Request]
    results: list[Result] = field(default_factory=list)
    began: float = 0.0
    history: str = ""
    writes: list[ScoreWrite] = field(init=False)

    def __post_init__(self) -> None:
        self.writes = self.doubted + [request.message.write for request in self.commits]
        for request in self.batches:
            self.writes += request.message.writes

    @property
    def singles(self) -> Iterator[tuple[ScoreWrite, Request | None, Result]]:
        """Each write that is not of a batch, with who asks (nobody for what was in doubt) and what became of it."""
        askers = [None] * len(self.doubted) + self.commits
        return zip(self.writes, askers, self.results, strict=False)

    @property
    def keys(self) -> set[tuple[str, str]]:
        """The players and idempotency keys of its single scores."""
        alone = self.writes[: len(self.doubted) + len(self.commits)]
        return {(write.user_id, write.idempotency_key) for write in alone if write.idempotency_key is not None}

    @property
    def shares(self) -> Iterator[tuple[Request, list[Result]]]:
        """Each batch with its results."""
        start = len(self.doubted) + len(self.commits)
        for request in self.batches:
            end = start + len(request.message.writes)
            yield request, self.results[start:end]
            start = end

    def news(self) -> list[ScoreFact]:
        """What the boards must hear of: what was scored, and what is announced."""
        return self.scored() + [request.message.fact for request in self.announced]

    def scored(self) -> list[ScoreFact]:
        """What came of the transaction.

        A fresh score, and the retry of one whose first answer never came to be. Not a known row of a batch: it may be
        years old, and its player banned since.
        """
        alone = len(self.doubted) + len(self.commits)
        facts = [result.fact for result in self.results[:alone] if _unranked(result)]
        facts += [result.fact for result in self.results[alone:] if isinstance(result, Committed) and not result.again]
        return facts

    def spent(self) -> list[SpentToken]:
        """The tokens that its single scores have spent. Rows of batches have none."""
        return [
            SpentToken(
                write.token_hash,
                write.user_id,
                write.action_id,
                min(write.token_expires_us, result.fact.reached_us + SHOWN_US),
            )
            for write, asker, result in self.singles
            if asker is not None and isinstance(result, Committed)
        ]

    def own_keys(self) -> set[tuple[UserId, str | None]]:
        """The keys under which a write of ours stands that was in doubt: of these nobody else has the first answer.

        A write in doubt that is told to be repeated never stood: the key is that of another worker's write.
        """
        doubted = zip(self.doubted, self.results, strict=False)
        return {(write.user_id, write.idempotency_key) for write, result in doubted if isinstance(result, Committed)}

    def numbers(self) -> tuple[int, ...]:
        """The numbers of the batches that it was written as; all that they hold is among the news."""
        numbers = {result.batch for result in self.results if isinstance(result, Committed)}
        return tuple(sorted(numbers - {0}))

    def fresh(self) -> int:
        """How many scores count since now. What was in doubt had not been counted before, whenever it was done."""
        doubted = sum(isinstance(result, Committed) for result in self.results[: len(self.doubted)])
        asked = self.results[len(self.doubted) :]
        return doubted + sum(isinstance(result, Committed) and not result.again for result in asked)


def _unranked(result: Result) -> TypeGuard[Committed | Repeated]:
    return isinstance(result, Committed) or (isinstance(result, Repeated) and result.new_rank is None)
