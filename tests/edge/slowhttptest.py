"""The program slowhttptest, of Debian's package of that name: slow heads and bodies, ranges, slow readers."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

CONNECTIONS = 150
FOR_S = 4
#: Each second it asks whether the server answers others, and waits so long; it says no at once if that is refused.
ANSWER_WITHIN_S = 20
_END_WITHIN_S = 60.0
#: What it does in each of its modes, and to which path.
MODES: Mapping[str, tuple[str, ...]] = {
    "slow_head": ("-H", "-i", "1", "-x", "24", "-u", "/api/scores/top"),
    "slow_body": ("-B", "-i", "1", "-s", "8192", "-x", "10", "-u", "/api/auth/login"),
    "ranges": ("-R", "-a", "1", "-b", "1500", "-t", "GET", "-u", "/api/asyncapi.json"),
    "slow_reader": ("-X", "-w", "1", "-y", "8", "-n", "1", "-z", "5", "-k", "3", "-u", "/api/asyncapi.json"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """What it says of one mode: how it ended, how many it had open at most, and how often nobody was answered."""

    status: int
    most_connected: int
    unavailable: int


def is_here() -> bool:
    """Whether the program is installed."""
    return shutil.which("slowhttptest") is not None


def attack(url: str, folder: Path) -> dict[str, Told]:
    """All modes at once, for `FOR_S` seconds each at most; what each says, by its name. Blocks."""
    with ExitStack() as scope:
        begun = {mode: scope.enter_context(_begun(url, folder / mode, words)) for mode, words in MODES.items()}
        try:
            return {mode: _told(process.wait(_END_WITHIN_S), folder / mode) for mode, process in begun.items()}
        finally:
            for process in begun.values():
                process.kill()


def _begun(url: str, report: Path, words: tuple[str, ...]) -> subprocess.Popen[bytes]:
    *mode, path = words
    common = ("-c", str(CONNECTIONS), "-r", str(CONNECTIONS), "-l", str(FOR_S), "-p", str(ANSWER_WITHIN_S), "-v", "0")
    return subprocess.Popen(
        ["slowhttptest", *mode, url + path, *common, "-g", "-o", str(report)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _told(status: int, report: Path) -> Told:
    with report.with_suffix(".csv").open() as lines:
        seconds = list(csv.DictReader(lines))
    return Told(
        status,
        max(int(second["Connected"]) for second in seconds),
        sum(int(second["Service Available"]) == 0 for second in seconds),
    )
