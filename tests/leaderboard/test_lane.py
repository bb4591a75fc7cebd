"""Seats, and a step that goes over them in slices."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actors.leaderboard.events import BoardDiff, BoardFull
from actors.leaderboard.lane import Lane
from actors.leaderboard.messages import Send
from actors.leaderboard.update import Update
from tests.leaderboard.stage import TOP3, Pickles


def _update(version: int, epoch: str = "e", since: int | None = None) -> Update:
    full = BoardFull(TOP3, epoch, version, (), 0, 0, 0)
    diff = None if since is None else BoardDiff(TOP3, epoch, since, version, (), (), 0, None, 0)
    return Update(full, diff)


class _Socket:
    """Takes so many bytes of each write; None: no limit."""

    def __init__(self, room: int | None = None) -> None:
        self.room = room
        self.got = b""

    def send(self, frames: bytes) -> int:
        taken = frames[: self.room]
        if not taken:
            raise BlockingIOError
        self.got += taken
        return len(taken)


def _lane(*sockets: _Socket, full: bool = False) -> Lane[_Socket]:
    lane: Lane[_Socket] = Lane(Pickles(), _update(1), full=full)
    for each in sockets:
        lane.enter(each, each.send)
    return lane


def test_who_follows_gets_the_difference_and_who_cannot_gets_the_snapshot() -> None:
    """A lane of full frames always the snapshot; a new epoch is one for all."""
    pickles = Pickles()
    for full, update, expected in (
        (False, _update(2, since=1), _update(2, since=1).step_frames(pickles, full=False)),
        (True, _update(2, since=1), _update(2, since=1).step_frames(pickles, full=True)),
        (False, _update(3, since=2), _update(3, since=2).full_frames(pickles)),
        (False, _update(1, "f"), _update(1, "f").full_frames(pickles)),
    ):
        socket = _Socket()
        lane = _lane(socket, full=full)
        lane.begin(update)
        assert lane.advance(9) == (1, [])
        assert socket.got == expected


def test_an_old_step_is_given_to_nobody() -> None:
    """Nor one that was shown."""
    lane = _lane(_Socket())
    for version in (0, 1):
        lane.begin(_update(version))
        assert not lane.unfinished


def test_a_step_is_given_in_slices() -> None:
    """To so many seats at once; between two slices others may be served."""
    sockets = [_Socket() for _ in range(5)]
    lane = _lane(*sockets)
    lane.begin(_update(2, since=1))
    lane.advance(2)
    assert [bool(each.got) for each in sockets] == [True, True, False, False, False]
    assert lane.unfinished
    assert lane.advance(3) == (3, [])
    assert not lane.unfinished


def test_who_takes_nothing_falls_out_as_it_was_and_who_takes_a_part_is_owed_the_rest() -> None:
    """The others do not notice; both seats are free."""
    stuck, torn, fine = _Socket(0), _Socket(7), _Socket()
    lane, update = _lane(stuck, torn, fine), _update(2, since=1)
    frames = update.step_frames(Pickles(), full=False)
    lane.begin(update)
    given, fallen = lane.advance(9)
    assert (given, len(lane)) == (1, 1)
    assert [(each.follower, each.shown.version, each.rest) for each in fallen] == [
        (stuck, 1, b""),
        (torn, 2, frames[7:]),
    ]


def test_an_error_of_one_is_not_the_others() -> None:
    """Whatever it is: it falls out, and the slow way finds out what it was."""
    broken, fine = _Socket(), _Socket()
    lane: Lane[_Socket] = Lane(Pickles(), _update(1), full=False)

    def fail(_: bytes) -> int:
        raise ZeroDivisionError

    lane.enter(broken, fail)
    lane.enter(fine, fine.send)
    lane.begin(_update(2, since=1))
    given, fallen = lane.advance(9)
    assert (given, [each.follower for each in fallen]) == (1, [broken])


def test_leaving_nowhere_is_an_error() -> None:
    """Whoever asks should know."""
    with pytest.raises(KeyError):
        _lane().leave(_Socket())


@settings(max_examples=500, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["enter", "enter", "leave", "begin", "advance", "clear"]), st.integers(0, 3)),
        min_size=10,
        max_size=40,
    )
)
def test_everybody_gets_each_step_once_whoever_comes_and_goes(doings: list[tuple[str, int]]) -> None:
    """Against a plain model: who leaves is told exactly what it has got, in the middle of a step too."""
    sits: dict[_Socket, int] = {}  # the version that each has got
    lane, version = _lane(), 1
    pickles = Pickles()
    writes: dict[bytes, int] = {}

    def sender(socket: _Socket) -> Send:
        def send(frames: bytes) -> int:
            assert sits[socket] == version - 1
            sits[socket] = writes[frames]
            return len(frames)

        return send

    for doing, number in doings:
        if doing == "enter":
            newcomer = _Socket()
            sits[newcomer] = version
            lane.enter(newcomer, sender(newcomer))
        elif doing == "leave" and len(sits) > number:
            leaver = list(sits)[number]
            assert lane.leave(leaver).version == sits.pop(leaver)
        elif doing == "begin" and not lane.unfinished:
            version += 1
            update = _update(version, since=version - 1)
            writes[update.step_frames(pickles, full=False)] = version
            lane.begin(update)
        elif doing == "advance":
            assert lane.advance(number)[1] == []
        elif doing == "clear" and not number:
            assert {each.follower: each.shown.version for each in lane.clear()} == sits
            sits.clear()
        assert len(lane) == len(sits)
        assert lane.unfinished or set(sits.values()) <= {version}
