"""Where the workers of a machine find each other: a private directory with a socket for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoreboard.stores.embedded_home import home_in, socket_directory, sole_use

NAME = "workers"
#: Of the names of sockets that stand there; the one for operators.
LONGEST = "operators.sock"


def socket_in(sockets: Path, seat: int) -> Path:
    """That of who has this seat."""
    return sockets / f"{seat}.sock"


@contextmanager
def socket_home(data_dir: Path) -> Iterator[Path]:
    """The directory, for nobody else, while the body runs.

    Raises:
        DataDirectoryBusy: other workers serve this data directory.
    """
    home = home_in(data_dir, NAME, None)
    with sole_use(home), socket_directory(home, LONGEST, None) as sockets:
        yield sockets
