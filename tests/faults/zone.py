"""A time zone of our own, in which a day ends when a test wants it to."""

from __future__ import annotations

import struct
from pathlib import Path

DAY_S = 86_400


def offset_that_ends(at_s: int) -> int:
    """By how much a zone is ahead of UTC in which it is midnight at that moment of the epoch; half a day at most."""
    ahead = -at_s % DAY_S
    return ahead - DAY_S if ahead > DAY_S // 2 else ahead


def zone_that_ends(folder: Path, name: str, at_s: int) -> None:
    """A zone with one offset from UTC, in which it is midnight at that moment."""
    offset = offset_that_ends(at_s)
    head = struct.pack(">4sc15x6I", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
    body = struct.pack(">iBB4s", offset, 0, 0, b"OUR\0")
    sign = "-" if offset > 0 else ""
    hours, rest = divmod(abs(offset), 3600)
    footer = f"\n<OUR>{sign}{hours}:{rest // 60:02}:{rest % 60:02}\n"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(head + body + head + body + footer.encode())
