"""What a game's server may ask for, and what it hears of each row. Tuples, because there are thousands a second."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from actors.ports import Origin
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


class ScoreRow(Protocol):
    """One score of a batch: `action_id` names it within the service, for ever."""

    @property
    def user_id(self) -> str:
        """Whose it is."""

    @property
    def action_id(self) -> str:
        """1 to 128 visible ASCII characters."""

    @property
    def action_type(self) -> str:
        """What was done; the catalogue says what it is worth."""

    @property
    def score_increment(self) -> int | None:
        """What the sender believes it to be worth, if it says so."""


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
    origin: Origin
