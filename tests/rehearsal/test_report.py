from __future__ import annotations

from actors.fraud.policy import Policy, usual_rulings
from actors.ports import Consequence
from scoreboard.rehearsal.report import Rehearsal, as_json, tables
from scoreboard.rehearsal.tally import Judged, Line, line, parts, spread
from scoreboard.rehearsal.trace import Trace

ONLY = {rule: ruled for rule, ruled in usual_rulings().items() if rule in ("hours", "gain", "gap")}


def honest(*rules: str) -> Judged:
    """Somebody with whom these rules found something."""
    return Judged("casual", frozenset(rules))


def cheat(*rules: str) -> Judged:
    """The same."""
    return Judged("bursts", frozenset(rules))


def trace(kind: str, *found: str, **farthest: float) -> Trace:
    """What is left of one player."""
    return Trace(kind, frozenset(found), farthest, 1)


def test_precision_and_recall_count_players() -> None:
    """Who was found by any of some rules."""
    players = [
        honest(),
        honest("hours"),
        honest("hours"),
        honest("gap"),
        cheat("forged"),
        cheat("hours", "gap"),
        cheat(),
    ]
    assert Line("hours", 1, 2, 3, 4) == (hours := line("hours", {"hours"}, players))
    assert (1 / 3, 1 / 3, 500.0) == (hours.precision, hours.recall, hours.false_per_thousand)
    found = [line(name, part, players) for name, part in parts({"hours", "gap", "forged", "unusual"}).items()]
    expected = [("rules", 2, 2), ("statistics", 1, 1), ("learner", 0, 0), ("all together", 2, 3)]
    assert expected == [(each.name, each.cheats_found, each.honest_found) for each in found]
    assert (None, 0.0, 0.0) == (found[2].precision, found[2].recall, Line("", 0, 0, 0, 0).false_per_thousand)


def test_a_spread_goes_from_the_least_to_the_most_of_one_mix() -> None:
    """A mix that has nothing of something says nothing of it; all players together count each once."""
    found = spread(
        "gap", {"gap"}, [[cheat("gap"), cheat(), honest("gap")], [cheat("gap"), honest()], [cheat(), honest()]]
    )
    assert (2 / 3, 0.5) == (found.whole.precision, found.whole.recall)
    assert (0.5, 1.0) == found.range(lambda each: each.precision)
    assert (0.0, 1.0) == found.range(lambda each: each.recall)
    assert None is spread("gap", {"gap"}, [[honest()]]).range(lambda each: each.precision)


def test_whom_bounds_were_chosen_by_is_not_reported_on() -> None:
    """Both bounds are told, as they are set and as chosen, by the players of other seeds; and who they are."""
    chosen = {1: [trace("casual", gap=3.0), trace("bursts", gap=4.0)]}
    reported = {5: [trace("casual", gap=3.9), trace("bursts", gap=4.1)], 6: [trace("casual"), trace("bursts", gap=9.0)]}
    rehearsal = Rehearsal(chosen, reported, Policy(rulings=ONLY))
    told = as_json(rehearsal)
    assert ([1], [5, 6], 4) == (told["chosenOn"], told["reportedOn"], told["scores"])
    assert [("gap", 4.5, 3.5, 1, 0)] == [tuple(each.values())[:1] + tuple(each.values())[2:] for each in told["bounds"]]
    for bounds, precision, recall in (("as set", 1.0, 0.5), ("as chosen", 2 / 3, 1.0)):
        [by_gap] = [each for each in told[f"bounds {bounds}"]["rule by rule"] if each["name"] == "gap"]
        assert (precision, recall) == (by_gap["precision"]["all"], by_gap["recall"]["all"])
        assert {"players": 2, "found": {"gap": 1 + (bounds == "as chosen")}} == told[f"bounds {bounds}"]["kinds"][
            "bursts"
        ]
    titles = [str(table.title) for table in tables(rehearsal)]
    assert "bounds, chosen on seed 1" == titles[0]
    assert "rule by rule, bounds as chosen, on seeds 5, 6" in titles
    assert "rule by rule, bounds as set, on seeds 5, 6" not in titles


def test_bounds_that_are_set_as_they_would_be_chosen_are_told_once() -> None:
    """In detail, and without any seed to choose on likewise."""
    players = {1: [trace("casual", gap=4.4), trace("bursts", gap=4.6)]}
    for chosen in (players, {}):
        rehearsal = Rehearsal(chosen, {2: players[1]}, Policy(rulings=ONLY))
        told = as_json(rehearsal)
        assert told["bounds as set"] == told["bounds as chosen"]
        assert 5 == len(tables(rehearsal))


def test_what_follows_of_a_finding_is_told_apart() -> None:
    """By the consequences that the rules have here."""
    policy = Policy(rulings=ONLY)
    answer = as_json(Rehearsal({}, {1: [trace("casual", "hours"), trace("bursts", gain=30_000)]}, policy))[
        "bounds as set"
    ]
    [rules, _] = answer["of which anything follows"]
    assert (Consequence.LOG, 1.0, 1.0) == (
        policy.rulings["hours"].consequence,
        rules["precision"]["all"],
        rules["recall"]["all"],
    )
    [rules, *_] = answer["any finding"]
    assert (0.5, 1.0) == (rules["precision"]["all"], rules["recall"]["all"])
    assert list(ONLY) == [each["name"] for each in answer["rule by rule"]]
