"""When those are cut who are waited for in vain: of a crowd that came at once not all at once. Pure arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from scoreboard.leaky_buckets import LeakyBuckets

#: Linux looks at deadlines so far ahead each half second, and ends those that have passed at once: half as many.
_OF_KERNEL = 2


class Waiting(Enum):
    """What for. Who is waited for likewise has as long, and comes to the deadline together with the others.

    ACKNOWLEDGEMENT is what the kernel waits for, which ends a connection whose other end may be gone.
    """

    HEAD = "head"
    BODY = "body"
    REQUEST = "request"
    READER = "reader"
    ACKNOWLEDGEMENT = "acknowledgement"


@dataclass(frozen=True, slots=True)
class EndRate:
    """Deadlines of one kind: a second in the long run, and at one moment.

    Nobody has more than `most_s` longer than the limit says: a server that is full of those who say nothing has to
    have places again.
    """

    per_s: float = 400.0
    burst: float = 16.0
    most_s: float = 10.0


class Ends:
    """Gives connections their deadlines, a crowd one after the other, and each other connection its own.

    An end costs several times what waiting for it did: the task unwinds, there may be something to say, and the client
    hangs up. Trio ends all whose deadlines have passed in one turn of its loop. So a crowd that came within a second
    made a turn in which more deadlines passed, and those made a longer one: with 1,900 heads that nobody finished, an
    honest request waited for 440 ms (``tests/edge/herd``). It is spread beforehand, when that costs nothing.
    """

    def __init__(self, rate: EndRate = EndRate()) -> None:
        self._rate = rate
        self._buckets = LeakyBuckets(rate.per_s, rate.burst)

    def __repr__(self) -> str:
        return f"<Ends of {self._rate}>"

    def within(self, within_s: float, waiting: Waiting, now: float) -> float:
        """For how many seconds this one is waited for from `now` on, if a lone one is for `within_s`."""
        most_s = self._rate.most_s
        share = _OF_KERNEL if waiting is Waiting.ACKNOWLEDGEMENT else 1
        return within_s + min(self._buckets.wait_for(waiting.value, share, now, within_s=most_s), most_s)
