"""What is put on a machine besides the program."""

from __future__ import annotations

import configparser
import shutil
import subprocess
from pathlib import Path

import pytest

from scoreboard.__main__ import VERBS
from scoreboard.server.ending import STOP_WITHIN_S
from tests.house.sources import TOP

UNIT = TOP / "scripts/deploy/scoreboard.service"
#: Only what the manual of systemd names; a key that it does not know is left out without a word but in its log.
KNOWN = {
    "Unit": {"Description", "Documentation", "After", "Wants", "StartLimitIntervalSec", "StartLimitBurst"},
    "Service": {
        *("Type", "User", "Group", "Environment", "EnvironmentFile", "ExecStart", "ExecReload"),
        *("Restart", "RestartSec", "RestartPreventExitStatus", "KillMode", "TimeoutStopSec", "TimeoutStartSec"),
        *("LimitNOFILE", "TasksMax", "StateDirectory", "StateDirectoryMode", "UMask", "WorkingDirectory"),
        *("NoNewPrivileges", "CapabilityBoundingSet", "ProtectSystem", "ProtectHome", "PrivateTmp", "PrivateDevices"),
        *("ProtectKernelTunables", "ProtectKernelModules", "ProtectKernelLogs", "ProtectControlGroups"),
        *("ProtectClock", "ProtectHostname", "ProtectProc", "RestrictAddressFamilies", "RestrictNamespaces"),
        *("RestrictRealtime", "RestrictSUIDSGID", "LockPersonality", "SystemCallArchitectures", "SystemCallFilter"),
    },
    "Install": {"WantedBy"},
}


@pytest.fixture
def unit() -> configparser.ConfigParser:
    """As it stands there."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(UNIT.read_text())
    return parser


def test_the_unit_has_no_key_that_systemd_does_not_know(unit: configparser.ConfigParser) -> None:
    """Each in its section, and each once."""
    assert set(KNOWN) == set(unit.sections())
    for section, keys in KNOWN.items():
        assert set(unit[section]) <= keys


def test_the_unit_starts_and_renews_a_server_by_verbs_that_there_are(unit: configparser.ConfigParser) -> None:
    """Over one data directory, which systemd makes; it ends in the time that the server takes, and failures restart."""
    service = unit["Service"]
    for key, verb in (("ExecStart", "serve"), ("ExecReload", "reload")):
        words = service[key].split()
        assert ["/opt/scoreboard/.venv/bin/python", "-P", "-m", "scoreboard", verb] == words[:5]
        assert verb in VERBS
        assert "/var/lib/scoreboard" == words[words.index("--data") + 1]
    assert ("on-failure", "2", "mixed") == (
        service["Restart"],
        service["RestartPreventExitStatus"],
        service["KillMode"],
    )
    assert STOP_WITHIN_S < float(service["TimeoutStopSec"])
    assert ("scoreboard", "/var/lib/scoreboard") == (service["StateDirectory"], service["WorkingDirectory"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_itself_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    """But for the program and the account, which are not on every machine."""
    here = tmp_path / UNIT.name
    text = UNIT.read_text().replace("/opt/scoreboard/.venv/bin/python", "/bin/true")
    here.write_text(text.replace("User=scoreboard", "User=root").replace("Group=scoreboard", "Group=root"))
    answer = subprocess.run(
        ["systemd-analyze", "verify", str(here)], capture_output=True, text=True, timeout=30, check=False
    )
    assert (0, "") == (answer.returncode, answer.stderr)
