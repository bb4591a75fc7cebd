"""What operators do by their verbs, and a server by itself, for the audit: who, where, why, and what came of it."""

from __future__ import annotations

import ipaddress
import os
import pwd
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4, uuid5

import click

from actors.ports import NOWHERE, AuditEvent, AuditLog, EventId, EventKind, Source, StoreFault
from scoreboard.security import journal
from scoreboard.security.errors import PrivateFileRefused

#: Who does what nobody told it to.
SERVER = "server"
KEY_ROTATED = "KEY_ROTATED"
LONGEST_WHY = 500
#: What of an act that was cut off is told under an id of its own, should it have ended after all.
CUT_OFF = UUID("6f2b3c52-6d6e-4a0e-9d0b-0d4a5f0f9d11")
#: Of a process that nobody signed in to, where Linux keeps who did.
NOBODY_SIGNED_IN = "4294967295"


def _short(_context: click.Context, _option: click.Parameter, why: str | None) -> str | None:
    if why is not None and len(why) > LONGEST_WHY:
        raise click.BadParameter(f"at most {LONGEST_WHY} characters")
    return why


why_option = click.option("--why", callback=_short, metavar="TEXT", help="Why this is done, for the audit.")


def operator() -> str:
    """By whose account of this machine, as its system knows it; no variable of the environment has a say.

    Where Linux keeps who has signed in, and that is another one than the account which works here, both are told.
    """
    account = _name_of(os.getuid())
    signed_in = _signed_in()
    return f"operator:{account}" if signed_in in (None, account) else f"operator:{account} (signed in as {signed_in})"


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:  # an account without a name
        return str(uid)


def _signed_in() -> str | None:
    try:
        uid = Path("/proc/self/loginuid").read_text(encoding="ascii").strip()
    except OSError:
        return None
    return _name_of(int(uid)) if uid.isdigit() and uid != NOBODY_SIGNED_IN else None


def place() -> str:
    """On which machine, and by which verb."""
    context = click.get_current_context(silent=True)
    words = context.command_path.split()[1:] if context is not None else []
    return f"{socket.gethostname()}: {' '.join(['scoreboard', *words])}"


def source() -> Source:
    """From where, if a shell of SSH says so: it is told, not proven."""
    address = os.environ.get("SSH_CONNECTION", "").partition(" ")[0]
    try:
        ipaddress.ip_address(address)
    except ValueError:
        return NOWHERE
    return Source(address, None)


class Entry:
    """An act in the journal while it is being done."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.said = said
        self.dropped = False

    def __repr__(self) -> str:
        return f"<Entry {self.said['what']}>"

    def tell(self, **details: Any) -> None:
        """More of what came of it."""
        self.said["details"].update(details)

    def drop(self) -> None:
        """Nothing was done."""
        self.dropped = True


@contextmanager
def journaled(
    data_dir: Path, what: str, *, why: str | None = None, by: str | None = None, **details: Any
) -> Iterator[Entry]:
    """Note in the journal what the body does to files of the data directory: before it, and what came of it after it.

    An error is what came of it, and goes on. Raises PrivateFileRefused when the journal cannot be written; the body did
    not begin then.
    """
    act_id = str(uuid4())
    entry = Entry(
        {
            "what": what,
            "at_us": time.time_ns() // 1000,
            "done_by": by or operator(),
            "site": place(),
            "address": source().address,
            "why": why,
            "details": details,
        }
    )
    journal.begin(data_dir, act_id, entry.said)
    try:
        yield entry
    except (Exception, SystemExit) as error:
        entry.tell(failed=str(error) if isinstance(error, Exception) else "it was refused")
        journal.end(data_dir, act_id, entry.said)
        raise
    if entry.dropped:
        journal.drop(data_dir, act_id)
    else:
        journal.end(data_dir, act_id, entry.said)


async def carry(log: AuditLog, data_dir: Path) -> list[str]:
    """Take what waits in the journal into the audit; what could not be read, a sentence for each.

    Each act stands there once, however often this is done and by how many at once. Blocks for as long as it takes to
    read a few small files. Raises StoreUnavailable: what was not taken waits.
    """
    wrong = []
    for act_id, ended in list(journal.waiting(data_dir, now_s=time.time())):
        try:
            said = journal.read(data_dir, act_id, ended=ended)
            if said is not None:
                await log.record([_event(act_id, said, ended=ended)])
        except (PrivateFileRefused, StoreFault) as error:
            wrong.append(str(error))
        except (KeyError, TypeError, ValueError, AttributeError):
            wrong.append(f"What the journal says of the act {act_id} is not as it was made")
        else:
            journal.taken(data_dir, act_id)
    return wrong


def _event(act_id: str, said: dict[str, Any], *, ended: bool) -> AuditEvent:
    """As the audit has it. What was cut off is told to be."""
    event_id, details = EventId(act_id), dict(said["details"])
    if not ended:
        event_id, details["cut_off"] = EventId(str(uuid5(CUT_OFF, act_id))), True
    at_us = int(said["at_us"])
    return AuditEvent(
        *(event_id, at_us, at_us, EventKind.ACT, str(said["what"]), str(said["done_by"])),
        site=said["site"],
        source=Source(said["address"], None),
        why=said["why"],
        details=details,
    )
