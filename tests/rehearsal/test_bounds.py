from __future__ import annotations

from dataclasses import replace

from actors.fraud.policy import Policy, Ruling
from actors.ports import Consequence, Severity
from scoreboard.rehearsal.bounds import CANDIDATES, choose, chosen_policy
from scoreboard.rehearsal.trace import Trace


def honest(rule: str, *farthest: float) -> list[Trace]:
    """Players who went so far; `None` of them found."""
    return [Trace("casual", frozenset(), {rule: value}, 1) for value in farthest]


def cheats(rule: str, *farthest: float) -> list[Trace]:
    """The same of others."""
    return [Trace("bursts", frozenset(), {rule: value}, 1) for value in farthest]


def test_the_bound_that_finds_most_cheats_is_chosen_if_it_finds_few_honest_players() -> None:
    """Of 200, one for what is only logged and none for what is felt; of equal ones that in the middle."""
    calm = [*honest("gap", *(3.0,) * 199, 4.6), *cheats("gap", 9.0, 4.3, 3.6, 2.9)]
    [choice] = choose(calm, Policy())
    assert ("gap", "gap_z", Policy().gap_z, 3.25, 3, 1) == choice
    felt = replace(Policy(), rulings={"gap": Ruling(Severity.HIGH, Consequence.FLAG)})
    [choice] = choose(calm, felt)
    equal = [bound for bound in CANDIDATES["gap"] if 4.6 <= bound < 9.0]
    assert ("gap", "gap_z", Policy().gap_z, equal[len(equal) // 2], 1, 0) == choice


def test_of_bounds_that_find_as_many_cheats_that_with_fewest_honest_players_is_chosen() -> None:
    """Though the rule might find more of them."""
    [choice] = choose([*honest("pattern", *(0.5,) * 199, 0.045), *cheats("pattern", 0.035, 0.035)], Policy())
    assert ("pattern", 0.04, 2, 0) == (choice.rule, choice.chosen, choice.cheats_found, choice.honest_found)


def test_where_no_bound_is_good_it_stays_as_it_is_set() -> None:
    """The honest players whom it finds are told; a rule that is off, or measured nothing, has no bound."""
    players = [*honest("addresses", *(9,) * 10), *cheats("addresses", 6)]
    [choice] = choose(players, Policy())
    assert ("addresses", 4, 4, 1, 10) == (
        choice.rule,
        choice.as_set,
        choice.chosen,
        choice.cheats_found,
        choice.honest_found,
    )
    assert [] == choose(players, Policy(rulings={}))


def test_chosen_bounds_are_those_of_a_policy() -> None:
    """Nothing else of it changes."""
    choices = choose([*honest("gap", 3.0), *cheats("gap", 3.6)], Policy())
    assert replace(Policy(), gap_z=3.25) == chosen_policy(Policy(), choices)
