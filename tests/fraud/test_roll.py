from __future__ import annotations

from actors.fraud.roll import Roll
from actors.ports import Habits, UserId

ANN, BOB, CID = (UserId(name) for name in ("ann", "bob", "cid"))


def entered(roll: Roll, *users: UserId) -> dict[UserId, Habits]:
    """These play, one after the other."""
    habits = {user: Habits() for user in users}
    for user, each in habits.items():
        roll.enter(user, each)
    return habits


def known(roll: Roll) -> list[bool]:
    """Of Ann, Bob and Cid, without asking: that would be playing."""
    return [user in roll._known for user in (ANN, BOB, CID)]


def test_who_played_longest_ago_gives_way() -> None:
    """Who was asked for plays, and so does who enters again; as many as there may be are there."""
    roll = Roll(2, 10)
    entered(roll, ANN, BOB)
    assert [True, True, False] == known(roll)
    assert roll.find(ANN) is not None
    entered(roll, CID)
    assert [True, False, True] == known(roll)
    entered(roll, ANN, BOB)
    assert [True, True, False] == known(roll)
    assert roll.find(CID) is None


def test_habits_that_wait_to_be_kept_are_found_though_they_gave_way() -> None:
    """Those in the store are older; and who is found so is known again."""
    roll = Roll(1, 10)
    habits = entered(roll, ANN)[ANN]
    roll.changed(ANN, habits)
    entered(roll, BOB)
    assert [False, True, False] == known(roll)
    assert habits is roll.find(ANN)
    assert [True, False, False] == known(roll)


def test_so_many_wait_to_be_kept_and_what_is_forgotten_is_counted() -> None:
    """The oldest first; the same player waits once."""
    roll = Roll(10, 2)
    habits = entered(roll, ANN, BOB, CID)
    assert [0, 0, 0] == [roll.changed(user, habits[user]) for user in (ANN, BOB, BOB)]
    assert (2, 1, 2) == (roll.unkept, roll.changed(CID, habits[CID]), roll.unkept)
    assert [BOB] == list(roll.next_unkept(1))
    assert [CID] == list(roll.next_unkept(5))
    assert (0, {}) == (roll.unkept, roll.next_unkept(5))
