"""One client that looks at all there is: what it takes from others, and what it leaves behind."""

from __future__ import annotations

import gc
from itertools import product

import trio
from trio.testing import MockClock

from actors.connection.commands import Unsubscribe
from actors.leaderboard.crowd import Crowd
from actors.leaderboard.events import Channel
from actors.leaderboard.messages import Loaded
from actors.leaderboard.scope import board_of
from actors.ports import ALL_TIME, BoardId, BoardScope, Period
from scoreboard.wire.countries import COUNTRIES
from tests.core.arena import running_arena


async def test_there_is_room_for_every_board_at_once(autojump_clock: MockClock) -> None:
    """Or whoever watches those of enough countries would take the board of the day from everybody."""
    async with running_arena(0, ["a"]) as arena:
        for period, country in product(Period, sorted(COUNTRIES)):
            arena.core.boards.tell(board_of(BoardScope(period, country)), Loaded())
        for period in Period:
            await arena.core.boards.ask(BoardId(period.value), Loaded(), within=10)


async def test_a_channel_that_nobody_watches_is_forgotten(autojump_clock: MockClock) -> None:
    """After some seconds; there are a hundred for each board, and a client may change its mind many times a second."""
    async with running_arena(0, ["a"]) as arena:
        channels = [Channel(ALL_TIME, size) for size in range(11, 101)]
        await trio.sleep(1)
        lived = arena.core.audiences.live
        for channel in channels:
            arena.connect(channel).say.send_nowait(Unsubscribe(channel))
        await trio.sleep(1)
        assert arena.core.audiences.live == lived + len(channels)
        await trio.sleep(10)
        assert arena.core.audiences.live == lived
        assert not {each.channel for each in gc.get_objects() if isinstance(each, Crowd)} & set(channels)
