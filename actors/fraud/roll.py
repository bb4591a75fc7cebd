"""The habits that are in memory: those of who played last, and what of it has not been kept yet. Synchronous."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice

from actors.ports import Habits, UserId


class Roll:
    """At most `most` players, and at most `most_unkept` whose habits wait to be kept: the oldest give way."""

    def __init__(self, most: int, most_unkept: int) -> None:
        self._most = most
        self._most_unkept = most_unkept
        self._known: OrderedDict[UserId, Habits] = OrderedDict()  # who played last stands last
        self._unkept: dict[UserId, Habits] = {}

    def __repr__(self) -> str:
        return f"<Roll of {len(self._known)} players, {len(self._unkept)} unkept>"

    @property
    def unkept(self) -> int:
        """Of how many players something has not been kept."""
        return len(self._unkept)

    def find(self, user_id: UserId) -> Habits | None:
        """What is known of a player here."""
        habits = self._known.get(user_id) or self._unkept.get(user_id)
        if habits is not None:
            self.enter(user_id, habits)
        return habits

    def enter(self, user_id: UserId, habits: Habits) -> None:
        """Somebody plays."""
        self._known[user_id] = habits
        self._known.move_to_end(user_id)
        if len(self._known) > self._most:
            self._known.popitem(last=False)

    def changed(self, user_id: UserId, habits: Habits) -> int:
        """There is something to keep. Returns how many others' were forgotten for it, unkept."""
        self._unkept[user_id] = habits
        if len(self._unkept) <= self._most_unkept:
            return 0
        del self._unkept[next(iter(self._unkept))]
        return 1

    def next_unkept(self, count: int) -> dict[UserId, Habits]:
        """The next to be kept, taken out; they come back by `changed` if that does not succeed."""
        chosen = dict(islice(self._unkept.items(), count))
        for user_id in chosen:
            del self._unkept[user_id]
        return chosen
