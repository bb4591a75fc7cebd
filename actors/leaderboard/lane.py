"""Those of an audience who follow in the same wire form. Synchronous.

That somebody sits here says all that a step has to know: it has been shown exactly what all here have been shown, and
nothing else is on its way to it. So a step is one call of its `send`, and touches nothing else of it: with thousands of
connections it is the memory touched that costs, because a second later no cache knows any of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

from actors.leaderboard.messages import Send
from actors.leaderboard.update import Dialect, Update

F = TypeVar("F")


class Fallen(NamedTuple, Generic[F]):
    """One who did not take a step whole and sits here no more.

    `shown` is what it has been shown last; of its frames `rest` has yet to be sent, before all else.
    """

    follower: F
    shown: Update
    rest: bytes


class Lane(Generic[F]):
    """Seats in the order in which they were taken, which is mostly the order in memory.

    A step goes over the seats in slices, and others may come and go between two of them. A free seat is taken again
    only between steps, so that nobody sits where the step has yet to pass.
    """

    def __init__(self, dialect: Dialect, shown: Update, *, full: bool) -> None:
        self._dialect = dialect
        self._full = full
        self._sends: list[Send | None] = []
        self._followers: list[F | None] = []  # beside `_sends`, which is all that a step looks at
        self._seats: dict[F, int] = {}
        self._free: list[int] = []
        self._before = self._shown = shown
        self._frames = b""
        self._at = self._end = 0  # these seats have yet to be shown `_shown`

    def __repr__(self) -> str:
        return f"<Lane {self._dialect.name}, {len(self)} at {self._shown!r}>"

    def __len__(self) -> int:
        return len(self._seats)

    def __contains__(self, follower: object) -> bool:
        return follower in self._seats

    @property
    def unfinished(self) -> bool:
        """Whether a step has yet to pass some seats."""
        return self._at < self._end

    def enter(self, follower: F, send: Send) -> None:
        """Take a seat; only for one who has been shown what is shown here now, and sits nowhere yet."""
        if self._free and not self.unfinished:
            seat = self._free.pop()
            self._sends[seat], self._followers[seat] = send, follower
        else:
            seat = len(self._sends)
            self._sends.append(send)
            self._followers.append(follower)
        self._seats[follower] = seat

    def leave(self, follower: F) -> Update:
        """Give the seat up; what this one has been shown last.

        Raises:
            KeyError: it does not sit here.
        """
        seat = self._seats.pop(follower)
        self._sends[seat] = self._followers[seat] = None
        self._free.append(seat)
        return self._before if self._at <= seat < self._end else self._shown

    def clear(self) -> list[Fallen[F]]:
        """Empty all seats."""
        return [Fallen(follower, self.leave(follower), b"") for follower in tuple(self._seats)]

    def begin(self, update: Update) -> None:
        """The next step; one that is no news here begins nothing. Encodes it, if nobody has yet."""
        shown = self._shown
        if shown.epoch == update.epoch and shown.version >= update.version:
            return
        if update.follows(shown.epoch, shown.version):
            self._frames = update.step_frames(self._dialect, full=self._full)
        else:
            self._frames = update.full_frames(self._dialect)
        self._before, self._shown = shown, update
        self._at, self._end = 0, len(self._sends)

    def advance(self, count: int) -> tuple[int, list[Fallen[F]]]:
        """Give the step to the next so many seats: how many took it whole, and who did not."""
        frames, start = self._frames, self._at
        size, end, given = len(frames), min(start + count, self._end), 0
        refused: list[tuple[int, int]] = []
        for seat, send in enumerate(self._sends[start:end], start):
            if send is None:
                continue
            try:
                taken = send(frames)
            except Exception:  # noqa: BLE001 - it will be offered the step in the slow way, which finds out what it was
                taken = 0
            if taken == size:
                given += 1
            else:
                refused.append((seat, taken))
        fallen = [fall for seat, taken in refused for fall in self._drop(seat, taken)]
        self._at = end
        return given, fallen

    def _drop(self, seat: int, taken: int) -> Iterator[Fallen[F]]:
        follower = self._followers[seat]
        if follower is not None:
            before = self.leave(follower)
            yield Fallen(follower, self._shown, self._frames[taken:]) if taken else Fallen(follower, before, b"")
