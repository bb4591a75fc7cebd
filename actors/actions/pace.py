"""How quickly and how often a player can do the same thing. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from actors.actions.messages import ActionTooOften, ActionTooSoon
from actors.ports import ActionKind
from actors.runtime import Refusal

SECOND_US = 1_000_000


def since_us(kind: ActionKind, moment_us: int) -> int | None:
    """From when on earlier actions of that type tell something of one of that moment; None: they do not."""
    reach_s = max(kind.least_s, kind.window_s if kind.most is not None else 0.0)
    return moment_us - round(reach_s * SECOND_US) if reach_s else None


def judge(kind: ActionKind, moment_us: int, earlier_us: Sequence[int]) -> Refusal | None:
    """Why one that was done at that moment cannot be, given when the player did others; None if it can.

    Proofs may come in another order than the actions, so those that were done a little later count too.
    """
    least_us = round(kind.least_s * SECOND_US)
    if any(abs(moment_us - other_us) < least_us for other_us in earlier_us):
        return ActionTooSoon(
            f"{kind.action_type} takes {kind.least_s:g} s at least; another one was completed within that time."
        )
    if kind.most is None or not _too_many(kind.most, kind.window_s * SECOND_US, moment_us, earlier_us):
        return None
    free_us = sorted(earlier_us)[-kind.most] + round(kind.window_s * SECOND_US) - moment_us
    return ActionTooOften(
        f"{kind.action_type} counts {kind.most} times in {kind.window_s:g} s at most.",
        retry_after_s=max(free_us, SECOND_US) / SECOND_US,
    )


def _too_many(most: int, window_us: float, moment_us: int, earlier_us: Sequence[int]) -> bool:
    """Whether any window of that length that holds the moment would hold more than `most` with it."""
    near = sorted([moment_us, *(other_us for other_us in earlier_us if abs(other_us - moment_us) < window_us)])
    return any(last_us - first_us < window_us for first_us, last_us in zip(near, near[most:], strict=False))
