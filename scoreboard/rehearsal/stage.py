"""Lets generated players play before the watch: rules, habits and learner of a server, by a clock of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from heapq import merge
from random import Random
from typing import NamedTuple

from actors.fraud.crowd import LOOKS, Crowd
from actors.fraud.crowd import RULE as UNUSUAL
from actors.fraud.judge import judge, learn
from actors.fraud.measures import MEASURES
from actors.fraud.messages import Action, Seen
from actors.fraud.place import Place, place_of
from actors.fraud.policy import Policy
from actors.fraud.world import FraudRules
from actors.ports import Habits, Source, UserId
from actors.user.limits import Limit, Window
from scoreboard.rehearsal.kinds import KINDS, Kind, Places
from scoreboard.rehearsal.playing import Attempt
from scoreboard.rehearsal.trace import BOUNDS, Trace

#: Midnight of a day, UTC.
BEGIN_US = 20_717 * 86_400_000_000
#: As a server has it when nothing else is set.
UPDATES = Limit(10)


@dataclass(slots=True)
class Player:
    """Who plays how, what rules found with it, and how far it went for those that have a bound."""

    number: int
    kind: Kind
    habits: Habits = field(default_factory=Habits)
    window: Window = field(default_factory=lambda: Window(UPDATES))
    found: set[str] = field(default_factory=set)
    farthest: dict[str, float] = field(default_factory=dict)
    scores: int = 0

    def went(self, rule: str, value: float) -> None:
        """So far, by what this rule measures."""
        self.farthest[rule] = BOUNDS[rule].farther(value, self.farthest.get(rule, value))

    @property
    def trace(self) -> Trace:
        """What is left of it in the end."""
        return Trace(self.kind.name, frozenset(self.found), dict(self.farthest), self.scores)


class Mix(NamedTuple):
    """So many players in all, such a share of them cheats, for so many hours; all chance comes from the seed."""

    seed: int
    players: int
    cheats: float
    hours: float


def cast(mix: Mix) -> list[Player]:
    """The players of a mix: of each kind as many as its share wants, and one at least."""
    cheats = round(mix.players * mix.cheats)
    found: list[Player] = []
    for kind in KINDS:
        side = cheats if kind.cheats else mix.players - cheats
        found += [Player(len(found) + number, kind) for number in range(max(1, round(side * kind.share)))]
    return found


def play(mix: Mix, rules: FraudRules, progress: Callable[[float], None]) -> list[Trace]:
    """All play, in the order of time, and are watched. `progress` hears how many hours have gone by."""
    players = cast(mix)
    watch = Watch(rules)
    for attempt, player in merge(*(attempts_of(player, mix) for player in players), key=lambda each: each[0].at_s):
        watch.see(player, attempt)
        progress(attempt.at_s / 3600)
    return [player.trace for player in players]


def attempts_of(player: Player, mix: Mix) -> Iterator[tuple[Attempt, Player]]:
    """What a player of a mix tries, in the order of time."""
    rng = Random(f"{mix.seed} {player.number}")  # noqa: S311 - the same seed, the same players
    attempts = sorted(player.kind.play(rng, Places(player.number, rng), mix.hours), key=lambda each: each.at_s)
    return ((attempt, player) for attempt in attempts)


def taken(player: Player, attempt: Attempt) -> Action:
    """What becomes of an attempt; what is over the limit is refused, as a server would."""
    at_us = BEGIN_US + round(attempt.at_s * 1_000_000)
    seen, points = attempt.seen, attempt.points
    if seen is Seen.SCORED and player.window.take(at_us) is not None:
        seen, points = Seen.REFUSED, 0
    player.scores += seen is Seen.SCORED
    return Action(UserId(str(player.number)), at_us, seen, attempt.source, "QUEST", points)


class Watch:
    """What rules find in itself is noted; of those that have a bound, how far each player went."""

    def __init__(self, rules: FraudRules) -> None:
        self._rules = rules
        self._crowd = Crowd(rules.learner, rules.policy)
        self._measured = {rule: measure.of for rule, measure in MEASURES.items() if rule in rules.policy.rulings}
        rulings = {rule: ruled for rule, ruled in rules.policy.rulings.items() if rule not in BOUNDS}
        self._boundless: Policy = replace(rules.policy, rulings=rulings)
        self._place_of = lru_cache(4096)(self._find_place)

    def __repr__(self) -> str:
        return f"<Watch, {self._crowd!r}>"

    def see(self, player: Player, attempt: Attempt) -> None:
        """A player tries to score; its habits learn of it."""
        action = taken(player, attempt)
        place = self._place_of(attempt.source)
        self._consider(player, action, place)
        learn(action, place, player.habits, self._rules.policy)

    def _consider(self, player: Player, action: Action, place: Place) -> None:
        habits, policy = player.habits, self._rules.policy
        player.found.update(verdict.rule for verdict in judge(action, place, habits, self._boundless))
        for rule, measure in self._measured.items():
            value = measure(action, place, habits, policy)
            if value is not None:
                player.went(rule, value)
        self._crowd.begin()
        self._crowd.look(action, habits)
        if habits.looks >= LOOKS:
            player.went(UNUSUAL, habits.unusual)

    def _find_place(self, source: Source) -> Place:
        return place_of(source, self._rules.secret, self._rules.country_of)
