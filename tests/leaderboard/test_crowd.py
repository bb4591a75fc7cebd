"""Who watches a channel: in a lane, or offered each step."""

from __future__ import annotations

from actors.leaderboard.crowd import SLICE, Crowd
from actors.leaderboard.events import BoardDiff, BoardFull, Channel
from actors.leaderboard.messages import Seats
from actors.leaderboard.update import Update
from tests.leaderboard.stage import TOP3, Pickles


def _update(version: int) -> Update:
    diff = BoardDiff(TOP3, "e", version - 1, version, (), (), 0, None, 0)
    return Update(BoardFull(TOP3, "e", version, (), 0, 0, 0), diff)


class Sitter:
    """Takes a seat whenever it may; `shown` are the versions it was given, in either way."""

    def __init__(self, *, present: bool = True, room: int = 1_000_000) -> None:
        self.shown: list[int] = []
        self.present = present
        self.room = room
        self.owed = b""
        self.given: Update | None = None

    def offer(self, update: Update) -> bool:
        if self.present and update.version not in self.shown[-1:]:
            self.shown.append(update.version)
        return self.present

    def settle(self, seats: Seats) -> None:
        seats.seat(self, Pickles(), self.send, full=False, shown=("e", self.shown[-1]))

    def send(self, frames: bytes) -> int:
        if self.room < len(frames):
            return self.room
        self.shown.append(self.shown[-1] + 1)
        return len(frames)

    def fell_out(self, channel: Channel, shown: Update, rest: bytes) -> None:
        self.owed += rest
        if rest:
            self.shown.append(shown.version)
        assert self.shown[-1] == shown.version


def _crowd(*sitters: Sitter) -> tuple[Crowd, list[int]]:
    counts: list[int] = []
    crowd = Crowd(TOP3, counts.append)
    crowd.current = _update(1)
    for each in sitters:
        crowd.join(each)
    return crowd, counts


def _show(crowd: Crowd, version: int) -> None:
    for _ in crowd.show(_update(version)):
        pass


def test_who_joins_is_shown_the_channel_and_may_sit_down_at_once() -> None:
    """From then on it is given each step, and they are counted together."""
    one, other = Sitter(), Sitter()
    crowd, counts = _crowd(one, other)
    _show(crowd, 2)
    assert (one.shown, other.shown, counts) == ([1, 2], [1, 2], [2])
    assert repr(crowd) == f"<Crowd {TOP3}, 2 watching, 0 not in a lane>"


def test_nobody_sits_down_who_was_shown_something_else() -> None:
    """Its next step would not fit."""
    sitter = Sitter()
    crowd, _ = _crowd(sitter)
    crowd.unseat(sitter)
    for shown in (("e", 0), ("f", 1)):
        assert not crowd.seat(sitter, Pickles(), sitter.send, full=False, shown=shown)
    assert not crowd.seat(Sitter(), Pickles(), sitter.send, full=False, shown=("e", 1))


def test_who_gives_its_seat_up_in_the_middle_of_a_step_misses_nothing() -> None:
    """Whether the step had come to it or not."""
    sitters = [Sitter() for _ in range(SLICE + 2)]
    crowd, _ = _crowd(*sitters)
    steps = crowd.show(_update(2))
    next(steps)
    for each in (sitters[0], sitters[-1]):
        crowd.unseat(each)
    for _ in steps:
        pass
    _show(crowd, 3)
    assert all(each.shown == [1, 2, 3] for each in sitters)


def test_who_took_a_part_is_owed_the_rest_and_not_the_step_again() -> None:
    """It counts as given; then it stands."""
    torn = Sitter()
    crowd, counts = _crowd(torn)
    torn.room = 5
    _show(crowd, 2)
    assert (torn.shown, counts) == ([1, 2], [1])
    assert torn.owed == _update(2).step_frames(Pickles(), full=False)[5:]


def test_all_stand_with_what_they_were_shown_when_a_step_was_broken_off() -> None:
    """Some with the step and some without; the next step comes to all of them."""
    sitters = [Sitter() for _ in range(SLICE + 1)]
    crowd, _ = _crowd(*sitters)
    next(crowd.show(_update(2)))
    crowd.scatter()
    assert {each.shown[-1] for each in sitters} == {1, 2}
    _show(crowd, 3)
    assert {each.shown[-1] for each in sitters} == {3}
    assert len(crowd) == SLICE + 1


def test_who_has_gone_is_forgotten_wherever_it_is() -> None:
    """Among the others with the next step, in a lane when it leaves."""
    gone, leaves = Sitter(), Sitter()
    crowd, _ = _crowd(gone, leaves)
    crowd.unseat(gone)
    gone.present = False
    crowd.leave(leaves)
    _show(crowd, 2)
    assert len(crowd) == 0
    assert gone not in crowd
    assert crowd.unseat(leaves) is None
