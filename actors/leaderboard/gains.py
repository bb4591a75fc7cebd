"""What a player has gained in a period, told from facts that may come late, twice or in another order. Pure.

A fact tells a total, so a gain is a total less a base: what the player had from outside the period. Each fact that lies
in the period raises the gain, each other the base. Whatever cannot be told from the facts alone is doubtful, and then
the player must be read from the store once more. That always ends with the truth: what was committed before the reading
is in it, and what comes later has a newer version.
"""

from __future__ import annotations

from typing import NamedTuple

from actors.ports import ScoreFact, Span


class Gain(NamedTuple):
    """What one player has gained, when the last of it was reached, and the last fact that has been taken in."""

    score: int
    reached_us: int
    version: int
    base: int


class Judgement(NamedTuple):
    """What is known of a player after a fact (None: not on the board), and whether that is doubtful."""

    gain: Gain | None
    doubtful: bool = False


def judged(known: Gain | None, fact: ScoreFact, span: Span) -> Judgement:
    """Take in one fact.

    Who is not known enters with the first gain, and everything before it belongs to the base; unless it is the first of
    all, another worker may have committed one before. A fact of the period that lies before that base was not seen when
    it should have been; a version that was left out might have been a gain.
    """
    counts = fact.points > 0 and span.holds(fact.occurred_us)
    before = fact.score - fact.points
    if known is None:
        gain = Gain(fact.points, fact.reached_us, fact.version, before) if counts else None
        return Judgement(gain, counts and before > 0)
    if fact.version <= known.version:
        return Judgement(known, counts and before < known.base)
    doubtful = fact.version > known.version + 1 or before != known.score + known.base
    if counts:
        score = known.score + fact.points
        return Judgement(Gain(score, fact.reached_us, fact.version, fact.score - score), doubtful)
    return Judgement(known._replace(version=fact.version, base=fact.score - known.score), doubtful)
