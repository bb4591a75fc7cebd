from __future__ import annotations

import re
from pathlib import Path

from tests.house.sources import none_of

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "scoreboard" / "docs" / "contract.md"
GUARANTEES = ROOT / "scoreboard" / "docs" / "guarantees.md"
SECURITY = ROOT / "scoreboard" / "docs" / "security.md"
#: A row shows its test, says who will, or leaves the matter to what is told in its own document.
OPEN = {"feed", "sio", "open"}
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def rows() -> list[list[str]]:
    """The cells of each row of the tables."""
    lines = [line for line in CONTRACT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def test_every_test_that_the_contract_names_is_there() -> None:
    """So that no row outlives what shows it."""
    gone = []
    texts = (each.read_text(encoding="utf-8") for each in (CONTRACT, GUARANTEES, SECURITY))
    for path, name in NAMED.findall("".join(texts)):
        file = ROOT / "tests" / path
        if not file.is_file() or not re.search(
            rf"^(async )?def {name}\(", file.read_text(encoding="utf-8"), re.MULTILINE
        ):
            gone.append(f"tests/{path} has no {name}")
    none_of(gone)


def test_every_row_of_the_contract_names_a_test_or_is_marked_as_open() -> None:
    """A row without either would look as if it held."""
    told = [row for row in rows() if set(row[-1]) != {"-"} and row[-1] != "test"]
    none_of([" | ".join(row) for row in told if not NAMED.search(row[-1]) and row[-1].split(":")[0] not in OPEN])
