"""What runs the JavaScript client; where it is missing the tests say so loudly, and in CI they fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

OLDEST_NODE = 20
MISSING = f"THE JAVASCRIPT CLIENT WAS NOT TESTED: no Node.js from {OLDEST_NODE} on"


@pytest.fixture(scope="session")
def node(pytestconfig: pytest.Config) -> Path:
    """The program."""
    found = shutil.which("node")
    if found is not None and _version(found) >= OLDEST_NODE:
        return Path(found)
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None
    with capture.global_and_fixture_disabled():
        sys.stderr.write(f"\n{MISSING}\n")
    if os.environ.get("CI", "") not in {"", "0", "false"}:
        pytest.fail(MISSING)
    pytest.skip(MISSING)


def _version(program: str) -> int:
    said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=True).stdout
    return int(said.strip().lstrip("v").partition(".")[0])
