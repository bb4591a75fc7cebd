"""Node.js for tests. Where it is missing, whoever needs it says so, and in CI fails."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.node import Absent, node_alone, node_with_packages


def node_or_skip(folder: Path | None = None) -> str:
    """The same for a test that cannot run without it; Node alone where no folder is named."""
    try:
        return node_alone() if folder is None else node_with_packages(folder)
    except Absent as absent:
        missing = f"THE REAL CLIENT WAS NOT TESTED: {absent}"
        (pytest.fail if os.environ.get("CI", "") not in {"", "0", "false"} else pytest.skip)(missing)
