"""Clients that are up to date, and are given each step where they sit."""

from __future__ import annotations

import trio
from trio.testing import MockClock

from actors.connection.commands import Ping, Subscribe
from tests.connection.feed import running_feed
from tests.connection.test_connection import TOP1, say
from tests.leaderboard.stage import TOP3


async def test_who_is_up_to_date_is_given_steps_without_being_asked(autojump_clock: MockClock) -> None:
    """From the second step on: it has a seat, until its transport has something else to send."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        assert (feed.sent, feed.stage.delivered) == (2, 0)
        await feed.stage.score("c")
        await trio.sleep(2)
        assert (feed.sent, feed.stage.delivered) == (2, 2)
        viewer.wire.stop_reading()
        await say(viewer, Ping())
        viewer.wire.read()
        await feed.stage.score("c")
        await trio.sleep(2)
        assert (feed.sent, feed.stage.delivered) == (4, 2)
        assert (viewer.shape(TOP1), viewer.shape(TOP3)) == ("Fdd", "Fdd")


async def test_the_rest_of_a_frame_goes_out_before_all_else(autojump_clock: MockClock) -> None:
    """Also before another channel's step of the same tick, which then comes as a snapshot."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        viewer.wire.tears = True
        await feed.stage.score("c")
        await trio.sleep(2)
        viewer.wire.read()
        await feed.stage.score("b", "b")
        await trio.sleep(2)
        assert sorted((viewer.shape(TOP1), viewer.shape(TOP3))) == ["FFd", "Fdd"]
        assert [(row.user_id, row.score) for row in viewer.client(TOP3).rows] == feed.stage.truth()
