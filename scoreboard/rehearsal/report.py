"""What a rehearsal found, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from actors.fraud.policy import Policy
from actors.ports import Consequence
from scoreboard.rehearsal.kinds import KINDS
from scoreboard.rehearsal.stage import Mix, Player
from scoreboard.rehearsal.tally import Line, groups, line


def lines(players: Sequence[Player], policy: Policy) -> dict[str, list[Line]]:
    """All lines there are, under what they tell."""
    felt = [rule for rule, ruling in policy.rulings.items() if ruling.consequence is not Consequence.LOG]
    return {
        "of which anything follows": groups(felt, players),
        "any finding": groups(policy.rulings, players),
        "rule by rule": [line(rule, {rule}, players) for rule in policy.rulings],
    }


def as_json(players: Sequence[Player], mix: Mix, policy: Policy) -> dict[str, Any]:
    """For programs."""
    told = {
        title: [
            {
                "name": each.name,
                "precision": each.precision,
                "recall": each.recall,
                "falsePerThousand": each.false_per_thousand,
                "cheatsFound": each.cheats_found,
                "honestFound": each.honest_found,
            }
            for each in found
        ]
        for title, found in lines(players, policy).items()
    }
    kinds = {kind: {"players": count, "found": found} for kind, count, found in by_kind(players)}
    return {"mix": mix._asdict(), "scores": sum(player.scores for player in players), "kinds": kinds, **told}


def tables(players: Sequence[Player], policy: Policy) -> list[Table]:
    """For people."""
    return [*(_table(title, found) for title, found in lines(players, policy).items()), _kinds(players)]


def by_kind(players: Sequence[Player]) -> list[tuple[str, int, dict[str, int]]]:
    """Of each kind how many there are, and with how many of them each rule found something."""
    told = []
    for kind in KINDS:
        of_it = [player for player in players if player.kind is kind]
        rules = dict.fromkeys(rule for player in of_it for rule in player.found)
        found = {rule: sum(player.found[rule] > 0 for player in of_it) for rule in sorted(rules)}
        told.append((kind.name, len(of_it), found))
    return told


def _table(title: str, found: Sequence[Line]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("by")
    for heading in ("precision", "recall", "cheats found", "honest found", "of 1,000 honest"):
        table.add_column(heading, justify="right")
    for each in found:
        precision = "-" if each.precision is None else f"{each.precision:.0%}"
        table.add_row(
            *(each.name, precision, f"{each.recall:.0%}", f"{each.cheats_found} of {each.cheats}"),
            *(f"{each.honest_found} of {each.honest}", f"{each.false_per_thousand:.0f}"),
        )
    return table


def _kinds(players: Sequence[Player]) -> Table:
    table = Table(title="kind by kind: with how many players each rule found something", title_justify="left")
    for heading in ("kind", "players", "found by"):
        table.add_column(heading)
    cheats = {kind.name for kind in KINDS if kind.cheats}
    for name, count, found in by_kind(players):
        said = ", ".join(f"{rule} {number}" for rule, number in found.items())
        table.add_row(f"{name}{' *' if name in cheats else ''}", str(count), said or "-")
    table.caption = "* cheats"
    return table
