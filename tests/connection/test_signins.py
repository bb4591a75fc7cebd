"""How long one is signed in on a connection."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.connection.commands import Authenticate, Subscribe
from actors.connection.events import SESSION_ENDED, SignedIn, SignedOut
from actors.connection.signins import EXPIRED, SLICE, SignIns
from actors.ports import UserId
from tests.connection.feed import Feed, Viewer, running_feed
from tests.connection.test_connection import TOP1, say

ANN = SignedIn(UserId("a"), "A", "s1", 100)


def now_us() -> int:
    """The virtual clock as the time of day."""
    return round(trio.current_time() * 1_000_000)


def codes(viewer: Viewer) -> list[str]:
    """Why its sign-ins ended."""
    return [each.code for each in viewer.events if isinstance(each, SignedOut)]


async def signed_in(feed: Feed, room: float = float("inf")) -> Viewer:
    """Ann's connection, whose token expires at second 100."""
    viewer = feed.connect(room, user=ANN)
    await wait_all_tasks_blocked()
    return viewer


async def test_a_token_that_expires_is_told_and_the_boards_go_on(autojump_clock: MockClock) -> None:
    """Once, within a second or two; the client watches on."""
    async with running_feed("a", "b") as feed:
        feed.nursery.start_soon(feed.world.signins.watch, now_us)
        viewer = await signed_in(feed)
        await say(viewer, Subscribe(TOP1))
        await trio.sleep(99.5 - trio.current_time())
        assert codes(viewer) == []
        await trio.sleep(2)
        assert codes(viewer) == ["TOKEN_EXPIRED"]
        await feed.stage.score("b")
        await trio.sleep(2)
        assert viewer.shape(TOP1) == "Fd"
        assert len(feed.world.signins) == 0


async def test_a_new_token_renews_the_sign_in(autojump_clock: MockClock) -> None:
    """Before the old one expires; nothing is said then."""
    async with running_feed("a") as feed:
        feed.nursery.start_soon(feed.world.signins.watch, now_us)
        viewer = await signed_in(feed)
        await say(viewer, Authenticate("good"))
        await trio.sleep(200)
        assert codes(viewer) == []
        assert len(feed.world.signins) == 1


async def test_all_connections_of_a_session_end_with_it(autojump_clock: MockClock) -> None:
    """They are told and closed with a code of their own, and no other is; one that has gone is forgotten."""
    async with running_feed("a") as feed:
        one, two, gone = [await signed_in(feed) for _ in range(3)]
        other = feed.connect(user=SignedIn(UserId("b"), "B", "s2"))
        gone.scope.cancel()
        await wait_all_tasks_blocked()
        assert len(feed.world.signins) == 3
        feed.world.signins.end_session("s1")
        feed.world.signins.end_session("s1")
        await wait_all_tasks_blocked()
        viewers = (one, two, gone, other)
        assert [codes(each) for each in viewers] == [["TOKEN_REVOKED"], ["TOKEN_REVOKED"], [], []]
        assert [each.wire.dismissed for each in viewers] == [SESSION_ENDED, SESSION_ENDED, None, None]
        assert [each.ended.is_set() for each in viewers] == [True, True, True, False]
        assert repr(feed.world.signins) == "<SignIns, 1 in 1 sessions>"


async def test_who_does_not_read_is_closed_all_the_same(autojump_clock: MockClock) -> None:
    """What it would have been told it may never read; the code says it."""
    async with running_feed("a") as feed:
        viewer = await signed_in(feed, room=0)
        feed.world.signins.end_session("s1")
        await viewer.ended.wait()
        assert (viewer.wire.dismissed, codes(viewer)) == (SESSION_ENDED, [])


async def test_who_does_not_read_is_told_of_the_end_of_a_token_when_it_does(autojump_clock: MockClock) -> None:
    """Before the boards that it fell behind on."""
    async with running_feed("a") as feed:
        viewer = await signed_in(feed, room=0)
        viewer.connection.sign_out(*EXPIRED)
        await trio.sleep(1)
        assert codes(viewer) == []
        viewer.wire.read()
        await trio.sleep(1)
        assert codes(viewer) == ["TOKEN_EXPIRED"]


async def test_a_session_that_ended_on_the_way_here_is_noticed(autojump_clock: MockClock) -> None:
    """Between the judgement of a token and the first command nobody could be told of its end."""
    async with running_feed("a") as feed:
        feed.ended.add("s1")
        viewer = feed.connect(user=ANN)
        await viewer.ended.wait()
        assert (viewer.wire.dismissed, codes(viewer)) == (SESSION_ENDED, ["TOKEN_REVOKED"])
        assert len(feed.world.signins) == 0


class Counted:
    """A holder that only counts."""

    def __init__(self) -> None:
        self.told = 0

    def sign_out(self, code: str, message: str) -> None:
        self.told += 1

    def dismiss(self, code: str, message: str) -> None:
        raise AssertionError("a token that expires ends no connection")


@pytest.mark.parametrize("count", [1, SLICE, 3 * SLICE + 1])
async def test_many_tokens_expire_together_in_slices(count: int, autojump_clock: MockClock) -> None:
    """All are told, and others run between."""
    signins = SignIns()
    holders = [Counted() for _ in range(count)]
    for holder in holders:
        signins.add(holder, ANN)
    with trio.move_on_after(102):
        await signins.watch(now_us)
    assert [holder.told for holder in holders] == [1] * count
