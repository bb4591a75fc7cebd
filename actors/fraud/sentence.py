"""What a consequence means for a player's standing. Pure."""

from __future__ import annotations

from typing import NamedTuple

from actors.ports import (
    Act,
    Consequence,
    EventId,
    EventKind,
    FraudEvent,
    PlayerStanding,
    Source,
    StandingChange,
    UserId,
)


class Sentence(NamedTuple):
    """What shall be imposed on a player, by whom and why; `act` names it for ever."""

    user_id: UserId
    change: StandingChange
    act: Act


def sentence_for(event: FraudEvent, source: Source, act_id: EventId, restrict_us: int) -> Sentence | None:
    """What follows of a finding; None if it is only recorded."""
    change = _change(event, restrict_us)
    if change is None:
        return None
    rule = f"rule:{event.rule}"
    act = Act(act_id, event.at_us, EventKind.CONSEQUENCE, rule, event.explanation, source)
    return Sentence(event.user_id, change, act)


def is_served(change: StandingChange, standing: PlayerStanding) -> bool:
    """Whether a player stands so already, at least as long."""
    until_us = change.restricted_until_us
    if isinstance(until_us, int):
        return (standing.restricted_until_us or 0) >= until_us
    return all(getattr(standing, name) == value for name, value in change.named.items())


def _change(event: FraudEvent, restrict_us: int) -> StandingChange | None:
    match event.consequence:
        case Consequence.LOG:
            return None
        case Consequence.FLAG:
            return StandingChange(flagged=True)
        case Consequence.RESTRICT:
            return StandingChange(restricted_until_us=event.at_us + restrict_us)
        case Consequence.QUARANTINE:
            return StandingChange(quarantined=True)
        case Consequence.BAN:
            return StandingChange(banned=True)
