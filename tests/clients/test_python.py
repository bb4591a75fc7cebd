"""What is Python's own of the Python client: loops and blocks that are left, errors, bounds."""

from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from scoreboard.client import NoAnswer, ScoreboardError, View, connect
from scoreboard.client.errors import ADVICE
from scoreboard.client.pace import UNANSWERED_COMMANDS, WAITING_COMMANDS
from scoreboard.client.watch import NEWS_KEPT, Channel, Listener, News, Watch
from scoreboard.client.world import World
from tests.clients.player import ScriptedTransport

JAVASCRIPT = Path(__file__).resolve().parents[2] / "scoreboard" / "web" / "client.js"


@pytest.fixture
def done() -> list[dict[str, Any]]:
    """What the client does."""
    return []


@pytest.fixture
def world(done: list[dict[str, Any]], mock_clock: MockClock) -> World:
    """A world whose server is the test."""
    return World(ScriptedTransport(done), lambda: 1.0, lambda: "key")


def transport(world: World) -> ScriptedTransport:
    """The test's side of the network."""
    assert isinstance(world.transport, ScriptedTransport)
    return world.transport


async def test_a_loop_that_is_left_leaves_its_channel(world: World, done: list[dict[str, Any]]) -> None:
    """Without a word about closing anything; a second loop over the channel keeps it."""
    async with connect("http://scripted", world=world) as board:
        await wait_all_tasks_blocked()
        transport(world).accepts()
        await wait_all_tasks_blocked()
        loop: Watch | None = board.watch("leaderboard.top3")
        other: Watch | None = board.watch("leaderboard.top3")
        assert loop is not other
        del loop
        gc.collect()
        await wait_all_tasks_blocked()
        assert "subscribe" == done[-1]["says"]["event"]
        del other
        gc.collect()
        await wait_all_tasks_blocked()
        assert {"event": "unsubscribe", "data": {"channel": "leaderboard.top3"}} == done[-1]["says"]


@pytest.mark.parametrize("raised", [LookupError("mine"), KeyboardInterrupt()])
async def test_what_the_block_raises_comes_out_as_it_is(world: World, raised: BaseException) -> None:
    """Not in a group, so that `except` finds it."""
    with pytest.raises(type(raised)) as found:
        async with connect("http://scripted", world=world):
            raise raised
    assert raised is found.value


async def test_a_token_function_that_fails_ends_the_block(world: World) -> None:
    """It is the program's own mistake, and must not be repeated in silence for ever."""

    async def token() -> str:
        raise LookupError("no token in the drawer")

    with pytest.RaisesGroup(LookupError, flatten_subgroups=True):
        async with connect("http://scripted", token=token, world=world):
            await trio.sleep_forever()


async def test_a_token_function_without_an_answer_is_asked_again(world: World, mock_clock: MockClock) -> None:
    """As the server is, after a pause; from the second refusal on at the pace of one that polls."""
    asked = []

    async def token() -> str:
        asked.append(trio.current_time())
        raise NoAnswer("not now")

    mock_clock.autojump_threshold = 0.01
    async with connect("http://scripted", token=token, world=world):
        await trio.sleep(13)
    assert [0, 2, 12] == [round(at) for at in asked]


@pytest.mark.parametrize("url", ["", "scores.example.org", "ftp://scores.example.org", "http://"])
async def test_what_is_no_address_is_refused_at_once(url: str) -> None:
    """With an example of one."""
    with pytest.raises(ValueError, match=r"write it like https://scores\.example\.org"):
        async with connect(url):
            pass


async def test_after_its_end_nothing_can_be_asked(world: World) -> None:
    """And a loop that was under way has ended."""
    async with connect("http://scripted", token="jwt", world=world) as board:
        views = board.watch("leaderboard.top10")
    assert "closed" == board.status.state
    with pytest.raises(ScoreboardError, match="closed"):
        await board.score()
    with pytest.raises(ScoreboardError, match="closed"):
        board.watch("leaderboard.top10")
    assert [] == [view async for view in views]


async def test_commands_that_wait_are_bounded(world: World) -> None:
    """One more is refused at once, and nothing of it is sent."""
    async with connect("http://scripted", token="jwt", world=world) as board:
        async with trio.open_nursery() as nursery:
            for _ in range(UNANSWERED_COMMANDS + WAITING_COMMANDS):
                nursery.start_soon(board.action_token)
            await wait_all_tasks_blocked()
            with pytest.raises(ScoreboardError) as refused:
                await board.action_token()
            nursery.cancel_scope.cancel()
    assert "TOO_MANY_COMMANDS" == refused.value.code


async def test_news_that_nobody_takes_are_bounded_and_counted() -> None:
    """The newest stay."""
    channel = Channel("player.me")
    listener = Listener(channel, lambda _: None)
    for number in range(NEWS_KEPT + 3):
        channel.tell(News("player.update", {"number": number}))
    assert 3 == listener.dropped
    assert {"number": 3} == dict((await anext(listener)).data)


async def test_whoever_comes_later_sees_the_board_at_once() -> None:
    """A second loop over a channel need not wait for a change."""
    channel = Channel("leaderboard.top10")
    channel.accept(View("leaderboard.top10", "e1", 4))
    assert 4 == (await anext(Watch(channel, lambda _: None, 0.5))).version


def test_both_clients_give_advice_for_the_same_codes() -> None:
    """Whoever adds a code adds it to both."""
    table = JAVASCRIPT.read_text().partition("const ADVICE = {")[2].partition("\n};")[0]
    assert sorted(ADVICE) == sorted(re.findall(r"^  ([A-Z_]+):", table, re.MULTILINE))


def test_an_error_says_what_to_do() -> None:
    """The server's sentence, and then the advice."""
    error = ScoreboardError("RATE_LIMITED", "Maximum 5 a minute.", retry_after_s=41)
    assert "Maximum 5 a minute. Wait `retry_after_s` seconds and call again." == str(error)
