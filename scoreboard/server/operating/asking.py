"""Asking a running server as its operator: the other end of a `Desk`. Blocks, and loads next to nothing."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

#: What a verb ends with when nobody serves the data directory.
NOT_RUNNING = 3
ANSWERED_WITHIN_S = 15.0
SOCKET = Path("workers/run/operators.sock")
#: Whoever serves, or keeps stores, holds one of these.
LOCKS = ("workers/lock", "postgres/lock", "valkey/lock")


class NotRunning(Exception):
    """Nobody serves this data directory; the sentence says so."""


class NoAnswer(Exception):
    """Somebody has the data directory, and does not answer, or not to us."""


def ask(data_dir: Path, what: str, *, within_s: float = ANSWERED_WITHIN_S, **more: Any) -> Iterator[dict[str, Any]]:
    """Ask the server of that directory, and give the lines of its answer as they come.

    Raises:
        NotRunning: nobody serves there.
        NoAnswer: somebody does, but says nothing for `within_s` seconds, or may not be asked by us.
    """
    path = (data_dir / SOCKET).resolve()
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(within_s)
        try:
            line.connect(os.fspath(path))
            line.sendall(json.dumps({"ask": what, **more}).encode() + b"\n")
            with line.makefile("rb") as answers:
                yield from map(json.loads, answers)
        except (FileNotFoundError, ConnectionRefusedError):
            raise _why_not(data_dir) from None
        except PermissionError as error:
            raise NoAnswer(f"{path}: {error.strerror}; ask as the account that runs the server, or as root") from error
        except BlockingIOError as error:  # of those who asked before, and gave up, as many wait as may
            crowd = f"the server of {data_dir} takes no more questions, and has not answered those that wait"
            raise NoAnswer(crowd + _what_to_do(data_dir / LOCKS[0])) from error
        except TimeoutError as error:
            silence = f"the server of {data_dir} has said nothing for {within_s:g} s"
            raise NoAnswer(silence + _what_to_do(data_dir / LOCKS[0])) from error
        except OSError as error:
            raise NoAnswer(f"the server of {data_dir} hung up: {error.strerror or error}") from error


def _why_not(data_dir: Path) -> Exception:
    if not data_dir.is_dir():
        return NotRunning(f"there is no data directory {data_dir}; name it with --data")
    for name in LOCKS:
        if (holder := holder_of(data_dir / name)) is not None:
            begins = f"process {holder} has {data_dir} and does not answer: it is starting, ending, or no server"
            return NoAnswer(begins)
    return NotRunning(f"no server runs in {data_dir}")


def _what_to_do(lock: Path) -> str:
    """About a process that has a data directory and does not speak; of several workers it is their parent."""
    holder = holder_of(lock)
    if holder is None or not holder.isdecimal():
        return ""
    if not has_open(int(holder), lock):
        return f": it has the number {holder} where it runs, in a container say: look for it there"
    if _is_stopped(int(holder)):
        return f": its process {holder} is stopped, and goes on by: kill -CONT {holder}"
    killed = (
        f"kill -KILL {holder}: it ends with its workers, nothing that was answered is lost, and it can be started anew"
    )
    return f": its process {holder} hangs, or the machine is busy. If that stays so, {killed}"


def has_open(pid: int, file: Path) -> bool:
    """Whether it is that process here, too, which has it open; where nobody tells of any process, it is."""
    if not Path("/proc/self/fd").is_dir():
        return True
    try:
        return any(each.exists() and each.samefile(file) for each in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:  # there is none of that number, or it is of another account
        return False


def _is_stopped(pid: int) -> bool:
    """By a signal, or a debugger; where nobody tells, it is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return False
    return state in ("T", "t")


def holder_of(lock: Path) -> str | None:
    """Who holds a lock of a data directory: the number of its process, as far as that is known; None if nobody does."""
    try:
        descriptor = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError:
        return "of another account"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "of another"
    else:
        return None
    finally:
        os.close(descriptor)
