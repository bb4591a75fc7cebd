"""The cluster of which servers of the tests begin with a copy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scoreboard.stores.embedded_errors import EmbeddedError
from scoreboard.stores.embedded_home import Account, account_for, home_in
from tests import ready_cluster


@pytest.fixture(autouse=True)
def none_made() -> Iterator[None]:
    """Before a test and behind it: what is made here is no cluster."""
    ready_cluster._made_once.cache_clear()
    yield
    ready_cluster._made_once.cache_clear()


def test_one_that_could_not_be_made_is_made_for_the_next_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a machine that is busy for a minute: that fails one test, which hears why, and no other one."""
    failures = [EmbeddedError("initdb has not ended")]

    async def make(home: Path, _account: Account | None) -> None:
        if failures:
            raise failures.pop()
        (home / "cluster").mkdir()

    monkeypatch.setattr(ready_cluster, "make_cluster", make)
    with pytest.raises(EmbeddedError, match="initdb has not ended"):
        ready_cluster.lay_cluster(tmp_path)
    ready_cluster.lay_cluster(tmp_path)
    assert (home_in(tmp_path, "postgres", account_for(tmp_path / "postgres")) / "cluster").is_dir()
