"""What a server has written to its log."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any


def lines_of(log: Path, behind: int = 0) -> list[dict[str, Any]]:
    """The lines behind so many bytes; what is no line of the logger's is left out."""
    with log.open("rb") as file:
        file.seek(behind)
        text = file.read()
    found: list[dict[str, Any]] = []
    for line in text.splitlines():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found
