from __future__ import annotations

from typing import Any

from scoreboard.door.observer import Drop
from scoreboard.observe.metrics import Metrics
from scoreboard.server.hooks import DoorJournal
from scoreboard.server.notices import Notices


class _Lines:
    """A log, and the clock beside it."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.told: list[tuple[str, dict[str, Any]]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.told.append((event, fields))

    warning = error = info


def test_a_flood_is_one_line_a_minute_and_the_first_comes_at_once() -> None:
    """With how many there were since the line before; another kind has its own."""
    lines = _Lines()
    notices = Notices(lambda: lines.now_s)
    for kind, at_s in (("a", 0), ("a", 1), ("a", 59.9), ("b", 59.9), ("a", 60), ("a", 119), ("b", 119.9)):
        lines.now_s = at_s
        notices.note(kind, lines.info, "happened", what=kind)
    assert [("a", 1), ("b", 1), ("a", 3), ("b", 1)] == [(each["what"], each["times"]) for _, each in lines.told]
    assert "<Notices of 2 kinds, 1 not told>" == repr(notices)


def test_what_the_door_refuses_is_told_by_its_reason_but_not_what_is_everyday() -> None:
    """Browsers open connections ahead of need, and clients go; of both only the number is kept."""
    lines, metrics = _Lines(), Metrics()
    journal = DoorJournal(lines, metrics, Notices(lambda: lines.now_s))  # type: ignore[arg-type]
    for _ in range(1000):
        for why in Drop:
            journal.dropped(why)
        journal.accept_failed(OSError(24, "Too many open files"))
    everyday = {Drop.GONE, Drop.SILENT, Drop.STOPPED, Drop.FAILED}
    told = [(event, fields.get("reason")) for event, fields in lines.told]
    assert sorted([("connections_refused", why.value) for why in set(Drop) - everyday]) == sorted(told[:-1])
    assert ("accept_failed", None) == told[-1]
    assert 1000 == metrics.value("door_connections_refused_total", reason="gone")
    assert 1000 == metrics.value("door_connections_refused_total", reason="no_descriptor")
