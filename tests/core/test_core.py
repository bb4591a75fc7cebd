from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.ports import ALL_TIME, BoardId
from tests.core.arena import running_arena


async def test_a_point_is_on_every_screen_at_once_when_the_board_was_quiet(autojump_clock: MockClock) -> None:
    """From the answer to the frame no time passes on the virtual clock."""
    async with running_arena(0, ["a", "b"]) as arena:
        await trio.sleep(5)
        await arena.play("b")
        for viewer, channel in arena.viewers:
            if channel.board in (ALL_TIME, BoardId("daily")):
                assert viewer.client(channel).rows[0].user_id == "b"
