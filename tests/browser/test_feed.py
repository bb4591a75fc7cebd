"""How the feed keeps in touch: scripts in a world without sockets or time, where every delay is the longest one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.stage import CHANNEL, check, ranked

Script = Callable[..., list[list[Any]]]
SUBSCRIBE = ["sent", {"event": "subscribe", "data": {"channel": CHANNEL}}]
PING = ["sent", {"event": "ping"}]
ROWS = ranked({"Ann": 5, "Bob": 3})
TABLE = {"leaderboard": ROWS, "totalUsers": 2}
BOARD = ["board", 4, ["Ann", "Bob"]]
POLLED = ["board", 0, ["Ann", "Bob"]]


def update(version: int = 4, **more: Any) -> list[Any]:
    """A step: a full update arrives."""
    data = {"channel": CHANNEL, "epoch": "e1", "version": version, "leaderboard": ROWS, "totalUsers": 2}
    return ["frame", {"event": "leaderboard.update", "data": data | {"check": check(ROWS)} | more}]


def diff(before: int, to: int, **more: Any) -> list[Any]:
    """A step: a diff arrives, with nothing in it unless given."""
    data = {"channel": CHANNEL, "epoch": "e1", "from": before, "to": to, "changes": [], "removed": [], "totalUsers": 2}
    return ["frame", {"event": "leaderboard.diff", "data": data | more}]


LIVE = (["start"], ["opened"], update(), ["forget"])
POLLING = (["start"], ["closed"], ["pass", 2_000], ["closed"])


@pytest.fixture
def script(modules: Callable[..., Any]) -> Script:
    """Plays steps and answers what the feed did."""
    return lambda *steps: list(modules("feed_script.js", "play", list(steps)))


def test_it_subscribes_and_is_live_with_the_first_full_update(script: Script) -> None:
    """Open is not live: only a board is."""
    log = script(["start"], ["opened"], update())
    assert [["connect"], ["status", "connecting"], SUBSCRIBE, BOARD, ["status", "live"]] == log


def test_a_gap_makes_it_subscribe_again(script: Script) -> None:
    """Diffs that come before the answer are let pass, without asking again for each."""
    log = script(*LIVE, diff(6, 7), diff(7, 8), diff(8, 9), update(9), diff(9, 10))
    assert [SUBSCRIBE, ["board", 9, ["Ann", "Bob"]], ["board", 10, ["Ann", "Bob"]]] == log


def test_a_wrong_checksum_makes_it_subscribe_again(script: Script) -> None:
    """The board shown stays the last one that was proven."""
    assert [SUBSCRIBE] == script(*LIVE, diff(4, 5, check=1))


def test_a_duplicate_is_ignored(script: Script) -> None:
    """Nothing is asked and nothing shown."""
    assert [] == script(*LIVE, diff(3, 4), diff(2, 3))


@pytest.mark.parametrize("text", ["", "nonsense", "null", "[]", '"x"', '{"event":"leaderboard.update"}'])
def test_what_it_does_not_understand_is_let_pass(script: Script, text: str) -> None:
    """A newer server may say more than we know."""
    assert [] == script(*LIVE, ["text", text])


def test_another_channel_is_not_ours(script: Script) -> None:
    """A frame of another channel changes nothing."""
    assert [] == script(*LIVE, update(9, channel="leaderboard.top100"))


def test_a_lost_socket_comes_back_by_itself(script: Script) -> None:
    """After a delay that the person is told."""
    log = script(*LIVE, ["closed"], ["pass", 2_000], ["opened"], update(6))
    back = [["connect"], ["status", "reconnecting"], SUBSCRIBE, ["board", 6, ["Ann", "Bob"]], ["status", "live"]]
    assert [["close"], ["status", "reconnecting", 2_000], *back] == log


def test_the_delays_double_up_to_half_a_minute(modules: Callable[..., Any]) -> None:
    """Longest and shortest, so that a thousand clients do not come back in one instant."""
    longest = [modules("client.js", "retryDelay", attempt, False, 1) for attempt in range(7)]
    assert [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000] == longest
    assert [500, 7_500] == [modules("client.js", "retryDelay", attempt, False, 0) for attempt in (0, 9)]
    assert [10_000, 60_000] == [modules("client.js", "retryDelay", attempt, True, 1) for attempt in (0, 9)]


def test_a_server_that_takes_us_in_and_throws_us_out_is_asked_ever_less(script: Script) -> None:
    """Being live for a moment does not make the delays short again; ten seconds do."""
    log = script(*LIVE, ["closed"], ["pass", 2_000], ["opened"], update(), ["closed"], ["forget"], ["pass", 4_000])
    assert [["connect"], ["status", "reconnecting"]] == log
    log = script(*LIVE, ["closed"], ["pass", 2_000], ["opened"], update(), ["pass", 10_000], ["forget"], ["closed"])
    assert ["status", "reconnecting", 2_000] in log


def test_two_refusals_begin_the_polling(script: Script) -> None:
    """At once, and then every five seconds."""
    log = script(*POLLING, ["forget"], ["polled", TABLE], ["pass", 5_000])
    assert [POLLED, ["poll"]] == log


def test_while_polling_the_socket_is_tried_now_and_then(script: Script) -> None:
    """At longer intervals, and the state stays what it is."""
    log = script(*POLLING, ["polled", TABLE], ["forget"], ["hidden"], ["pass", 10_000], ["closed"], ["pass", 20_000])
    assert [["connect"], ["close"], ["connect"]] == log


def test_the_socket_ends_the_polling(script: Script) -> None:
    """Also for an answer that is still under way: it is older than the socket's board."""
    log = script(*POLLING, ["forget"], ["pass", 10_000], ["opened"], update(), ["polled", TABLE], ["pass", 20_000])
    assert [BOARD, ["status", "live"]] == log[-2:]


def test_a_poll_without_an_answer_is_told(script: Script) -> None:
    """Neither socket nor request: the person sees when it is tried again."""
    log = script(*POLLING, ["forget"], ["unanswered"])
    assert [["status", "offline", 5_000]] == log


def test_a_server_back_from_the_dead_is_joined_soon(script: Script) -> None:
    """The first answered poll brings the next try of the socket forward."""
    log = script(*POLLING, ["unanswered"], ["pass", 5_000], ["forget"], ["polled", TABLE], ["pass", 2_000])
    assert [POLLED, ["status", "polling"], ["connect"]] == log


def test_a_subscription_without_an_answer_is_a_refusal(script: Script) -> None:
    """A proxy may let the socket open and swallow what is said."""
    log = script(["start"], ["opened"], ["forget"], ["pass", 8_000])
    assert [["close"], ["status", "reconnecting", 2_000]] == log


def test_a_damaged_full_update_is_a_refusal(script: Script) -> None:
    """Asking the same server again at once would go round for ever."""
    assert [["close"], ["status", "reconnecting", 2_000]] == script(*LIVE[:2], ["forget"], update(check=1))


def test_a_silent_line_is_tried_and_given_up(script: Script) -> None:
    """A connection that died without a word is found within 33 s; an answer keeps it."""
    pong = ["frame", {"event": "pong", "data": {}}]
    assert [PING] == script(*LIVE, ["pass", 25_000], pong, ["pass", 20_000])
    assert [PING, ["close"], ["status", "reconnecting", 2_000]] == script(*LIVE, ["pass", 33_000])


def test_nobody_looking_means_no_polling(script: Script) -> None:
    """And whoever comes back sees the board at once, not in five seconds."""
    hidden = script(*POLLING, ["polled", TABLE], ["hidden"], ["forget"], ["pass", 9_000])
    assert [] == hidden
    back = script(*POLLING, ["polled", TABLE], ["hidden"], ["pass", 9_000], ["forget"], ["visible"])
    assert [["connect"], ["poll"]] == back


def test_a_network_that_is_back_is_used_at_once(script: Script) -> None:
    """The delay is not waited out."""
    log = script(*LIVE, ["closed"], ["forget"], ["retry"])
    assert [["connect"], ["status", "reconnecting"]] == log


def test_when_stopped_it_does_nothing_more(script: Script) -> None:
    """No timer, no socket, no poll is left."""
    assert [["close"]] == script(*LIVE, ["stop"], ["pass", 120_000])
