"""What a game's server may ask for, and what it hears of each row. Tuples, because there are thousands a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from actors.ports import Source
from actors.runtime import Question, Refusal


class TooManyRows(Refusal):
    """The service has sent more rows than it may in a minute. None of this batch was looked at."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, *, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class ServiceBusy(Refusal):
    """The service has too much under way, or the server cannot judge it now. Nothing was done; try again."""

    code = "SERVICE_UNAVAILABLE"
    retry_after_s = 1.0


class ScoreRow(NamedTuple):
    """One score of a batch.

    `action_id` names it within the service, for ever, in 1 to 128 visible ASCII characters. The catalogue says what the
    type of action is worth; `score_increment` is what the sender believes, if it says so.
    """

    user_id: str
    action_id: str
    action_type: str = "INCREMENT"
    score_increment: int | None = None


class RowScored(NamedTuple):
    """The row is on disk; `repeated`: it was before. Ranks are of the moment when it counted, None if not known."""

    action_id: str
    user_id: str
    new_score: int
    previous_rank: int | None
    new_rank: int | None
    repeated: bool


class RowRefused(NamedTuple):
    """The row does not count. With the code SERVICE_UNAVAILABLE it may be sent again, with others it need not."""

    action_id: str
    user_id: str
    code: str
    message: str


RowResult = RowScored | RowRefused


@dataclass(frozen=True, slots=True)
class Submit(Question[list[RowResult]]):
    """Count these rows, in their order; each gets a result. Refusals: TooManyRows, ServiceBusy, the ledger's."""

    rows: Sequence[ScoreRow]
    source: Source
