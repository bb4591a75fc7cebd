"""The types beside the JavaScript client."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from tests.node_needed import node_or_skip

TYPES = Path(__file__).parent / "types"
WEB = Path(__file__).resolve().parents[2] / "scoreboard" / "web"
NAMES = f"""
import * as client from {json.dumps((WEB / "client.js").as_uri())};
const methods = Object.getOwnPropertyNames(client.Scoreboard.prototype);
console.log(JSON.stringify({{ exported: Object.keys(client), methods }}));
"""


def test_the_compiler_accepts_how_programs_use_it_and_refuses_how_they_must_not() -> None:
    """`usage.ts` holds both; what must be refused is marked there, and a mark without an error is an error."""
    node = node_or_skip(TYPES)
    compiler = [node, "node_modules/typescript/bin/tsc", "--project", "."]
    done = subprocess.run(compiler, cwd=TYPES, capture_output=True, text=True, timeout=120, check=False)
    assert (0, "") == (done.returncode, done.stdout)


def test_the_types_name_all_that_the_module_has() -> None:
    """Every export, and every method of a scoreboard; neither more nor less."""
    words = [node_or_skip(), "--input-type=module", "--eval", NAMES]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    found, types = json.loads(said), (WEB / "client.d.ts").read_text()
    declared = re.findall(r"^export (?:class|function|const) (\w+)", types, re.MULTILINE)
    assert sorted(found["exported"]) == sorted(declared)
    scoreboard = types.partition("export class Scoreboard {")[2].partition("\n}")[0]
    methods = re.findall(r"^  (?:readonly )?(\w+)[(:]", scoreboard, re.MULTILINE)
    assert sorted(found["methods"]) == sorted(methods)
