"""Players at play, for tests of fraud."""

from __future__ import annotations

from collections.abc import Iterable

from actors.fraud.judge import judge, learn
from actors.fraud.messages import Action, Seen
from actors.fraud.place import NOWHERE_KNOWN, Place
from actors.fraud.policy import Policy, Verdict
from actors.ports import NOWHERE, Habits, UserId

ANN = UserId("ann")
SECOND_US = 1_000_000
#: Noon of a day, UTC.
NOON_US = 1_790_000_000_000_000 // (86_400 * SECOND_US) * 86_400 * SECOND_US + 12 * 3600 * SECOND_US
POLICY = Policy()


def action(at_s: float = 0.0, seen: Seen = Seen.SCORED, points: int = 1) -> Action:
    """Something that a player did, so many seconds after noon."""
    return Action(ANN, NOON_US + round(at_s * SECOND_US), seen, NOWHERE, "QUEST", points if seen is Seen.SCORED else 0)


def played(
    actions: Iterable[Action | tuple[Action, Place]], policy: Policy = POLICY, habits: Habits | None = None
) -> list[list[Verdict]]:
    """The verdicts on each action of one player, in order."""
    known, found = habits or Habits(), []
    for each in actions:
        one, place = each if isinstance(each, tuple) else (each, NOWHERE_KNOWN)
        found.append(judge(one, place, known, policy))
        learn(one, place, known, policy)
    return found


def rules(verdicts: Iterable[Verdict]) -> list[str]:
    """Their names."""
    return [verdict.rule for verdict in verdicts]
