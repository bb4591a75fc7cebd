"""What all who ask in a round share: when to stop beginning, and what to do while nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import trio

from tests.faults.clock import EVEN_S, SteppedClock
from tests.faults.journal import Journal, Operation
from tests.faults.line import Line
from tests.faults.players import Player
from tests.faults.purging import SURE_S

#: So many operations whose answer was lost are never sent again, and so many that were answered are sent once more.
GIVEN_UP, AGAIN = 0.1, 0.03
#: So long a session is good at least.
SESSION_S = 23 * 3600
#: When days go by at once, all have looked which keys are believed now so long after.
LOOKED_S = 5.0


class Load:
    """What all writers of a round share: when to stop beginning, and what to do while nobody answers.

    They are `hurry` times as quick as they usually are. `at_end` happens when they begin nothing any more.
    """

    def __init__(self, port: int, journal: Journal, rng: Random, clock: SteppedClock) -> None:
        self.port = port
        self.clock = clock
        self.journal = journal
        self.rng = rng
        self.enough = False
        self.hurry = 1.0
        self.at_end: Callable[[], Awaitable[None]] | None = None
        self.healed_at = self.ended_at = 0.0

    def refuse(self, operation: Operation, code: str) -> None:
        """It does not count, says an answer; which says nothing where its key may be forgotten by now."""
        age_s = self.clock.true_s() - operation.first_s
        if self.clock.is_even() and age_s < EVEN_S:
            self.journal.wonder(f"{operation} was refused without a reason: {code}")
        if age_s < SURE_S:
            self.journal.refuse(operation, code)
        else:
            self.journal.note("too late", key=operation.key, code=code)

    def wish(self, operation: Operation, wish: object) -> None:
        """This is what it asks for, now and whenever it is sent again."""
        operation.wish, operation.first_s = wish, self.clock.true_s()

    async def renewed(self, player: Player, line: Line) -> bool:
        """Whether there is a new session. Raises Cut."""
        since_s = self.clock.true_s()  # before: weeks may go by until it is answered
        done = await player.renew(line)
        if done:
            player.since_s = since_s
        return done

    def wonder_at(self, player: Player, why: bytes) -> None:
        """A session is refused; which has no reason where it is not a day old, and all clocks have been right since."""
        age_s = self.clock.true_s() - player.since_s
        if 0 <= self.clock.unchanged_s - age_s < LOOKED_S:
            return  # by a key that was just being rotated out: some have seen what time it is, and some have not
        if self.clock.right_since_s < player.since_s and age_s < SESSION_S:
            self.journal.wonder(f"{player.name}'s session of {age_s / 3600:.1f} hours was refused: {why!r}")

    async def pause(self, usual_s: float = 0.3) -> None:
        """Between two tries."""
        await trio.sleep(self.rng.uniform(0.5, 1.0) * usual_s / self.hurry)

    def gives_up(self) -> bool:
        """Whether a client that has lost an answer goes for good."""
        return self.rng.random() < GIVEN_UP

    def says_again(self) -> bool:
        """Whether a client that has an answer asks once more."""
        return self.rng.random() < AGAIN
