"""What may go wrong with an embedded server, said to the operator."""

from __future__ import annotations

from pathlib import Path


class EmbeddedError(Exception):
    """Root of what starting and keeping an embedded server may raise."""


class DataDirectoryBusy(EmbeddedError):
    """Another live process of ours serves this data directory."""

    def __init__(self, directory: Path, pid: int | None) -> None:
        holder = "another process" if pid is None else f"process {pid}"
        super().__init__(f"{directory} is in use by {holder}; stop it first, or choose another data directory")
        self.directory = directory
        self.pid = pid


class ServerFailed(EmbeddedError):
    """The server program ended or did not become ready. `tail` holds the last lines of its log."""

    def __init__(self, what: str, log: Path, tail: str) -> None:
        super().__init__(f"{what}; its log is {log}" + (f" and ends with:\n{tail}" if tail else ""))
        self.log = log
        self.tail = tail


class NoAccount(EmbeddedError):
    """We are root, which Postgres refuses to run as, and found no other account for it."""


class NotOurs(EmbeddedError):
    """A directory belongs to another account."""

    def __init__(self, directory: Path) -> None:
        super().__init__(
            f"{directory} belongs to another account; run as that one or as root, or choose another directory"
        )
        self.directory = directory
