"""A cluster of Postgres as a server makes it at its first start, made once a process: a copy takes a third of that."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import trio

from scoreboard.stores.embedded_home import Account, account_for, home_in
from scoreboard.stores.embedded_postgres import make_cluster


def lay_cluster(data: Path) -> None:
    """Put a copy into a data directory that has none; the server finds an empty database, and migrates it as ever."""
    account = account_for(data / "postgres")
    home = home_in(data, "postgres", account)
    if not (home / "cluster").exists():
        growing = home / "cluster.copy"
        shutil.rmtree(growing, ignore_errors=True)
        subprocess.run(["cp", "-a", _made_once(account), growing], check=True)
        growing.rename(home / "cluster")


@cache
def _made_once(account: Account | None) -> Path:
    folder = Path(mkdtemp(prefix="scoreboard-cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    home = home_in(folder, "postgres", account)
    with ThreadPoolExecutor(1) as thread:  # for a test on Trio may be what asks
        thread.submit(trio.run, make_cluster, home, account).result()  # raises, and then nothing is remembered
    return home / "cluster"
