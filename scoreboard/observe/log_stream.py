"""Where the lines of a log go: one that cannot be written fails nobody, is counted, and is told of later."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import TextIO


class LogStream:
    """A stream that may be closed, or full: who logs must not fail because nobody can listen.

    A line is written at once and whole, past the buffer of the stream where it has a descriptor: what waits in a
    buffer is neither lost nor written. What of a line was written when the disk was full keeps a line of its own.

    Args:
        stream: A text stream.
        told: The line that says how many were lost, without its end.
    """

    def __init__(self, stream: TextIO, told: Callable[[int], str]) -> None:
        self._stream = stream
        self._told = told
        self._descriptor = _descriptor_of(stream)
        self._torn = False
        self.lost = 0  # of all time
        self.untold = 0  # since one was written

    def __repr__(self) -> str:
        return f"<LogStream, {self.lost} lines lost>"

    def write(self, text: str) -> None:
        """A line with its end."""
        if self.untold and self._written(("\n" if self._torn else "") + self._told(self.untold) + "\n"):
            self.untold, self._torn = 0, False
        if self.untold or not self._written(text):
            self.lost += 1
            self.untold += 1

    def flush(self) -> None:
        """Nothing waits here; what is behind a stream without a descriptor may."""
        if self._descriptor is None:
            with suppress(OSError, ValueError):
                self._stream.flush()

    def _written(self, text: str) -> bool:
        try:
            if self._descriptor is None:
                self._stream.write(text)
            else:
                self._put(self._descriptor, text.encode("utf-8", "backslashreplace"))
        except (OSError, ValueError):
            return False
        return True

    def _put(self, descriptor: int, data: bytes) -> None:
        while data:
            count = os.write(descriptor, data)
            data = data[count:]
            self._torn = bool(data)


def _descriptor_of(stream: TextIO) -> int | None:
    try:
        return stream.fileno()
    except (OSError, ValueError, AttributeError):
        return None
