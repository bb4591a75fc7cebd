"""Where the workers of a machine find each other: a private directory with a socket for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scoreboard.stores.embedded_home import home_in, socket_directory, sole_use

NAME = "workers"


def socket_in(sockets: Path, number: int) -> Path:
    """That of one worker."""
    return sockets / f"{number}.sock"


@contextmanager
def socket_home(data_dir: Path) -> Iterator[Path]:
    """The directory, for nobody else, while the body runs.

    Raises:
        DataDirectoryBusy: other workers serve this data directory.
    """
    home = home_in(data_dir, NAME, None)
    with sole_use(home), socket_directory(home, socket_in(Path(), 99).name, None) as sockets:
        yield sockets
