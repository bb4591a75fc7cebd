"""The directory of one embedded server: who may use it, the lock on it, and where its socket stands."""

from __future__ import annotations

import fcntl
import os
import pwd
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from scoreboard.stores.embedded_errors import DataDirectoryBusy, NoAccount, NotOurs

# `sun_path` holds 108 bytes on Linux and 104 on macOS, with the closing zero; some room is left for a lock's suffix.
SOCKET_PATH_LIMIT = 96
# Not the TMPDIR of the environment, which may be as long as any other path.
MARK = "scoreboard-socket-"
SHORT = Path("/tmp")  # noqa: S108 - what is made there has a random name and mode 0700
LOOKS, LOOK_S = 5, 0.01
ACCOUNTS = ("embedded_postgres", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A system account that a server runs as."""

    uid: int
    gid: int


def account_for(home: Path) -> Account | None:
    """Who shall own `home` and run its server: None for ourselves, another account when we are root.

    The owner of an existing directory stays its owner, so that a data directory outlives a newly made account.
    """
    if os.geteuid() != 0:
        return None
    if home.exists() and (owner := home.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in ACCOUNTS:
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(entry.pw_uid, entry.pw_gid)
    raise NoAccount(f"{home} needs an owner that is not root: none of the accounts {', '.join(ACCOUNTS)} exists")


def private_directory(path: Path, account: Account | None) -> Path:
    """`path`, made if it is missing, with mode 0700 and owned by the account; raises NotOurs."""
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.chmod(0o700)
        if account is not None:
            os.chown(path, account.uid, account.gid)
    except PermissionError as error:
        raise NotOurs(path) from error
    return path


def home_in(data_dir: Path, name: str, account: Account | None) -> Path:
    """The private directory of one server below the data directory, as an absolute path without links."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    return private_directory(data_dir.resolve() / name, account)


def needs_search(account: Account | None, *paths: Path) -> bool:
    """Whether the account could not walk down to all of the paths by itself."""
    parents = {parent for path in paths for parent in path.resolve().parents}
    return account is not None and not all(parent.stat().st_mode & 0o001 for parent in parents)


@contextmanager
def sole_use(home: Path) -> Iterator[None]:
    """Hold the lock on a server's directory; the kernel gives it back however we end.

    Raises:
        DataDirectoryBusy: a live process holds it.
    """
    descriptor = os.open(home / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            _lock(descriptor)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            raise DataDirectoryBusy(home, int(holder) if holder.isdecimal() else None) from error
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Who only looks whether somebody holds it (`scoreboard status`) has it for an instant. Raises BlockingIOError."""
    for _ in range(LOOKS):
        with suppress(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(LOOK_S)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextmanager
def socket_directory(home: Path, file_name: str, account: Account | None) -> Iterator[Path]:
    """A private directory for the socket `file_name`, short enough for the kernel.

    That is ``home/run``; where this is too long, a temporary directory, to which ``home/run`` then points so that the
    next start can remove what a killed one left behind.
    """
    run = home / "run"
    _forget(run)
    if len(os.fsencode(run / file_name)) <= SOCKET_PATH_LIMIT:
        yield private_directory(run, account)
        return
    short = private_directory(Path(tempfile.mkdtemp(prefix=MARK, dir=SHORT)), account)
    try:
        run.symlink_to(short)
        yield short
    finally:
        _forget(run)


def _forget(run: Path) -> None:
    """Remove what an earlier start made. Of directories outside of ours, only one that bears our mark."""
    if run.is_symlink():
        target = run.readlink()
        if target.parent == SHORT and target.name.startswith(MARK):
            shutil.rmtree(target, ignore_errors=True)
        run.unlink()
    elif run.exists():
        shutil.rmtree(run)
