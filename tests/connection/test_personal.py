"""Channels that belong to a player."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.connection.commands import Authenticate, Subscribe, Unsubscribe
from actors.connection.events import ErrorEvent, SignedIn, Unsubscribed
from actors.connection.signins import EXPIRED
from actors.leaderboard.events import BoardFull, Channel, OwnDiff, OwnFull, RankChange
from actors.ports import ALL_TIME, UserId
from tests.connection.feed import running_feed
from tests.connection.test_connection import TOP1, say

AROUND = Channel(ALL_TIME, 1, around=True)
WIDER = Channel(ALL_TIME, 2, around=True)
ME = Channel(ALL_TIME, 0, around=True)
BOB = SignedIn(UserId("b"), "B", "s1")


async def test_a_spectator_has_no_surroundings(autojump_clock: MockClock) -> None:
    """Until it says who it is."""
    async with running_feed("a", "b") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(AROUND), Subscribe(ME), Authenticate("good"), Subscribe(AROUND), Subscribe(ME))
        assert [each.code for each in viewer.events if isinstance(each, ErrorEvent)] == ["UNAUTHORIZED"] * 2
        assert viewer.shape(AROUND) == viewer.shape(ME) == "F"


async def test_a_player_sees_neighbours_and_itself_move(autojump_clock: MockClock) -> None:
    """In the same order as all else, from one snapshot on."""
    async with running_feed("a", "b", "c", "d") as feed:
        viewer = feed.connect(user=BOB)
        await say(viewer, Subscribe(AROUND), Subscribe(ME))
        assert [row.user_id for row in viewer.client(AROUND).rows] == ["a", "b", "c"]
        await feed.stage.score("d")
        await trio.sleep(2)
        assert [row.user_id for row in viewer.client(AROUND).rows] == ["a", "b", "c"]
        assert [row.rank for row in viewer.client(AROUND).rows] == [2, 3, 4]
        assert viewer.shape(AROUND) == viewer.shape(ME) == "Fd"
        assert [type(each) for each in viewer.boards(ME)] == [OwnFull, OwnDiff]
        (news,) = [each for each in viewer.events if isinstance(each, RankChange) and each.channel == ME]
        assert (news.old_rank, news.new_rank) == (2, 3)


async def test_another_radius_takes_the_place_of_the_first(autojump_clock: MockClock) -> None:
    """On the wire both have one name, so there is never more than one; unsubscribing means that one."""
    async with running_feed("a", "b", "c", "d") as feed:
        viewer = feed.connect(user=BOB)
        await say(viewer, Subscribe(AROUND), Subscribe(WIDER), Subscribe(ME))
        assert len(feed.stage.watchers[ALL_TIME]) == 2
        await say(viewer, Unsubscribe(AROUND))
        assert isinstance(viewer.events[-1], Unsubscribed)
        assert [channel for _, channel in feed.stage.watchers[ALL_TIME]] == [ME]


async def test_surroundings_end_with_the_sign_in(autojump_clock: MockClock) -> None:
    """Boards go on; the same player may ask for them again when it has renewed it, and another sees its own."""
    async with running_feed("a", "b", "c") as feed:
        viewer = feed.connect(user=BOB)
        await say(viewer, Subscribe(AROUND), Subscribe(ME), Subscribe(TOP1))
        viewer.connection.sign_out(*EXPIRED)
        await say(viewer, Subscribe(AROUND))
        assert feed.stage.watchers == {ALL_TIME: {}}
        await say(viewer, Authenticate("good"), Subscribe(ME))
        full = viewer.boards(ME)[-1]
        assert isinstance(full, BoardFull)
        assert full.rows[0].user_id == "a"
        await feed.stage.score("c")
        await trio.sleep(2)
        assert viewer.shape(TOP1) == "Fd"


async def test_a_client_that_does_not_read_gets_one_fresh_window(autojump_clock: MockClock) -> None:
    """As with every channel."""
    async with running_feed("a", "b", "c") as feed:
        viewer = feed.connect(user=BOB)
        await say(viewer, Subscribe(AROUND))
        viewer.wire.stop_reading()
        for _ in range(3):
            await feed.stage.score("c", "a")
            await trio.sleep(2)
        viewer.wire.read()
        await trio.sleep(1)
        assert viewer.shape(AROUND) == "FF"


async def test_a_client_that_leaves_is_watched_for_no_more(autojump_clock: MockClock) -> None:
    """Nothing of it stays."""
    async with running_feed("a", "b") as feed:
        viewer = feed.connect(user=BOB)
        await say(viewer, Subscribe(AROUND), Subscribe(ME))
        viewer.scope.cancel()
        await viewer.ended.wait()
        await trio.sleep(0.1)
        assert feed.stage.watchers == {ALL_TIME: {}}
