"""What a rehearsal found, for people and for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.table import Table

from actors.fraud.policy import Policy
from actors.ports import Consequence
from scoreboard.rehearsal.bounds import Choice, choose, chosen_policy
from scoreboard.rehearsal.kinds import CHEATS, KINDS
from scoreboard.rehearsal.tally import Judged, Line, Spread, judged, parts, spread
from scoreboard.rehearsal.trace import Trace

RULE_BY_RULE = "rule by rule"
#: What a line tells, for programs; and for people under which heading.
VALUES: Mapping[str, tuple[str, Callable[[Line], float | None]]] = {
    "precision": ("precision", lambda line: line.precision),
    "recall": ("recall", lambda line: line.recall),
    "falsePerThousand": ("of 1,000 honest", lambda line: line.false_per_thousand),
}


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What is left of the players, by seed: of those by whom bounds were `chosen`, and of those `reported` on."""

    chosen: Mapping[int, Sequence[Trace]]
    reported: Mapping[int, Sequence[Trace]]
    policy: Policy

    def choices(self) -> list[Choice]:
        """The bounds chosen."""
        return choose([trace for traces in self.chosen.values() for trace in traces], self.policy)

    def policies(self) -> dict[str, Policy]:
        """With bounds as they are set; and as chosen, if those are others."""
        chosen = chosen_policy(self.policy, self.choices())
        return {"as set": self.policy, **({"as chosen": chosen} if chosen != self.policy else {})}

    def mixes(self, policy: Policy) -> list[list[Judged]]:
        """Those reported on, judged so."""
        return [judged(traces, policy) for traces in self.reported.values()]


def spreads(policy: Policy, mixes: Sequence[Sequence[Judged]]) -> dict[str, list[Spread]]:
    """All lines there are, under what they tell."""
    felt = [rule for rule, ruling in policy.rulings.items() if ruling.consequence is not Consequence.LOG]
    return {
        "of which anything follows": [spread(name, part, mixes) for name, part in parts(felt).items()],
        "any finding": [spread(name, part, mixes) for name, part in parts(policy.rulings).items()],
        RULE_BY_RULE: [spread(rule, {rule}, mixes) for rule in policy.rulings],
    }


def as_json(rehearsal: Rehearsal) -> dict[str, Any]:
    """For programs."""
    told: dict[str, Any] = {}
    for which, policy in rehearsal.policies().items():
        mixes = rehearsal.mixes(policy)
        lines = {title: list(map(_told, found)) for title, found in spreads(policy, mixes).items()}
        kinds = {kind: {"players": count, "found": found} for kind, count, found in by_kind(mixes)}
        told[which] = {**lines, "kinds": kinds}
    return {
        "chosenOn": list(rehearsal.chosen),
        "reportedOn": list(rehearsal.reported),
        "scores": sum(trace.scores for traces in rehearsal.reported.values() for trace in traces),
        "bounds": [choice._asdict() for choice in rehearsal.choices()],
        "bounds as set": told["as set"],
        "bounds as chosen": told.get("as chosen", told["as set"]),
    }


def tables(rehearsal: Rehearsal) -> list[Table]:
    """For people; in detail by the bounds that were chosen."""
    made = [_choices(rehearsal)]
    on = named(list(rehearsal.reported))
    policies = rehearsal.policies()
    detailed = list(policies)[-1]
    for which, policy in policies.items():
        mixes = rehearsal.mixes(policy)
        lines = spreads(policy, mixes)
        titles = lines if which == detailed else [title for title in lines if title != RULE_BY_RULE]
        made += [_table(f"{title}, bounds {which}, on {on}", lines[title]) for title in titles]
        if which == detailed:
            made.append(_kinds(f"kind by kind: with how many players each rule found something, bounds {which}", mixes))
    return made


def named(seeds: Sequence[int]) -> str:
    """These seeds in words."""
    return f"seed{'s' if len(seeds) != 1 else ''} {', '.join(map(str, seeds))}"


def by_kind(mixes: Sequence[Sequence[Judged]]) -> list[tuple[str, int, dict[str, int]]]:
    """Of each kind how many there are, and with how many of them each rule found something."""
    told = []
    for kind in KINDS:
        of_it = [player for players in mixes for player in players if player.kind == kind.name]
        rules = sorted(frozenset[str]().union(*(player.rules for player in of_it)))
        told.append((kind.name, len(of_it), {rule: sum(rule in player.rules for player in of_it) for rule in rules}))
    return told


def _told(found: Spread) -> dict[str, Any]:
    whole = found.whole
    values = {name: {"all": of(whole), "range": found.range(of)} for name, (_, of) in VALUES.items()}
    return {"name": whole.name, **values, "cheatsFound": whole.cheats_found, "honestFound": whole.honest_found}


def _choices(rehearsal: Rehearsal) -> Table:
    on = named(list(rehearsal.chosen)) if rehearsal.chosen else "no seed"
    table = Table(title=f"bounds, chosen on {on}", title_justify="left")
    for heading in ("rule", "bound"):
        table.add_column(heading)
    for heading in ("as set", "as chosen", "cheats found there", "honest found there"):
        table.add_column(heading, justify="right")
    for each in rehearsal.choices():
        values = (f"{each.as_set:g}", f"{each.chosen:g}", str(each.cheats_found), str(each.honest_found))
        table.add_row(each.rule, each.name, *values)
    return table


def _table(title: str, found: Sequence[Spread]) -> Table:
    table = Table(title=title, title_justify="left", caption="(least to most of one seed)")
    table.add_column("by")
    for heading in (*(heading for heading, _ in VALUES.values()), "cheats found", "honest found"):
        table.add_column(heading, justify="right")
    for each in found:
        whole = each.whole
        table.add_row(
            whole.name,
            *(_said(of(whole), each.range(of), name) for name, (_, of) in VALUES.items()),
            *(f"{whole.cheats_found} of {whole.cheats}", f"{whole.honest_found} of {whole.honest}"),
        )
    return table


def _said(value: float | None, between: tuple[float, float] | None, name: str) -> str:
    if value is None or between is None:
        return "-"
    form = "{:.0f}" if name == "falsePerThousand" else "{:.0%}"
    return f"{form.format(value)} ({' to '.join(map(form.format, between))})"


def _kinds(title: str, mixes: Sequence[Sequence[Judged]]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in ("kind", "players", "found by"):
        table.add_column(heading)
    for name, count, found in by_kind(mixes):
        said = ", ".join(f"{rule} {number}" for rule, number in found.items())
        table.add_row(f"{name}{' *' if name in CHEATS else ''}", str(count), said or "-")
    table.caption = "* cheats"
    return table
