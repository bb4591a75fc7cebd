"""Both clients hold the same conversations: what the server says, what time passes, what the client does and shows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from trio.testing import MockClock

from tests.clients.conversations import Conversation, compare, conversations
from tests.clients.player import Player
from tests.node_needed import node_or_skip

PLAYER = Path(__file__).parent / "player.mjs"
WITHIN_S = 60.0
EACH = [pytest.param(one, id=one.name) for one in conversations()]


@pytest.fixture(scope="module")
def played_by_javascript() -> dict[str, Any]:
    """All conversations, played by one process."""
    node = node_or_skip()
    scripts = [{"client": one.client, "steps": one.acts} for one in conversations()]
    done = subprocess.run(
        [node, PLAYER], input=json.dumps(scripts), capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert 0 == done.returncode, done.stderr
    return {one.name: played for one, played in zip(conversations(), json.loads(done.stdout), strict=True)}


@pytest.mark.parametrize("conversation", EACH)
def test_javascript_holds_the_conversation(conversation: Conversation, played_by_javascript: dict[str, Any]) -> None:
    """After each step the client has done what the script says, and nothing else."""
    assert [] == list(compare(conversation, played_by_javascript[conversation.name]))


@pytest.mark.parametrize("conversation", EACH)
async def test_python_holds_the_conversation(conversation: Conversation, mock_clock: MockClock) -> None:
    """After each step the client has done what the script says, and nothing else."""
    played = await Player(mock_clock, conversation.client).play(conversation.acts)
    assert [] == list(compare(conversation, played))
