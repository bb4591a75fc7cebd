from __future__ import annotations

import math
import random
import statistics
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from actors.fraud.messages import Action, Seen
from actors.fraud.place import Place, place_of
from actors.fraud.policy import OF_PACE, USUAL, Policy, Ruling, ruling
from actors.fraud.rules import RULES
from actors.ports import Consequence, Habits, Moments, Severity, Source
from tests.fraud.acts import NOON_US, POLICY, action, played, rules


def test_every_rule_has_a_ruling_and_document_a_s_are_as_it_has_them() -> None:
    """Severity and consequence of its four, and no ruling without a rule."""
    assert set(RULES) | {"unusual"} == set(USUAL) == set(POLICY.rulings)
    assert set(USUAL) >= OF_PACE
    expected = {"rapid": "high flag", "hours": "medium log", "address": "low log", "forged": "critical ban"}
    assert expected == {rule: USUAL[rule] for rule in expected}
    assert Ruling(Severity.HIGH, Consequence.FLAG) == ruling("high flag")
    assert ruling("off") is None


def test_the_ninth_action_in_ten_seconds_is_one_too_many() -> None:
    """Eight are not, and attempts that were refused count as well."""
    verdicts = played(action(number, Seen.REFUSED if number % 2 else Seen.SCORED) for number in range(9))
    assert [[]] * 8 == verdicts[:8]
    [found] = verdicts[8]
    assert ("rapid", "high", "flag") == (found.rule, found.severity.value, found.consequence.value)
    assert "9 actions within 10 seconds; a person makes 8 at most." == found.explanation


def test_nine_actions_in_more_than_ten_seconds_are_none_too_many() -> None:
    """The window slides with the action."""
    assert [[]] * 9 == played(action(number * 1.25) for number in range(9))


def test_attempts_of_before_a_clock_was_set_back_are_none_of_the_last_seconds() -> None:
    """They lie ahead, and are forgotten, so that later ones are counted as they come; nobody is found for it."""
    habits = Habits()
    ahead = [action(3600 + number) for number in range(8)]
    assert [[]] * 16 == played([*ahead, *(action(number) for number in range(8))], habits=habits)
    assert [NOON_US + number * 1_000_000 for number in range(8)] == habits.recent
    assert ["rapid"] == rules(played([action(8)], habits=habits)[0])


@pytest.mark.parametrize(("hour", "found"), [(1, False), (2, True), (5, True), (6, False)])
def test_nights_are_those_of_the_zone(hour: int, *, found: bool) -> None:
    """From two to the end of five o'clock, wherever the server stands."""
    at_s = (hour - 12) * 3600 + 1800
    assert (["hours"] if found else []) == rules(played([action(at_s)])[0])
    tokyo = Policy(zone=ZoneInfo("Asia/Tokyo"))  # nine hours ahead
    assert (["hours"] if found else []) == rules(played([action(at_s - 9 * 3600)], tokyo)[0])


def test_a_night_is_told_with_how_usual_it_is() -> None:
    """For whoever reads it, a player of many nights is no news."""
    habits, night_s = Habits(), -9 * 3600.0
    played([action(night_s - 86_400 * day - 3600 * 12 * (day % 2)) for day in range(3, 7)], habits=habits)
    [found] = played([action(night_s)], habits=habits)[0]
    assert "Active at 03:00, between 2 and 5 o'clock; 50% of earlier scores fell in it." == found.explanation


def test_a_token_that_somebody_else_signed_bans() -> None:
    """And one of another player is looked at."""
    forged, stolen = played([action(0, Seen.FORGED), action(1, Seen.STOLEN)])
    assert [("forged", "ban")] == [(found.rule, found.consequence.value) for found in forged]
    assert [("stolen", "flag")] == [(found.rule, found.consequence.value) for found in stolen]


def test_who_completes_what_nobody_is_told_of_is_quarantined() -> None:
    """It made the action up."""
    [[found]] = played([action(0, Seen.HONEYPOT)])
    assert ("honeypot", Consequence.QUARANTINE) == (found.rule, found.consequence)


def kept_of(places: list[Place]) -> Habits:
    """What is known of somebody who was there, one after the other."""
    habits = Habits()
    played(((action(number * 20), place) for number, place in enumerate(places)), habits=habits)
    return habits


def test_an_address_and_a_device_are_compared_with_the_last() -> None:
    """A first one is no change, nor is one that is not known."""
    home, away, phone = Place("a", "x"), Place("b", "x"), Place("b", "y")
    places = [home, Place(), home, away, phone, phone]
    verdicts = played((action(number * 20), place) for number, place in enumerate(places))
    assert [[], [], [], ["address"], ["device"], []] == [rules(found) for found in verdicts]
    back, moved = played([(action(99), home), (action(120), Place("c", "z"))], habits=kept_of(places))
    assert [
        "The address is not that of the last action, but one that is of the last hour.",
        "The device is not that of the last action, nor is the address.",
    ] == [found.explanation for found in back]
    assert moved[0].explanation.endswith("but one that is new.")
    later = played([(action(7200), home)], habits=kept_of(places))[0]
    assert later[0].explanation.endswith("but one that is of longer ago.")
    alone = played([(action(), home), (action(30), Place("a", "y"))])[1]
    assert ["The device is not that of the last action."] == [found.explanation for found in alone]


def test_what_is_not_known_in_between_makes_nothing_forgotten() -> None:
    """Neither address nor device nor country."""
    home, away = Place("a", "x", "DE"), Place("b", "y", "BR")
    verdicts = played([(action(), home), (action(9000), Place()), (action(18_000), away)])
    assert [[], [], ["address", "device", "country"]] == [rules(found) for found in verdicts]


def test_a_fifth_address_within_an_hour_is_told_once() -> None:
    """When it is added; going back to one of them is only a change."""
    places = [Place("abcde"[number % 5]) for number in range(7)]
    verdicts = played((action(number * 60 + number * number), place) for number, place in enumerate(places))
    assert ["address"] == rules(verdicts[3])
    assert ["address", "addresses"] == rules(verdicts[4])
    assert ["address"] == rules(verdicts[5]) == rules(verdicts[6])
    for apart_s in (901, 1900):  # the fifth comes an hour behind the first, or behind the third
        spread = played((action(number * apart_s + number * number), place) for number, place in enumerate(places[:5]))
        assert ["address"] == rules(spread[4])
    near = played((action(number * 895 + number * number), place) for number, place in enumerate(places[:5]))
    assert ["address", "addresses"] == rules(near[4])


def test_another_country_is_told_with_both() -> None:
    """As far as addresses tell of countries."""
    verdicts = played([(action(), Place("a", None, "DE")), (action(30), Place("a", None, "BR"))])
    assert ["The address is in BR; that of the last action was in DE."] == [found.explanation for found in verdicts[1]]


def test_another_country_within_two_hours_is_a_journey_that_few_make() -> None:
    """Told with how long ago; an address that stays the same has not travelled, later it may have."""
    home, away = Place("a", None, "DE"), Place("b", None, "BR")
    for later_s, found in ((600, ["address", "country", "travel"]), (7300, ["address", "country"])):
        verdicts = played([(action(), home), (action(later_s), away)])[1]
        assert found == rules(verdicts)
        assert ("10 minutes ago it was in DE" in verdicts[-1].explanation) == ("travel" in found)
    assert ["address"] == rules(played([(action(), home), (action(9), Place("b", None, "DE"))])[1])
    assert ["address"] == rules(played([(action(), home), (action(9), Place("b", None, None))])[1])


def test_points_of_one_hour_have_a_bound() -> None:
    """Of a sliding hour; and what brings nothing is not judged by it."""
    few = Policy(gain_per_hour=100)
    verdicts = played([action(0, points=60), action(1700, points=40), action(3500, points=1)], few)
    assert [[], [], ["gain"]] == [rules(found) for found in verdicts]
    assert [[], [], []] == played([action(0, points=60), action(1700, points=40), action(3700, points=1)], few)
    assert [[], [], []] == played([action(0, points=60), action(1700, points=40), action(3600, points=1)], few)


def test_scores_as_regular_as_a_machine_s_are_found() -> None:
    """Thirteen in a row; a person's are not so even."""
    machine = played(action(number * 20.0) for number in range(14))
    assert [[]] * 12 == machine[:12]
    assert ["pattern"] == rules(machine[12])
    nearly = played(action(number * 20.0 + (1.8 if number % 2 else 0.0)) for number in range(14))
    assert [[]] * 14 == nearly  # 1.8 of 20 seconds either way are 9 %
    at_once = played([action(0)] * 20, Policy(rulings={"pattern": POLICY.rulings["pattern"]}))
    assert [[]] * 20 == at_once  # no time at all is no pattern, but rapid
    rng = random.Random(1)
    person = played(action(number * 20 + rng.uniform(-3, 3)) for number in range(29))
    assert [[]] * 29 == person


@given(st.lists(st.one_of(st.just(20.0), st.floats(17.5, 22.5)), min_size=12, max_size=12))
@example([20.0] * 11 + [21.35])
@example([20.0] * 11 + [21.45])
def test_it_is_the_spread_of_all_gaps_that_makes_a_pattern(gaps: list[float]) -> None:
    """Whichever of them is off, the last one too."""
    times = [round(at_s, 3) for at_s in accumulate(gaps, initial=0.0)]
    even = statistics.pstdev(exact := [later - earlier for earlier, later in pairwise(times)]) / statistics.fmean(exact)
    assume(abs(even - POLICY.pattern_spread) > 1e-6)
    only = Policy(rulings={"pattern": POLICY.rulings["pattern"]})
    assert (["pattern"] if even < POLICY.pattern_spread else []) == rules(played(map(action, times), only)[-1])


def test_an_attempt_that_brought_nothing_is_neither_a_pattern_nor_a_pace() -> None:
    """However it fits to scores: it is none."""
    for seen, found in ((Seen.SCORED, ["pattern"]), (Seen.REFUSED, [])):
        last = action(240, seen)
        assert found == rules(played([*(action(number * 20.0) for number in range(12)), last])[-1])
    for seen, found in ((Seen.SCORED, ["gap"]), (Seen.REFUSED, [])):
        habits = Habits(paces=Moments(30, math.log(60), 0.01), run=Moments(11, 0.0, 0.0), scored=[NOON_US])
        assert found == rules(played([action(1, seen)], habits=habits)[0])


def paced(rng: random.Random, count: int, gap_s: float, since_s: float = 0.0) -> list[Action]:
    """Scores of a person, whose gaps are spread like a person's."""
    moments = list(accumulate((gap_s * math.exp(rng.gauss(0, 0.6)) for _ in range(count)), initial=since_s))
    return [action(at_s) for at_s in moments[1:]]


def test_a_pace_is_measured_by_those_before() -> None:
    """Of a run of scores either way, once enough runs are known; neither a break nor one odd gap says anything."""
    for faster in (4.0, 240.0):
        rng, habits = random.Random(1), Habits()
        usual = paced(rng, 1 + 12 * 16, 20.0)
        assert not any(found.rule == "gap" for each in played(usual, habits=habits) for found in each)
        assert 16 == habits.paces.count
        last_s = (habits.scored[-1] - NOON_US) / 1_000_000
        others = played(paced(rng, 12, faster, last_s), habits=habits)
        assert [False] * 11 + [True] == ["gap" in rules(each) for each in others]


def test_a_break_or_one_odd_gap_is_no_other_pace() -> None:
    """Even of those whose gaps were all known."""
    rng, habits = random.Random(1), Habits()
    played(paced(rng, 1 + 12 * 16, 20.0), habits=habits)
    last_s = (habits.scored[-1] - NOON_US) / 1_000_000
    odd = [*paced(rng, 6, 20.0, last_s + 7200), *paced(rng, 14, 20.0, last_s + 7200 + 600)]
    assert not any("gap" in rules(each) for each in played(odd, habits=habits))


def test_gaps_can_be_judged_one_by_one_in_seconds() -> None:
    """As document A gives it: then a break of an honest player is found, and a program's pace is not."""
    literal = Policy(break_s=math.inf, run_length=1, in_logarithms=False, runs_known=30, gap_z=3.0)
    rng, habits = random.Random(1), Habits()
    played(paced(rng, 200, 20.0), literal, habits)
    last_s = (habits.scored[-1] - NOON_US) / 1_000_000
    program = [action(last_s + 1 + number) for number in range(5)]
    assert not any("gap" in rules(each) for each in played(program, literal, habits))
    [found] = played([action(last_s + 7200)], literal, habits)
    assert "gap" in rules(found)
    [said] = [each.explanation for each in found if each.rule == "gap"]
    assert said.startswith("Unusual time between actions: 7195.0 seconds on average of the last 1;")


def test_an_hour_s_points_are_measured_by_hours_before() -> None:
    """Four standard deviations, upwards only, once a dozen are known."""
    hours = [action(hour * 3600 + 60 * hour, points=100 + hour % 3) for hour in range(13)]
    habits = Habits()
    quiet = Policy(rulings={"velocity": POLICY.rulings["velocity"]})
    assert [[]] * 13 == played(hours, quiet, habits)
    later = 13 * 3600 + 3000
    assert [[], ["velocity"], []] == [
        rules(played([action(later + extra, points=points)], quiet, habits)[0])
        for extra, points in ((0, 110), (1, 40), (7200, 1))
    ]


def test_what_brings_nothing_is_not_judged_by_an_hour_s_points() -> None:
    """They were judged when they were made."""
    hours = [action(hour * 3600 + 60 * hour, points=100 + hour % 3) for hour in range(13)]
    habits = Habits()
    quiet = Policy(rulings={"velocity": POLICY.rulings["velocity"]})
    played([*hours, action(13 * 3600 + 3000, points=500)], quiet, habits)
    assert [[]] == played([action(13 * 3600 + 3001, Seen.REFUSED)], quiet, habits)


def test_marks_tell_places_apart_and_tell_nothing_of_them() -> None:
    """An address of IPv6 counts by its /64, one of IPv4 in its clothes as itself; a mark needs the secret."""

    def mark(address: str, secret: bytes = b"s") -> str | None:
        return place_of(Source(address, None), secret).address

    assert mark("2001:db8::1") == mark("2001:db8::ffff:1") != mark("2001:db8:0:1::1")
    assert mark("192.0.2.1") == mark("::ffff:192.0.2.1") != mark("192.0.2.2")
    assert mark("192.0.2.1") != mark("192.0.2.1", b"t")
    assert "192.0.2.1" not in str(place_of(Source("192.0.2.1", "agent"), b"s"))
    assert Place() == place_of(Source(None, None), b"s")
    assert mark("no address") != mark("another") is not None
    assert mark("fe80::1%eth0") == mark("fe80::1")
    assert mark("192.0.2.1", b"s" * 100) is not None  # a long one
