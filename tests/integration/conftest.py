"""What the tests on the real server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.served import ServedScoreboard, served


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """One server for the tests of a file that do not end it."""
    with served(tmp_path_factory.mktemp("server") / "data") as running:
        yield running
