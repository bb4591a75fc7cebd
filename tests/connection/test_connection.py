from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from actors.connection.commands import Authenticate, BadInput, Ping, Subscribe, Unsubscribe
from actors.connection.events import ErrorEvent, Pong, SignedIn, Unsubscribed
from actors.leaderboard.events import Channel, NewLeader, RankChange
from actors.ports import ALL_TIME, UserId
from tests.connection.feed import PersonalPickles, Viewer, running_feed
from tests.leaderboard.stage import TOP3

TOP1, TOP2 = Channel(ALL_TIME, 1), Channel(ALL_TIME, 2)


async def say(viewer: Viewer, *commands: object) -> None:
    """Say them, and let them be worked on."""
    for command in commands:
        viewer.say.send_nowait(command)  # type: ignore[arg-type]
        await wait_all_tasks_blocked()


async def test_a_snapshot_answers_a_subscription_and_then_every_step_follows(autojump_clock: MockClock) -> None:
    """As differences that fit each other, with their news."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        for names in ("c", "b", "cc", "aaaa"):
            await feed.stage.score(*names)
            await trio.sleep(2)
        assert viewer.shape(TOP3) == "Fdddd"
        client = viewer.client(TOP3)
        assert [(row.user_id, row.score) for row in client.rows] == feed.stage.truth()
        assert [each.leader.user_id for each in viewer.events if isinstance(each, NewLeader)] == ["c", "a"]
        assert any(isinstance(each, RankChange) for each in viewer.events)
        assert feed.sent_in_all == 5


async def test_who_asks_for_full_frames_gets_snapshots_with_the_news(autojump_clock: MockClock) -> None:
    """For clients that cannot apply differences."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3, full=True))
        await feed.stage.score("c")
        await trio.sleep(2)
        assert viewer.shape(TOP3) == "FF"
        assert any(isinstance(each, NewLeader) for each in viewer.events)


async def test_a_step_is_encoded_once_for_all_who_follow(autojump_clock: MockClock) -> None:
    """Each connection is given the same bytes."""
    async with running_feed(*"abc") as feed:
        viewers = [feed.connect() for _ in range(20)]
        for viewer in viewers:
            await say(viewer, Subscribe(TOP3))
        assert feed.dialect.encoded == 1
        await feed.stage.score("c")
        await trio.sleep(2)
        assert feed.dialect.encoded == 2
        assert all(viewer.wire.taken[-1] is viewers[0].wire.taken[-1] for viewer in viewers)


async def test_unsubscribing_is_answered_and_nothing_more_comes(autojump_clock: MockClock) -> None:
    """Also when nothing was subscribed."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3), Unsubscribe(TOP3), Unsubscribe(TOP1))
        await feed.stage.score("c")
        await trio.sleep(2)
        assert viewer.events[1:] == [Unsubscribed(TOP3), Unsubscribed(TOP1)]
        assert len(feed.stage.crowd()) == 0


async def test_subscribing_again_begins_anew_with_a_snapshot(autojump_clock: MockClock) -> None:
    """That is what a client does that finds itself elsewhere; exactly one snapshot answers."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        await feed.stage.score("c")
        await trio.sleep(2)
        await say(viewer, Subscribe(TOP3))
        await feed.stage.score("c")
        await trio.sleep(2)
        assert viewer.shape(TOP3) == "FdFd"


async def test_several_channels_are_shown_side_by_side(autojump_clock: MockClock) -> None:
    """Each with versions of its own; the news of each names it."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        await feed.stage.score("b")
        await trio.sleep(2)
        await feed.stage.score("c")
        await trio.sleep(2)
        assert (viewer.shape(TOP1), viewer.shape(TOP3)) == ("Fd", "Fdd")
        assert [row.user_id for row in viewer.client(TOP1).rows] == ["b"]
        assert [row.user_id for row in viewer.client(TOP3).rows] == ["b", "c", "a"]


async def test_who_is_spoken_to_in_another_way_begins_anew(autojump_clock: MockClock) -> None:
    """Nothing that was watched is said in the new way; what is watched from then on is, and only that."""
    async with running_feed(*"abc") as feed:
        viewer, other = feed.connect(), PersonalPickles()
        other.name = "another"
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        await feed.stage.score("b")
        await trio.sleep(2)
        viewer.connection.speak(other)
        await feed.stage.score("c")
        await trio.sleep(2)
        assert (viewer.shape(TOP1), viewer.shape(TOP3)) == ("Fd", "Fd")
        await say(viewer, Subscribe(TOP3))
        await feed.stage.score("c")
        await trio.sleep(2)
        assert (viewer.shape(TOP1), viewer.shape(TOP3)) == ("Fd", "FdFd")
        assert other.encoded == 2


async def test_bad_input_is_answered_and_the_connection_kept(autojump_clock: MockClock) -> None:
    """An error is an answer."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        await say(viewer, BadInput("INVALID_INPUT", "not JSON"), Ping(b"[1]"))
        assert viewer.events == [ErrorEvent("INVALID_INPUT", "not JSON"), Pong(b"[1]")]
        assert not viewer.ended.is_set()


async def test_signing_in_later_is_answered(autojump_clock: MockClock) -> None:
    """By who one is, or by why not; then one stays who one was."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        assert repr(viewer.connection) == "<LiveConnection anonymous, 0 channels, 0 behind>"
        await say(viewer, Authenticate("bad"), Authenticate("good"), Authenticate("bad"))
        no, yes = ErrorEvent("UNAUTHORIZED", "no"), SignedIn(UserId("a"), "A")
        assert viewer.events == [no, yes, no]
        assert repr(viewer.connection) == "<LiveConnection A, 0 channels, 0 behind>"


async def test_a_judge_of_tokens_that_hangs_is_not_waited_for(autojump_clock: MockClock) -> None:
    """Every wait has a bound; other commands are served again."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        await say(viewer, Authenticate("slow"), Ping())
        await trio.sleep(11)
        codes = [event.code if isinstance(event, ErrorEvent) else "pong" for event in viewer.events]
        assert codes == ["SERVICE_UNAVAILABLE", "pong"]


@pytest.mark.parametrize("reading", [True, False])
async def test_a_step_that_is_offered_again_or_late_is_not_shown_again(
    autojump_clock: MockClock, *, reading: bool
) -> None:
    """An audience that was made anew offers what it is shown to all; nobody is led back to an older board."""
    async with running_feed(*"ab") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        for _ in range(3):
            await feed.stage.score("b")
            await trio.sleep(2)
        if not reading:
            viewer.wire.stop_reading()
            await feed.stage.score("b")
            await trio.sleep(2)
        for update in feed.stage.shown:
            assert viewer.screen.offer(update)
        viewer.wire.read()
        await trio.sleep(1)
        assert viewer.shape(TOP3) == ("Fddd" if reading else "FdddF")
        assert viewer.client(TOP3).version == feed.stage.shown[-1].full.version


# --- slow readers ---


async def test_a_slow_reader_gets_exactly_one_fresh_snapshot_when_it_reads_again(autojump_clock: MockClock) -> None:
    """However many steps it missed; then differences follow that fit."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        viewer.wire.stop_reading()
        for _ in range(10):
            await feed.stage.score("c")
            await trio.sleep(2)
        with feed.counting() as counts:
            viewer.wire.read()
            await wait_all_tasks_blocked()
        await feed.stage.score("b")
        await trio.sleep(2)
        assert (counts, feed.skipped) == ([1, 0], 10)
        assert viewer.shape(TOP3) == "FFd"
        assert [(row.user_id, row.score) for row in viewer.client(TOP3).rows] == feed.stage.truth()


async def test_a_slow_reader_holds_only_the_newest_step(autojump_clock: MockClock) -> None:
    """By reference to what all share, however many there were."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        viewer.wire.stop_reading()
        for _ in range(10):
            await feed.stage.score("c")
            await trio.sleep(2)
        assert viewer.screen._late == {TOP3: feed.stage.shown[-1]}


async def test_a_slow_reader_delays_nobody(autojump_clock: MockClock) -> None:
    """The others are shown each step when it happens."""
    async with running_feed(*"abc") as feed:
        slow, fast = feed.connect(), feed.connect()
        for viewer in (slow, fast):
            await say(viewer, Subscribe(TOP3))
        slow.wire.stop_reading()
        for n in range(1, 6):
            await feed.stage.score("c")
            await wait_all_tasks_blocked()
            assert fast.client(TOP3).rows[0].score == n
            await trio.sleep(1.5)
        assert slow.client(TOP3).rows[0].score == 0


async def test_a_reader_that_is_behind_on_several_channels_gets_a_snapshot_of_each(autojump_clock: MockClock) -> None:
    """One after the other as there is room, the one that waited longest first, so that none starves."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        channels = [TOP1, TOP2, TOP3]
        await say(viewer, *(Subscribe(channel) for channel in channels))
        viewer.wire.stop_reading()
        for _ in range(9):
            await feed.stage.score("c")
            await trio.sleep(2)
            viewer.wire.read(1)
            await wait_all_tasks_blocked()
        shapes = [viewer.shape(channel) for channel in channels]
        assert [len(shape) for shape in shapes] == [4, 4, 4]
        viewer.wire.read()
        await trio.sleep(1)
        for channel in channels:
            assert viewer.client(channel).rows[0].score == 9


async def test_a_transport_that_drains_and_yet_takes_nothing_makes_no_hot_loop(autojump_clock: MockClock) -> None:
    """It is asked again a while later."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        viewer.wire.stop_reading()
        viewer.wire.lies = True
        await feed.stage.score("c")
        await trio.sleep(10)
        assert viewer.wire.drains <= 210
        viewer.wire.read()
        await trio.sleep(0.1)
        assert viewer.shape(TOP3) == "FF"


async def test_a_snapshot_that_could_not_be_sent_is_not_sent_after_unsubscribing(autojump_clock: MockClock) -> None:
    """Nor kept."""
    async with running_feed(*"abc") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        viewer.wire.stop_reading()
        await feed.stage.score("c")
        await trio.sleep(1)
        await say(viewer, Unsubscribe(TOP3))
        viewer.wire.read()
        await trio.sleep(1)
        assert viewer.shape(TOP3) == "F"
        assert viewer.screen._late == {}


# --- ends ---


async def test_a_connection_leaves_its_audiences_when_its_commands_end(autojump_clock: MockClock) -> None:
    """And its tasks end with them."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        viewer.say.close()
        await wait_all_tasks_blocked()
        assert viewer.ended.is_set()
        assert (len(feed.stage.crowd(TOP1)), len(feed.stage.crowd(TOP3))) == (0, 0)


@pytest.mark.parametrize("stuck", [False, True])
async def test_a_connection_leaves_its_audiences_when_it_is_cancelled(
    autojump_clock: MockClock, *, stuck: bool
) -> None:
    """Also in the middle of a send that nobody reads."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP1), Subscribe(TOP3))
        if stuck:
            viewer.wire.stop_reading()
            await say(viewer, Ping())
        viewer.scope.cancel()
        await wait_all_tasks_blocked()
        assert viewer.ended.is_set()
        assert (len(feed.stage.crowd(TOP1)), len(feed.stage.crowd(TOP3))) == (0, 0)


async def test_a_connection_that_could_not_say_goodbye_is_forgotten_with_the_next_step(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of it stays in memory."""
    async with running_feed(*"ab") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        monkeypatch.setattr(type(viewer.connection), "_leave", lambda *_: None)
        viewer.scope.cancel()
        await wait_all_tasks_blocked()
        assert len(feed.stage.crowd()) == 1
        await feed.stage.score("b")
        await trio.sleep(2)
        assert len(feed.stage.crowd()) == 0


async def test_a_transport_that_breaks_ends_its_own_connection_only(autojump_clock: MockClock) -> None:
    """The audience goes on, and the error comes out where the connection runs."""
    async with running_feed(*"ab") as feed:
        broken, fine = feed.connect(), feed.connect()
        for viewer in (broken, fine):
            await say(viewer, Subscribe(TOP3))
        broken.wire.broken = ZeroDivisionError("the wire broke")
        await feed.stage.score("b")
        await trio.sleep(2)
        await feed.stage.score("b")
        await trio.sleep(2)
        assert fine.shape(TOP3) == "Fdd"
        assert broken.ended.is_set()
        assert isinstance(broken.error, ExceptionGroup)
        assert broken.error.exceptions == (broken.wire.broken,)
        assert fine.screen in feed.stage.crowd()
        assert len(feed.stage.crowd()) == 1


async def test_a_board_that_crashes_is_shown_anew_without_subscribing_again(autojump_clock: MockClock) -> None:
    """A snapshot of the new epoch, then differences."""
    async with running_feed(*"ab") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        await feed.stage.score("b")
        await trio.sleep(2)
        await feed.stage.commit("a", "a")
        feed.stage.crash()
        await trio.sleep(2)
        await feed.stage.score("b", "b")
        await trio.sleep(2)
        assert viewer.shape(TOP3) == "FdFd"
        assert [(row.user_id, row.score) for row in viewer.client(TOP3).rows] == feed.stage.truth()


async def test_an_audience_that_cannot_be_joined_is_told_to_the_client(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may subscribe again; it is not left waiting."""
    async with running_feed("a") as feed:
        viewer = feed.connect()
        monkeypatch.setattr(feed.stage.audiences, "_max_live", 0)
        await say(viewer, Subscribe(TOP3))
        (error,) = viewer.events
        assert isinstance(error, ErrorEvent)
        assert error.code == "SERVICE_UNAVAILABLE"
        monkeypatch.setattr(feed.stage.audiences, "_max_live", 10)
        await say(viewer, Subscribe(TOP3))
        assert viewer.shape(TOP3) == "F"


async def test_resubscribing_in_the_middle_of_a_step_brings_one_snapshot(autojump_clock: MockClock) -> None:
    """The step on its way is the snapshot, and the answer to joining is not shown a second time."""
    async with running_feed(*"ab") as feed:
        viewer = feed.connect()
        await say(viewer, Subscribe(TOP3))
        await feed.stage.score("b")
        viewer.say.send_nowait(Unsubscribe(TOP3))
        viewer.say.send_nowait(Subscribe(TOP3))
        await trio.sleep(2)
        assert viewer.shape(TOP3) in ("FF", "FdF")
        assert [(row.user_id, row.score) for row in viewer.client(TOP3).rows] == feed.stage.truth()
