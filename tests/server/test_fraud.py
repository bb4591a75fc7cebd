from __future__ import annotations

import random
from datetime import UTC

import pytest
import trio
from trio.testing import MockClock

from actors.actions.messages import ProofRejected
from actors.fraud.messages import Action, Seen
from actors.fraud.policy import OF_PACE, usual_rulings
from actors.ports import NOWHERE, Consequence, UserId
from actors.runtime import Actor, CellOptions, running_actor
from scoreboard.server.fraud import fraud_rules, of_proofs, watching
from scoreboard.settings import Fraud, Limits, Settings
from tests.fraud.acts import action


def test_the_settings_as_they_come_are_the_usual_rulings() -> None:
    """Of all rules; and marks of places need the server's secret."""
    rules = fraud_rules(Settings(), b"secret")
    assert rules is not None
    assert usual_rulings() == rules.policy.rulings
    assert list(usual_rulings()) == list(rules.policy.rulings)
    assert b"secret" != rules.secret
    assert UTC.utcoffset(None) == rules.policy.zone.utcoffset(None)


def test_rules_are_set_apart_and_together() -> None:
    """One may be off or have another consequence, and nobody may be watched at all."""
    rules = fraud_rules(Settings(fraud=Fraud(forged="high restrict", gap="off", rapid_most=3)), b"")
    assert rules is not None
    assert Consequence.RESTRICT == rules.policy.rulings["forged"].consequence
    assert "gap" not in rules.policy.rulings
    assert 3 == rules.policy.rapid_most
    assert fraud_rules(Settings(fraud=Fraud(enabled=False)), b"") is None


def test_where_nothing_is_limited_no_pace_is_judged() -> None:
    """What is wrong in itself still is."""
    rules = fraud_rules(Settings(limits=Limits(enabled=False)), b"")
    assert rules is not None
    assert set(usual_rulings()) - OF_PACE == set(rules.policy.rulings)


class Stuck(Actor):
    """Never gets anything done."""

    async def receive(self, message: object) -> None:
        await trio.sleep_forever()


async def test_a_watch_that_is_stuck_or_gone_holds_nobody_up(autojump_clock: MockClock) -> None:
    """Whoever tells it does not wait, and hears of no error."""
    options = CellOptions(capacity=2, stop_within_s=0.1)
    async with running_actor("fraud", Stuck, rng=random.Random(0), options=options) as fraud:
        watched = watching(fraud)
        began = trio.current_time()
        for _ in range(10):
            watched(action())
        assert began == trio.current_time()
    watched(action())
    watching(None)(action())


@pytest.mark.parametrize(
    ("reason", "seen"),
    [
        ("forged", Seen.FALSE_PROOF),
        ("too_soon", Seen.TOO_SOON),
        ("too_often", Seen.TOO_SOON),
        ("honeypot", Seen.HONEYPOT),
        ("expired", None),
        ("completed", None),
        ("unknown", None),
    ],
)
def test_refused_proofs_are_told_if_no_honest_player_has_them(reason: str, seen: Seen | None) -> None:
    """Whoever listens otherwise hears of all."""
    told, heard = list[Action](), list[ProofRejected]()
    proof = ProofRejected(UserId("ann"), "QUEST", "id", reason, NOWHERE, 7)
    of_proofs(told.append, heard.append)(proof)
    assert [proof] == heard
    assert ([] if seen is None else [Action(UserId("ann"), 7, seen, NOWHERE, "QUEST")]) == told
