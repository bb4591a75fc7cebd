"""Becomes a database server: run as a script, never imported.

    python -I -S embedded_child.py PARENT SIGNAL UID GID SEARCH PROGRAM [ARGUMENT...]

Between fork and exec stands this program rather than a `preexec_fn`, because the parent has threads. It gives up root
for the account UID:GID (-1: stays), asks the kernel for SIGNAL when PARENT dies, and executes PROGRAM. With SEARCH=1
the account keeps the one capability to look into directories, since a data directory may well stand below a private
home.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


def set_capability(libc: ctypes.CDLL, capability: int) -> bool:
    """Make `capability` the only one this process has, and let it survive exec."""
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    bit = 1 << capability
    data = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
    if libc.capset(header, data) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)


def drop_root(libc: ctypes.CDLL, uid: int, gid: int, *, search: bool) -> None:
    """Go on as another account."""
    if search:
        libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    if search and not set_capability(libc, CAP_DAC_READ_SEARCH):
        # Containers often grant only the wider one of the two.
        set_capability(libc, CAP_DAC_OVERRIDE)


def main(arguments: list[str]) -> None:
    """Never returns: executes the server, or exits because the parent is gone."""
    parent, signal_number, uid, gid, search = (int(text) for text in arguments[:5])
    program = arguments[5:]
    libc = ctypes.CDLL(None, use_errno=True)
    if uid >= 0:
        drop_root(libc, uid, gid, search=bool(search))
    if sys.platform == "linux":
        # After the change of account, which would clear it again.
        libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died before the server began")
    os.umask(0o077)
    os.execv(program[0], program)  # noqa: S606 - to become the server is what this is for


if __name__ == "__main__":
    main(sys.argv[1:])
