"""Why a replay could not be done. Each text is a whole sentence for the person at the terminal."""

from __future__ import annotations


class ReplayError(Exception):
    """Root of what ends a replay before its tables could be compared. The text says what, where, and what to do."""


class InputError(ReplayError):
    """The file, the season, the division or an option cannot be used."""


class JournalError(ReplayError):
    """The journal cannot be used for this replay, or at all."""


class ServerGone(ReplayError):
    """The server gave no usable answer for as long as we were told to wait."""


class ServerRefused(ReplayError):
    """The server answered, and the answer ends the replay."""


class AccountTaken(ReplayError):
    """A team's name belongs to an account that this replay cannot use."""
