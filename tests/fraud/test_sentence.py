from __future__ import annotations

import pytest

from actors.fraud.sentence import is_served, sentence_for
from actors.ports import (
    Consequence,
    EventId,
    EventKind,
    FraudEvent,
    PlayerStanding,
    Severity,
    Source,
    StandingChange,
)
from tests.fraud.acts import ANN, NOON_US

HERE = Source("192.0.2.7", "a browser")
ACT = EventId("7f1a3f0e-0000-4000-8000-000000000001")
EVENT = EventId("7f1a3f0e-0000-4000-8000-000000000002")


def found(consequence: Consequence) -> FraudEvent:
    """Something that has this consequence."""
    return FraudEvent(EVENT, ANN, NOON_US, "rapid", Severity.HIGH, consequence, "Nine actions.")


@pytest.mark.parametrize(
    ("until_us", "served"), [(None, False), (NOON_US - 1, False), (NOON_US, True), (NOON_US + 1, True)]
)
def test_who_is_restricted_as_long_already_is_not_restricted_again(until_us: int | None, *, served: bool) -> None:
    """Who was once, or is for less long, is."""
    change, standing = StandingChange(restricted_until_us=NOON_US), PlayerStanding(restricted_until_us=until_us)
    assert served == is_served(change, standing)


def test_each_change_is_served_by_itself_alone() -> None:
    """Somebody flagged may still be quarantined, and somebody quarantined banned."""
    flagged, hidden = PlayerStanding(flagged=True), PlayerStanding(flagged=True, quarantined=True)
    assert is_served(StandingChange(flagged=True), flagged)
    assert not is_served(StandingChange(quarantined=True), flagged)
    assert is_served(StandingChange(quarantined=True), hidden)
    assert not is_served(StandingChange(banned=True), hidden)
    assert not is_served(StandingChange(flagged=True, banned=True), flagged)


def test_a_sentence_says_who_why_and_from_where() -> None:
    """And its length begins with what was done; what is only logged has none."""
    sentence = sentence_for(found(Consequence.RESTRICT), HERE, ACT, 3_600_000_000)
    assert sentence is not None
    assert (ANN, StandingChange(restricted_until_us=NOON_US + 3_600_000_000)) == sentence[:2]
    assert (ACT, NOON_US, EventKind.CONSEQUENCE, "rule:rapid", "Nine actions.", HERE) == (
        *(sentence.act.event_id, sentence.act.at_us, sentence.act.kind),
        *(sentence.act.done_by, sentence.act.why, sentence.act.source),
    )
    assert sentence_for(found(Consequence.LOG), HERE, ACT, 1) is None
