"""A clock on the wall that can be set for chosen processes, without anybody else noticing."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class SteppedClock:
    """Processes with `environ` see the time of day plus an offset, from the moment in which it is set.

    What goes on by itself (CLOCK_MONOTONIC) is as it was. `why_not` says why there is no such clock here.
    """

    def __init__(self, folder: Path) -> None:
        self._file, library = folder / "offset", folder / "clock.so"
        self.environ: dict[str, str] = {}
        self._write(0)
        self._file.chmod(0o644)
        self.why_not = _compiled(library)
        if self.why_not is None:
            self.environ = {"LD_PRELOAD": str(library), "STEPPED_CLOCK": str(self._file)}

    def set(self, seconds: int) -> None:
        """Ahead by so much of what it really is; behind, if that is negative."""
        assert self.why_not is None, self.why_not
        self._write(seconds)

    def _write(self, seconds: int) -> None:
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))


def _compiled(library: Path) -> str | None:
    command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(SOURCE), "-ldl"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except OSError as error:
        return f"no C compiler: {error}"
    return done.stderr.strip() or "cc failed" if done.returncode else None
