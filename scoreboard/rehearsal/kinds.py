"""The kinds of players there are, honest ones and cheats, and how many of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from heapq import merge
from random import Random
from typing import NamedTuple

from actors.fraud.messages import Seen
from actors.ports import Source
from scoreboard.rehearsal.playing import HOUR_S, Attempt, Style, scores, sittings, spread

#: One player's attempts, in order of time, by its chance, its places, and the hours there are.
Play = Callable[[Random, "Places", float], Iterator[Attempt]]


class Kind(NamedTuple):
    """So large a `share` of its side (the honest, or the cheats) plays so."""

    name: str
    cheats: bool
    share: float
    play: Play


class Places:
    """Where one player may come from; some addresses are shared by many."""

    def __init__(self, number: int, rng: Random) -> None:
        self._rng = rng
        self._net = f"10.{number >> 8 & 255}.{number & 255}"
        self.shared = f"192.0.2.{number % 5}"

    def __repr__(self) -> str:
        return f"<Places of {self._net}>"

    def home(self, number: int = 1, agent: str = "phone") -> Source:
        """One of its own."""
        return Source(f"{self._net}.{number}", agent)

    def elsewhere(self, agent: str = "phone") -> Source:
        """Any of many."""
        return Source(f"{self._net}.{self._rng.randrange(10, 250)}", agent)

    def cafe(self) -> Source:
        """One that many others have, too."""
        return Source(self.shared, "phone")


# --- honest ones ---

#: How often a bad line is cut off; how often a cheat sends a burst; which share of a hasty one's is too soon; after how
#: many honest actions what is forbidden is tried.
CUT_OFF, BURST, TOO_SOON, FIRST_TRY = 0.03, 0.02, 0.4, 20

CASUAL = Style()
KEEN = Style(a_day=2.5, sitting_s=5400, gap_s=14, gap_sigma=0.5, points=(10, 25, 50))
MARATHON = Style(a_day=1, begins=(10.0,), sitting_s=14 * HOUR_S, sitting_sigma=0.1, gap_s=18, gap_sigma=0.9)
OWL = replace(CASUAL, begins=(22.5, 23.5, 24.5, 26.0), sitting_s=4000)


def calm(style: Style) -> Play:
    """Plays from home, with now and then a pause."""

    def play(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
        own = replace(style, gap_s=spread(style.gap_s, 0.25, rng), sitting_s=spread(style.sitting_s, 0.3, rng))
        for sitting in sittings(own, rng, hours):
            yield from scores(own, rng, sitting, places.home())

    return play


def shared(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """Plays where many others do, behind one address."""
    for attempt in calm(CASUAL)(rng, places, hours):
        yield attempt._replace(source=places.cafe())


def traveller(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """Another address at each sitting, by two devices."""
    for sitting in sittings(CASUAL, rng, hours):
        yield from scores(CASUAL, rng, sitting, places.elsewhere(rng.choice(("phone", "phone", "tablet"))))


def commuter(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """On the train: the network gives another address every ten minutes or so."""
    begins = (7.5, 17.5)
    for sitting in sittings(replace(CASUAL, a_day=2, begins=begins, sitting_s=2400), rng, hours):
        source, until = places.elsewhere(), sitting[0] + rng.expovariate(1 / 720)
        for attempt in scores(CASUAL, rng, sitting, source):
            if attempt.at_s > until:
                source, until = places.elsewhere(), attempt.at_s + rng.expovariate(1 / 720)
            yield attempt._replace(source=source)


def flaky(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """A bad line: what was done in half a minute without it comes all at once, and some of it twice."""
    held: list[Attempt] = []
    until = 0.0
    for attempt in calm(CASUAL)(rng, places, hours):
        if rng.random() < CUT_OFF:
            until = attempt.at_s + 45
        held.append(attempt)
        if attempt.at_s >= until:
            for number, each in enumerate(held):
                yield each._replace(at_s=attempt.at_s + number * 0.2)
            if len(held) > 1:
                yield attempt._replace(at_s=attempt.at_s + len(held) * 0.2, seen=Seen.REFUSED, points=0)
            held = []


# --- cheats ---


def program(style: Style) -> Play:
    """A program plays, at the pace of its own."""

    def play(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
        own = replace(style, gap_s=spread(style.gap_s, 0.15, rng))
        for sitting in sittings(own, rng, hours):
            yield from scores(own, rng, sitting, places.home(agent="script"))

    return play


STEADY = Style(a_day=2, sitting_s=7200, gap_s=7.5, steady=0.005)
SHAKY = replace(STEADY, steady=0.3)
SLOW = Style(a_day=1, begins=(0.0,), sitting_s=23 * HOUR_S, sitting_sigma=0.02, gap_s=110, gap_sigma=0.5)
GRINDER = Style(a_day=1, begins=(20.0,), sitting_s=15 * HOUR_S, sitting_sigma=0.1, gap_s=14, gap_sigma=0.5)


def bursts(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """Plays like others, and now and then sends all that it can at once."""
    for attempt in calm(CASUAL)(rng, places, hours):
        yield attempt
        if rng.random() < BURST:
            for number in range(rng.randrange(12, 30)):
                yield attempt._replace(at_s=attempt.at_s + 0.1 + number * rng.uniform(0.05, 0.3))


def rich(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """Has found how to be given the dearest action each time, from the first day or later."""
    since = rng.uniform(0, hours / 2) * HOUR_S
    for attempt in calm(CASUAL)(rng, places, hours):
        yield attempt._replace(points=rng.choice((500, 1000))) if attempt.at_s > since else attempt


def hasty(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """Completes actions sooner than they can be; what takes too little time is refused, the rest counts."""
    for attempt in calm(replace(CASUAL, gap_s=8))(rng, places, hours):
        yield attempt._replace(seen=Seen.TOO_SOON, points=0) if rng.random() < TOO_SOON else attempt


def stolen_account(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """An honest player's account, until somebody else has it and lets a program play."""
    taken = rng.uniform(0.4, 0.8) * hours * HOUR_S
    for attempt in calm(CASUAL)(rng, places, hours):
        if attempt.at_s < taken:
            yield attempt
    thief = replace(STEADY, a_day=3, steady=0.25)
    for sitting in sittings(thief, rng, hours):
        if sitting[0] > taken:
            yield from scores(thief, rng, sitting, places.elsewhere("script"))


def passed_round(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
    """One account for six people, who play at the same time."""
    style = replace(CASUAL, a_day=3)
    plays = [
        [one for sitting in sittings(style, rng, hours) for one in scores(style, rng, sitting, places.home(number))]
        for number in range(1, 7)
    ]
    yield from merge(*plays, key=lambda attempt: attempt.at_s)


def tries(seen: Seen, often: float) -> Play:
    """Plays like others, and tries something that no honest player has."""

    def play(rng: Random, places: Places, hours: float) -> Iterator[Attempt]:
        for number, attempt in enumerate(calm(CASUAL)(rng, places, hours)):
            if number == FIRST_TRY or rng.random() < often:
                yield attempt._replace(seen=seen, points=0)
            else:
                yield attempt

    return play


KINDS: Sequence[Kind] = (
    Kind("casual", False, 0.50, calm(CASUAL)),
    Kind("keen", False, 0.18, calm(KEEN)),
    Kind("marathon", False, 0.02, calm(MARATHON)),
    Kind("night owl", False, 0.06, calm(OWL)),
    Kind("behind one address", False, 0.08, shared),
    Kind("traveller", False, 0.05, traveller),
    Kind("commuter", False, 0.05, commuter),
    Kind("bad line", False, 0.06, flaky),
    Kind("steady program", True, 0.12, program(STEADY)),
    Kind("shaky program", True, 0.12, program(SHAKY)),
    Kind("slow program", True, 0.10, program(SLOW)),
    Kind("night grinder", True, 0.08, program(GRINDER)),
    Kind("bursts", True, 0.10, bursts),
    Kind("impossible gains", True, 0.12, rich),
    Kind("impossible times", True, 0.08, hasty),
    Kind("stolen account", True, 0.10, stolen_account),
    Kind("shared account", True, 0.08, passed_round),
    Kind("honeypot", True, 0.05, tries(Seen.HONEYPOT, 0.0)),
    Kind("forged tokens", True, 0.05, tries(Seen.FORGED, 0.01)),
)
#: Those who cheat, by name.
CHEATS = frozenset(kind.name for kind in KINDS if kind.cheats)
