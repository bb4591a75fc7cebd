"""How much one client may watch."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.connection.boards_seen import BOARDS_WITHIN_S
from actors.connection.commands import Subscribe, Unsubscribe
from actors.connection.connection import MAX_CHANNELS
from actors.connection.events import ErrorEvent
from actors.leaderboard.events import BoardFull, Channel
from actors.ports import ALL_TIME, BoardId
from tests.connection.feed import running_feed
from tests.connection.test_connection import TOP1, say
from tests.leaderboard.stage import TOP3


async def test_one_channel_too_many_is_refused(autojump_clock: MockClock) -> None:
    """With an error; one that is watched already may be subscribed again."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        await say(viewer, *(Subscribe(Channel(ALL_TIME, size)) for size in range(1, MAX_CHANNELS + 2)))
        assert [each.code for each in viewer.events if isinstance(each, ErrorEvent)] == ["TOO_MANY_CHANNELS"]
        await say(viewer, Subscribe(TOP1), Unsubscribe(TOP3), Subscribe(Channel(ALL_TIME, 99)))
        assert len([each for each in viewer.events if isinstance(each, BoardFull)]) == MAX_CHANNELS + 2


async def test_one_client_makes_the_server_load_only_so_many_boards(autojump_clock: MockClock) -> None:
    """Also one that watches a single board at a time; others are heard again when the first may have been let go."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        weekly = [Channel(BoardId(f"weekly:A{letter}"), 10) for letter in "ABCDEFGHIJKLMNOPQRSTU"]
        for channel in weekly:
            await say(viewer, Subscribe(channel), Unsubscribe(channel))
        assert [each.code for each in viewer.events if isinstance(each, ErrorEvent)] == ["TOO_MANY_CHANNELS"]
        await say(viewer, Subscribe(weekly[0]), Unsubscribe(weekly[0]))
        await trio.sleep(BOARDS_WITHIN_S)
        await say(viewer, Subscribe(weekly[-1]))
        assert len([each for each in viewer.events if isinstance(each, ErrorEvent)]) == 1
