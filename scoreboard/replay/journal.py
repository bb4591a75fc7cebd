"""The file that a replay remembers itself in, so that it can go on after any end of its process.

JSON lines, only ever appended. They are handed to the operating system at once, which survives the death of this
process; they are not forced to disk.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from scoreboard.replay.entries import Entry, Header, Memory, check_same, encode, recall
from scoreboard.replay.errors import JournalError

PRIVATE = 0o600  # it holds the passwords of the team accounts


class Journal:
    """The open journal: its memory, and the file that every entry is appended to before anything depends on it.

    Held under a lock, so that two replays cannot play the same points. Use it as a context manager.
    """

    def __init__(self, path: Path, descriptor: int, memory: Memory) -> None:
        self._path = path
        self._descriptor = descriptor
        self._broken = False
        self.memory = memory

    def __repr__(self) -> str:
        memory = self.memory
        return f"<Journal {self._path} counted={len(memory.counted)} pending={len(memory.pending)}>"

    @classmethod
    def open(cls, path: Path, wanted: Header) -> Journal:
        """Open the journal at `path`, or begin it with `wanted`.

        Raises:
            JournalError: it is in use, damaged, made for another replay, or cannot be opened. The file is unchanged.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, PRIVATE)
        except OSError as error:
            raise JournalError(f"The journal {path} cannot be opened ({error.strerror}).") from error
        try:
            _lock(descriptor, path)
            memory, kept = recall(_read_all(descriptor), str(path))
            if memory.header is not None:
                check_same(memory.header, wanted, str(path))
            os.fchmod(descriptor, PRIVATE)
            os.ftruncate(descriptor, kept)
            journal = cls(path, descriptor, memory)
            if memory.header is None:
                journal.write(wanted)
        except BaseException:
            os.close(descriptor)
            raise
        return journal

    @property
    def header(self) -> Header:
        """What this journal is about."""
        if self.memory.header is None:
            raise RuntimeError("an open journal always has its header")
        return self.memory.header

    def write(self, *entries: Entry) -> None:
        """Append entries, then remember them. When this returns they survive the end of this process.

        Raises JournalError if they could not be written whole; nothing more is accepted then, because a line behind a
        torn one would make the journal unreadable.
        """
        if self._broken:
            raise JournalError(f"The journal {self._path} could not be written before.")
        data = b"".join(encode(entry) for entry in entries)
        self._broken = True
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError as error:
            raise JournalError(f"The journal {self._path} cannot be written ({error.strerror}).") from error
        self._broken = False
        for entry in entries:
            self.memory.add(entry)

    def close(self) -> None:
        """Let go of the file and its lock."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise JournalError(f"Another replay is using the journal {path}: let it end, or stop it first.") from error


def _read_all(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as stream:
        stream.seek(0)
        return stream.read()
