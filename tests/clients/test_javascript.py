"""What is JavaScript's own of the JavaScript client: loops over boards."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.node_needed import node_or_skip

CLIENT = (Path(__file__).resolve().parents[2] / "scoreboard/web/client.js").as_uri()
LOOPS = f"""
import {{ Scoreboard }} from {json.dumps(CLIENT)};
const said = [];
let hear;
const world = {{
  openSocket: (_, on) => ((hear = on), {{ send: (text) => said.push(JSON.parse(text).event), close() {{}} }}),
  setTimer: () => 0, clearTimer() {{}}, now: () => 0, chance: () => 1, key: () => "key",
}};
const says = (event, data) => hear.received(JSON.stringify({{ event, data }}));
const update = (channel, version) => says("leaderboard.update", {{ channel, epoch: "e", version, leaderboard: [] }});
const scoreboard = new Scoreboard("http://scripted", {{ debounceMs: 0, world }});
scoreboard.start();
hear.opened();
const left = (async () => {{
  for await (const board of scoreboard.views("leaderboard.top1")) return board.version;
}})();
const ended = (async () => {{
  const versions = [];
  for await (const board of scoreboard.views("leaderboard.top2")) versions.push(board.version);
  return versions;
}})();
const refused = (async () => {{
  for await (const board of scoreboard.views("leaderboard.top0")) return board;
}})().catch((error) => error.code);
await null;
update("leaderboard.top1", 3);
update("leaderboard.top2", 4);
update("leaderboard.top2", 5);
says("error", {{ code: "UNKNOWN_CHANNEL", message: "No." }});
const [version, code] = [await left, await refused];
scoreboard.close();
console.log(JSON.stringify({{ version, code, versions: await ended, said }}));
"""


def looped() -> dict[str, Any]:
    """Three loops: one is left, one is told that there is no such channel, one ends with the client."""
    words = [node_or_skip(), "--input-type=module", "--eval", LOOPS]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_loops_over_boards_end_as_loops_do() -> None:
    """Who leaves one leaves the channel, who is slow gets the newest board, and close() ends what is left."""
    subscribed = ["subscribe"] * 3
    expected = {"version": 3, "code": "UNKNOWN_CHANNEL", "versions": [5], "said": [*subscribed, "unsubscribe"]}
    assert expected == looped()


KEYS = f"""
import {{ browserWorld }} from {json.dumps(CLIENT)};
const [one, other] = [browserWorld.key(), browserWorld.key()];
crypto.getRandomValues = (bytes) => bytes.map((_, place) => place * 17 % 256);
console.log(JSON.stringify({{ differ: one !== other, key: browserWorld.key() }}));
"""


def test_a_key_of_the_client_s_own_is_128_bits_by_chance() -> None:
    """Two digits for each byte, also for a small one, so that no two keys are spelled alike."""
    words = [node_or_skip(), "--input-type=module", "--eval", KEYS]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert {"differ": True, "key": "00112233445566778899aabbccddeeff"} == json.loads(done.stdout)
