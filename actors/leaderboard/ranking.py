"""The order of a board: score descending, first to reach it, user id. Exact; every question in logarithmic time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, count

from actors.leaderboard.aside import Aside
from actors.leaderboard.events import Row
from actors.leaderboard.face import face_of, faces_of, parts_of
from actors.leaderboard.head import Head
from actors.leaderboard.messages import RankMove
from actors.leaderboard.names import Names
from actors.leaderboard.order import BLOCK, Order
from actors.leaderboard.place import TIE_BITS, Place, place_of, reached_us_of, score_of, slot_of, version_of
from actors.leaderboard.touched import END, Ranks, Touched
from actors.ports import Members, ScoreFact, UserId

_NOBODY = UserId("")

#: So many players are let go in one step: a millisecond's work.
LET_GO_AT_ONCE = 8_192


class Ranking:
    """All players of one board with their last facts. Remembers the order at one moment, the mark.

    A player has a slot, an index into flat lists of ids and faces; score, time, slot and version are one integer, the
    place. At a million players an update with both ranks takes 0.4 (a point more) to 0.6 (anywhere) of what a
    `SortedList` of tuples takes, and all of them half of its memory (``scripts/bench ranking``, which compares other
    ways too).

    Who is hidden stands `aside`, and is in no page; the ranks told of such a player's facts are those that would be.

    `block` is for tests: the size of the blocks of the order.
    """

    def __init__(self, block: int = BLOCK) -> None:
        self._places: dict[UserId, Place] = {}
        self._ids: list[UserId] = []  # by slot, as are the faces
        self._faces = Names()
        self._free: list[int] = []  # slots of those who were removed
        self._order = Order(self._ids, block)
        self.aside = Aside(self._order)
        self._runs: list[list[Place]] = []  # loaded, not yet arranged
        self._head = Head()
        self._touched: Touched | None = None  # collected for who asks
        self._at_mark: dict[UserId, int | None] = {}  # who has moved since: the place then, less its slot

    def __len__(self) -> int:
        return len(self._places)

    # --- changes ---

    def load(self, members: Members) -> None:
        """Add many new players, before all else; they are in order only after `arrange`.

        Raises ValueError if one of them is known: a store that tells a player twice may not tell the same.
        """
        if members.hidden is not None:
            for fact in members.facts():
                if fact.hidden:
                    self.aside.keep(fact)
            members = members.shown()
        slots, scores, reached = count(len(self._ids)), members.scores, members.reached_us
        places = list(map(place_of, scores, reached, slots, members.versions))
        self._places.update(zip(members.user_ids, places, strict=True))
        self._ids += members.user_ids
        self._faces.extend(faces_of(members))
        if not len(self._ids) == len(self._faces) == len(self._places):
            raise ValueError("a player was loaded twice, or without a name")
        places.sort()
        self._runs.append(places)

    def arrange(self) -> Iterator[None]:
        """Put all who were loaded in order. Work is done between steps, a few milliseconds each."""
        yield from self._order.fill(self._runs)
        self._runs.clear()

    def apply(self, fact: ScoreFact) -> RankMove:
        """Take in one fact. One that is known, or older than what is known, changes nothing."""
        old = self._places.get(fact.user_id)
        if old is not None:
            if fact.version <= version_of(old):
                rank = self._order.index(old) + 1
                return RankMove(rank, rank)
            if not fact.hidden:
                return self._stand(fact, old)
        elif (hidden := self.aside.get(fact.user_id)) is not None and fact.version <= hidden.version:
            return self.aside.put(hidden)
        return self.put(fact)

    def put(self, fact: ScoreFact) -> RankMove:
        """Let a player stand as this fact says, whatever was known."""
        if fact.hidden:
            return self._hide(fact)
        before = self.aside.take(fact.user_id) if self.aside else None
        move = self._stand(fact, self._places.get(fact.user_id))
        if before is None:
            return move
        self._touch(before, move.new)
        return RankMove(before, move.new)

    def _hide(self, fact: ScoreFact) -> RankMove:
        before = self._leave(fact.user_id)
        move = self.aside.put(fact)
        came = before is None and move.previous is None  # in its own eyes, which saw nothing until now
        self._touch(move.previous or move.new, END if came else move.new)
        return move if before is None else RankMove(before, move.new)

    def _stand(self, fact: ScoreFact, old: Place | None) -> RankMove:
        user_id = fact.user_id
        if old is None:
            self._at_mark.setdefault(user_id, None)
            rank = self._order.add(self._settle_in(fact)) + 1
            if self._touched is not None:
                self._touch(rank, END)
            return RankMove(None, rank)
        if user_id not in self._at_mark:
            self._at_mark[user_id] = old >> TIE_BITS
        before, after = self._order.move(old, self._renew(old, fact))
        if self._touched is not None:
            self._touch(before + 1, after + 1)
        return RankMove(before + 1, after + 1)

    def remove(self, user_id: UserId) -> int | None:
        """Forget a player; returns the rank that was left, None for one who was not on the board.

        The version is forgotten too: a fact that comes late would bring the player back.
        """
        hidden = self.aside.take(user_id) if self.aside else None
        if hidden is None:
            return self._leave(user_id)
        self._touch(hidden, END)
        return hidden

    def _leave(self, user_id: UserId) -> int | None:
        place = self._places.pop(user_id, None)
        if place is None:
            return None
        self._at_mark.setdefault(user_id, place >> TIE_BITS)
        rank = self._order.remove(place) + 1
        slot = slot_of(place)
        self._ids[slot], self._faces[slot] = _NOBODY, ""
        self._free.append(slot)
        self._head.forget()
        self._touch(rank, END)
        return rank

    def _touch(self, first: int, last: int) -> None:
        """In the eyes of one who is hidden, all who stand behind it are one rank further down."""
        further = 1 if self.aside else 0
        if self._touched is not None and not self._touched.add(min(first, last), max(first, last) + further):
            self._touched = None

    def take_touched(self) -> tuple[Ranks, ...] | None:
        """The ranks that were touched since the last time; None when that is not known, as at the first time.

        They are collected from then on. Who does not ask again costs nothing for long.
        """
        touched, self._touched = self._touched, self._touched or Touched()
        return None if touched is None else touched.take()

    def _settle_in(self, fact: ScoreFact) -> Place:
        """A slot for a new player."""
        slot = self._free[-1] if self._free else len(self._ids)
        place = place_of(fact.score, fact.reached_us, slot, fact.version)
        if self._free:
            self._free.pop()
            self._ids[slot], self._faces[slot] = fact.user_id, face_of(fact)
        else:
            self._ids.append(fact.user_id)
            self._faces.append(face_of(fact))
        self._places[fact.user_id] = place
        return place

    def _renew(self, old: Place, fact: ScoreFact) -> Place:
        """A known player's new place."""
        slot = slot_of(old)
        new = self._places[fact.user_id] = place_of(fact.score, fact.reached_us, slot, fact.version)
        self._faces[slot] = face_of(fact)
        return new

    def dissolve(self) -> Iterator[None]:
        """Let all players go; work is done between steps. To free a million at once would hold everybody up.

        Nothing may be asked of it any more. In the end next to nothing is left, whoever still holds it.
        """
        self._head.forget()
        left = True
        while left or self._places or self._ids or self._runs:
            for _ in range(min(LET_GO_AT_ONCE, len(self._places))):
                self._places.popitem()
            del self._ids[-LET_GO_AT_ONCE:]
            self._forget_runs(LET_GO_AT_ONCE)
            left = self._order.forget(LET_GO_AT_ONCE)
            yield
        self._places, self._faces = {}, Names()
        self.aside = Aside(self._order)

    def _forget_runs(self, about: int) -> None:
        while self._runs and about > 0:
            about -= len(self._runs.pop())

    # --- questions ---

    def place(self, user_id: UserId) -> Place | None:
        """The player's place, None if not on the board."""
        return self._places.get(user_id)

    def score(self, user_id: UserId) -> int | None:
        """The player's score, None if not on the board."""
        place = self._places.get(user_id)
        return None if place is None else score_of(place)

    def players(self, start: int, stop: int) -> list[UserId]:
        """Players in an order that nothing changes, but for those who come at its end and gaps, which are empty ids."""
        return self._ids[start:stop]

    def slot(self, user_id: UserId) -> int:
        """Where others may keep something beside a player: an index below the greatest number of players ever.

        Given to somebody else when the player is removed. Raises KeyError for one who is not on the board.
        """
        return slot_of(self._places[user_id])

    def version(self, user_id: UserId) -> int | None:
        """The version of the last fact, None for a stranger; also of one who is hidden."""
        place = self._places.get(user_id)
        if place is not None:
            return version_of(place)
        hidden = self.aside.get(user_id)
        return None if hidden is None else hidden.version

    def is_news(self, fact: ScoreFact) -> bool:
        """True for a fact that `apply` would take in."""
        known = self.version(fact.user_id)
        return known is None or fact.version > known

    def rank(self, user_id: UserId) -> int | None:
        """The player's rank from 1, None if not on the board."""
        place = self._places.get(user_id)
        return None if place is None else self._order.index(place) + 1

    def row(self, user_id: UserId) -> Row | None:
        """The player's line, None if not on the board."""
        place = self._places.get(user_id)
        return None if place is None else self._row(self._order.index(place) + 1, place)

    def own_window(self, user_id: UserId, above: int, below: int) -> tuple[Row, ...]:
        """As `around`, for the player's own eyes: who is hidden is among the others as if it were not so."""
        own = self.aside.row(user_id) if self.aside else None
        if own is None:
            return self.around(user_id, above, below)
        ahead = min(own.rank - 1, above)
        near = self.rows(own.rank - 1 - ahead, ahead + below)
        return (*near[:ahead], own, *(row._replace(rank=row.rank + 1) for row in near[ahead:]))

    def rows(self, offset: int, limit: int) -> tuple[Row, ...]:
        """`limit` lines in order behind the first `offset`; fewer at the end."""
        places = self._order.slice(offset, offset + limit)
        return tuple(self._row(rank, place) for rank, place in enumerate(places, offset + 1))

    def head(self, limit: int) -> tuple[Row, ...]:
        """The first `limit` lines; the very same tuple as last time if nothing of them has changed since."""
        return self._head.rows(self._order.slice(0, limit), self._row)

    def around(self, user_id: UserId, above: int, below: int) -> tuple[Row, ...]:
        """The player's line with up to `above` lines before it and `below` behind it; none for a stranger."""
        place = self._places.get(user_id)
        if place is None:
            return ()
        offset, places = self._order.near(place, above, below)
        return tuple(self._row(rank, each) for rank, each in enumerate(places, offset + 1))

    def _row(self, rank: int, place: Place) -> Row:
        slot = slot_of(place)
        username, country, avatar = parts_of(self._faces[slot])
        return Row(rank, self._ids[slot], username, score_of(place), reached_us_of(place), country, avatar)

    # --- the mark ---

    def mark(self) -> None:
        """Remember the order as it is now."""
        self._at_mark.clear()

    def scores_at_mark(self, players: Iterable[UserId]) -> dict[UserId, int]:
        """What these players of the board had at the mark; 0 for one who was not there."""
        stood = {user_id: self._at_mark.get(user_id, self._places[user_id] >> TIE_BITS) for user_id in players}
        return {user_id: 0 if place is None else score_of(place << TIE_BITS) for user_id, place in stood.items()}

    def ranks_at_mark(self, players: Iterable[UserId]) -> dict[UserId, int | None]:
        """Where these players of the board stood at the mark; None for one who was not there.

        The present order is counted, less those who have come in front since, plus those who have gone from there:
        time for everyone who has moved since, times the logarithm of the number of `players`.
        """
        ranks: dict[UserId, int | None] = dict.fromkeys(players)
        stood = {user_id: self._at_mark.get(user_id, self._places[user_id] >> TIE_BITS) for user_id in ranks}
        asked = sorted((place, user_id) for user_id, place in stood.items() if place is not None)
        more = [0] * (len(asked) + 1)  # at each of the asked: how many more were ahead of this one than of the last
        for user_id, place in self._at_mark.items():
            if place is not None:
                more[bisect_right(asked, (place, user_id))] += 1
            if user_id in self._places:
                more[bisect_right(asked, (self._places[user_id] >> TIE_BITS, user_id))] -= 1
        for standing, gone in zip(asked, accumulate(more), strict=False):
            ranks[standing[1]] = self._order.ahead(standing) + gone + 1
        return ranks
