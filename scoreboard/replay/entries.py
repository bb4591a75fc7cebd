"""The entries of a replay's journal: their form as lines, and what they add up to. Pure.

A point is written down, with the key and the action token that will present it, before it is sent, and once more when
the server has counted it. A line without its newline was never finished: what it announces has not been sent, so it is
dropped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import cast

from scoreboard.replay.errors import JournalError

FORMAT = "scoreboard-replay-1"


@dataclass(frozen=True, slots=True)
class Header:
    """What the journal is about. `run` makes the idempotency keys of two replays differ."""

    run: str
    url: str
    season: str
    division: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Account:
    """A team's account, written before it is registered."""

    team: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Joined:
    """The team's account was signed in to, and its score was what the journal knows of."""

    team: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Sent:
    """A point is about to be sent with this key and token; it takes the place of an earlier try for the same point."""

    point: int
    key: str
    token: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Counted:
    """The server has counted the point."""

    point: int


Entry = Header | Account | Joined | Sent | Counted
_KINDS: dict[str, type[Entry]] = {
    "header": Header,
    "account": Account,
    "joined": Joined,
    "sent": Sent,
    "counted": Counted,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


@dataclass(slots=True)
class Memory:
    """The sum of a journal's entries. `pending` are points that were sent and not known to be counted."""

    header: Header | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    joined: dict[str, Joined] = field(default_factory=dict)
    pending: dict[int, Sent] = field(default_factory=dict)
    counted: set[int] = field(default_factory=set)

    def add(self, entry: Entry) -> None:
        """Take in one entry."""
        match entry:
            case Header():
                self.header = entry
            case Account():
                self.accounts[entry.team] = entry
            case Joined():
                self.joined[entry.team] = entry
            case Sent():
                self.pending[entry.point] = entry
            case Counted():
                self.pending.pop(entry.point, None)
                self.counted.add(entry.point)


def encode(entry: Entry) -> bytes:
    """One line of the journal, with its newline."""
    line = {"entry": _NAMES[type(entry)], **asdict(entry)}
    if isinstance(entry, Header):
        line = {"format": FORMAT, **line}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Entry:
    """Read one line; raises ValueError if it is none of ours."""
    row = json.loads(line)
    if not isinstance(row, dict) or (row.pop("format", FORMAT) != FORMAT):
        raise ValueError("not an entry of this format")
    kind = _KINDS.get(str(row.pop("entry", None)))
    if kind is None:
        raise ValueError("unknown entry")
    try:
        entry = kind(**cast("dict[str, object]", row))  # type: ignore[arg-type]  # the types are checked just below
    except TypeError as error:
        raise ValueError(str(error)) from error
    _check_types(entry)
    return entry


def recall(raw: bytes, path: str) -> tuple[Memory, int]:
    """What a journal's bytes say, and how many of them to keep (a torn last line is not kept).

    Raises JournalError if this is not a journal, or if anything but its last line is damaged.
    """
    kept = raw.rfind(b"\n") + 1
    memory = Memory()
    for number, line in enumerate(raw[:kept].split(b"\n")[:-1], start=1):
        try:
            entry = decode(line)
        except (ValueError, RecursionError) as error:
            raise JournalError(_not_readable(path, number)) from error
        if isinstance(entry, Header) != (number == 1):
            raise JournalError(_not_readable(path, number))
        memory.add(entry)
    if not kept and not _may_begin_a_journal(raw):
        raise JournalError(_not_readable(path, 1))
    return memory, kept


def check_same(found: Header, wanted: Header, path: str) -> None:
    """Raise JournalError, naming what differs, unless the journal was made for the same replay."""
    advice = f"Go on with what the journal was made for, or start another one with --journal (this one is {path})."
    for what in ("url", "season", "division"):
        had, want = getattr(found, what), getattr(wanted, what)
        if had != want:
            raise JournalError(f"The journal was made for the {what} {had}, not for {want}. {advice}")
    if found.fingerprint != wanted.fingerprint:
        raise JournalError(f"The file's matches are not those that the journal was made for. {advice}")


def _check_types(entry: Entry) -> None:
    for name, value in asdict(entry).items():
        wanted: type = {"point": int, "token": dict}.get(name, str)
        if type(value) is not wanted:
            raise ValueError(f"{name} has the wrong type")


def _may_begin_a_journal(raw: bytes) -> bool:
    start = b'{"format":"' + FORMAT.encode() + b'"'
    return raw.startswith(start) or start.startswith(raw)


def _not_readable(path: str, number: int) -> str:
    return (
        f"Line {number} of {path} is not a line of a replay's journal. Name another file with --journal. If this was a "
        "journal, its points are still on the server: start the new one with a fresh data directory."
    )
