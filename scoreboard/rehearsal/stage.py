"""Lets generated players play before the watch: rules, habits and learner of a server, by a clock of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from heapq import merge
from random import Random
from typing import NamedTuple

from actors.fraud.crowd import Crowd
from actors.fraud.judge import consider, learn
from actors.fraud.messages import Action, Seen
from actors.fraud.place import place_of
from actors.fraud.world import FraudRules
from actors.ports import Habits, UserId
from actors.user.limits import Limit, Window
from scoreboard.rehearsal.kinds import KINDS, Kind, Places
from scoreboard.rehearsal.playing import Attempt

#: Midnight of a day, UTC.
BEGIN_US = 20_717 * 86_400_000_000
#: As a server has it when nothing else is set.
UPDATES = Limit(10)


@dataclass(slots=True)
class Player:
    """Who plays how, and how often each rule found something with it."""

    number: int
    kind: Kind
    habits: Habits = field(default_factory=Habits)
    window: Window = field(default_factory=lambda: Window(UPDATES))
    found: Counter[str] = field(default_factory=Counter)
    scores: int = 0


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


def play(players: Sequence[Player], mix: Mix, rules: FraudRules, progress: Callable[[float], None]) -> None:
    """All play, in the order of time, and are watched. `progress` hears how many hours have gone by."""
    crowd = Crowd(rules.learner, rules.policy)
    for attempt, player in merge(*(_attempts(player, mix) for player in players), key=lambda each: each[0].at_s):
        crowd.begin()
        _watch(player, attempt, rules, crowd)
        progress(attempt.at_s / 3600)


def _attempts(player: Player, mix: Mix) -> Iterator[tuple[Attempt, Player]]:
    rng = Random(f"{mix.seed} {player.number}")  # noqa: S311 - the same seed, the same players
    attempts = sorted(player.kind.play(rng, Places(player.number, rng), mix.hours), key=lambda each: each.at_s)
    return ((attempt, player) for attempt in attempts)


def _watch(player: Player, attempt: Attempt, rules: FraudRules, crowd: Crowd) -> None:
    at_us = BEGIN_US + round(attempt.at_s * 1_000_000)
    seen, points = attempt.seen, attempt.points
    if seen is Seen.SCORED and player.window.take(at_us) is not None:
        seen, points = Seen.REFUSED, 0  # by the limit, as a server would
    player.scores += seen is Seen.SCORED
    action = Action(UserId(str(player.number)), at_us, seen, attempt.source, "QUEST", points)
    place = place_of(attempt.source, rules.secret, rules.country_of)
    for verdict in consider(action, place, player.habits, rules.policy, crowd):
        player.found[verdict.rule] += 1
    learn(action, place, player.habits, rules.policy)
