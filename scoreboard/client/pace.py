"""How long to wait, for what. The same figures as in ``scoreboard/web/client.js``."""

from __future__ import annotations

POLL_EVERY_S = 5.0
POLL_WITHIN_S = 4.5
ANSWER_WITHIN_S = 8.0
ACK_EXPECTED_WITHIN_S = 4.0
PING_AFTER_SILENCE_S = 25.0
STABLE_AFTER_S = 10.0
COMMAND_WITHIN_S = 30.0
DEBOUNCE_S = 0.5
AGAIN_AFTER_S = 1.0
BACK_WITHIN_S = 2.0
REFUSALS_BEFORE_POLLING = 2
UNANSWERED_COMMANDS = 32  # as many as the server reads ahead
WAITING_COMMANDS = 256
RENEWED = 1012  # the server is being renewed and says when to come back: neither sooner nor later
CLOSED_FOR_OUR_FAULT = frozenset({1002, 1003, 1007, 1008, 1009})
ATTEMPTS_AFTER_OUR_FAULT = 4  # from there on the pauses are the longest


def retry_delay_s(attempt: int, chance: float, *, polling: bool) -> float:
    """How long to wait before try number `attempt` (from 0): doubled each time, capped, three quarters by chance."""
    first, cap = (10.0, 60.0) if polling else (2.0, 30.0)
    full = min(cap, first * 2.0 ** min(attempt, 10))
    return full * (0.25 + 0.75 * chance)


def obeyed_s(retry_after_s: float | None, chance: float) -> float:
    """How long a server that names a time is left alone; not all come back in one instant."""
    return (retry_after_s or 0.0) * (1 + 0.25 * chance)
