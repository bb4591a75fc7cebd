"""What many rounds came to, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.faults.checker import median_and_most
from tests.faults.rounds import Outcome

HEAD = ("rounds", "operations", "unknown", "lost", "doubled", "refused", "level after, median", "most")
#: Findings beyond those that have a column of their own.
OTHERS = ("sum", "order", "shown", "stale", "stuck", "archive", "purged", "erased", "odd")


def table(outcomes: Sequence[Outcome]) -> str:
    """A table in Markdown."""
    median_s, most_s = median_and_most([outcome.level_s for outcome in outcomes])
    row = (
        len(outcomes),
        sum(len(outcome.operations) for outcome in outcomes),
        sum(outcome.unknown for outcome in outcomes),
        _found(outcomes, "lost"),
        _found(outcomes, "doubled"),
        sum(outcome.refused for outcome in outcomes),
        f"{median_s:.1f} s",
        f"{most_s:.1f} s",
    )
    lines = [_line(HEAD), _line(["---"] * len(HEAD)), _line(row)]
    others = [f"{kind}: {count}" for kind in OTHERS if (count := _found(outcomes, kind))]
    lines.append(f"Other findings: {', '.join(others) or 'none'}.")
    lines.append(f"Periods compared in archives: {sum(outcome.archived for outcome in outcomes)}.")
    lines.append(f"Purged: {sum(outcome.purged for outcome in outcomes)} keys and spent tokens.")
    again = sum(outcome.sent_again for outcome in outcomes)
    lost = sum(outcome.lost_connections for outcome in outcomes)
    lines.append(f"Sent again: {again}; connections and answers lost: {lost}.")
    return "\n".join(lines)


def by_fault(outcomes: Sequence[Outcome]) -> str:
    """How often each fault struck, and how long it took until all was level again."""
    took: dict[str, list[float]] = {}
    for outcome in outcomes:
        for step in outcome.steps:
            took.setdefault(step.name, []).append(outcome.level_s)
    lines = [_line(("fault", "rounds", "level after, median", "most")), _line(["---"] * 4)]
    for name, seconds in sorted(took.items()):
        median_s, most_s = median_and_most(seconds)
        lines.append(_line((name, len(seconds), f"{median_s:.1f} s", f"{most_s:.1f} s")))
    return "\n".join(lines)


def not_done(why: Mapping[str, str]) -> list[str]:
    """What could not be made to happen, in words."""
    return [f"NOT TRIED: {name}: {reason}" for name, reason in why.items()]


def _found(outcomes: Sequence[Outcome], kind: str) -> int:
    return sum(outcome.count(kind) for outcome in outcomes)


def _line(cells: Sequence[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
