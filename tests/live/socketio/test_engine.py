"""Sessions of Engine.IO as scripts: what happens, and what is to be done about it."""

from __future__ import annotations

import pytest

from scoreboard.live.socketio.engine import (
    AnswerProbe,
    Command,
    Deliver,
    DropCandidate,
    End,
    EndPoll,
    Engine,
    Finish,
    Patience,
    Refuse,
    Say,
    Switch,
    Way,
)
from scoreboard.live.socketio.packets import engine_packet

PATIENCE = Patience(ping_interval_s=25, ping_timeout_s=30, upgrade_within_s=10)
PROBED = AnswerProbe("3probe")
PING = Say("2")


def polling() -> Engine:
    """A session that began by polling, at zero."""
    return Engine(Way.POLLING, PATIENCE, 0.0)


def socket() -> Engine:
    """A session that began with a WebSocket, at zero."""
    return Engine(Way.WEBSOCKET, PATIENCE, 0.0)


def by_poll(engine: Engine, text: str) -> list[Command]:
    """A packet in a request."""
    return engine.came(engine_packet(text), Way.POLLING)


def by_socket(engine: Engine, text: str) -> list[Command]:
    """A packet on a WebSocket."""
    return engine.came(engine_packet(text), Way.WEBSOCKET)


def refused(commands: list[Command]) -> bool:
    """Whether the request may not do it."""
    return any(isinstance(each, Refuse) for each in commands)


def test_polls_and_posts_take_turns_for_as_long_as_they_like() -> None:
    """A poll and a post may be under way at once, one of each."""
    engine = polling()
    for _ in range(3):
        assert engine.poll_begins() == []
        assert engine.post_begins() == []
        assert by_poll(engine, "42[]") == [Deliver("2[]")]
        assert engine.post_ends() == []
        assert engine.poll_ends(heard=True) == []
    assert repr(engine) == "<Engine by polling, open>"


@pytest.mark.parametrize("overlap", ["poll_begins", "post_begins"])
def test_two_of_one_kind_at_once_end_the_session(overlap: str) -> None:
    """Which of the two would get a packet is anybody's guess, and in which order theirs are meant."""
    engine = polling()
    assert getattr(engine, overlap)() == []
    commands = getattr(engine, overlap)()
    assert refused(commands)
    assert commands[1:] == [Finish(End.BROKEN)]
    assert engine.over is End.BROKEN


def test_a_client_that_hangs_up_while_it_waits_has_gone() -> None:
    """What was meant for it may be lost, so it has to begin anew."""
    engine = polling()
    engine.poll_begins()
    assert engine.poll_ends(heard=False) == [Finish(End.GONE)]


def test_the_way_changes_without_losing_a_packet() -> None:
    """Probe, the answer to the waiting poll, the last post, the word that it is done; then all goes by the socket."""
    engine = polling()
    engine.poll_begins()
    assert engine.socket_opens(1.0) == []
    assert by_poll(engine, "4a") == [Deliver("a")]
    assert by_socket(engine, "2probe") == [PROBED, EndPoll()]
    engine.poll_ends(heard=True)
    assert by_poll(engine, "4b") == [Deliver("b")]
    assert by_socket(engine, "5") == [Switch()]
    assert engine.way is Way.WEBSOCKET
    assert by_socket(engine, "4c") == [Deliver("c")]
    assert refused(engine.poll_begins())
    assert refused(engine.post_begins())
    assert engine.over is None


def test_a_poll_during_the_change_is_answered_at_once() -> None:
    """The client waits for that answer before it changes."""
    engine = polling()
    engine.socket_opens(0.0)
    assert by_socket(engine, "2probe") == [PROBED]
    assert engine.poll_begins() == [EndPoll()]
    engine.poll_ends(heard=True)
    assert engine.poll_begins() == [EndPoll()]


def test_a_client_that_changes_while_it_still_polls_is_let_go_on() -> None:
    """Its poll is answered with nothing."""
    engine = polling()
    engine.socket_opens(0.0)
    by_socket(engine, "2probe")
    engine.poll_begins()
    assert by_socket(engine, "5") == [EndPoll(), Switch()]


@pytest.mark.parametrize("text", ["2", "2other", "5", "4early", "1", "6", "3probe"])
def test_a_socket_that_does_not_probe_is_dropped_and_the_session_goes_on(text: str) -> None:
    """Polling was there before it."""
    engine = polling()
    engine.socket_opens(0.0)
    assert by_socket(engine, text) == [DropCandidate()]
    assert engine.poll_begins() == []
    assert engine.socket_opens(0.0) == []


@pytest.mark.parametrize("text", ["2probe", "4early", "1"])
def test_a_socket_that_has_probed_changes_or_is_dropped(text: str) -> None:
    """Nothing else comes between."""
    engine = polling()
    engine.socket_opens(0.0)
    by_socket(engine, "2probe")
    assert by_socket(engine, text) == [DropCandidate()]
    assert engine.way is Way.POLLING


def test_what_is_no_packet_costs_the_way_on_which_it_came() -> None:
    """A socket that is not the way yet can be done without."""
    engine = polling()
    engine.socket_opens(0.0)
    assert engine.garbage_came(Way.WEBSOCKET) == [DropCandidate()]
    assert engine.garbage_came(Way.POLLING) == [Finish(End.BROKEN)]


def test_a_socket_that_does_not_change_in_time_is_dropped() -> None:
    """The session goes on by polling."""
    engine = polling()
    engine.socket_opens(3.0)
    by_socket(engine, "2probe")
    assert engine.look(12.9) == []
    assert engine.look(13.0) == [DropCandidate()]
    assert engine.look(13.1) == []
    assert engine.over is None


def test_a_session_has_one_socket_at_most() -> None:
    """Whoever brings a second one is refused, and the first goes on."""
    engine = polling()
    engine.socket_opens(0.0)
    assert refused(engine.socket_opens(0.0))
    by_socket(engine, "2probe")
    by_socket(engine, "5")
    assert refused(engine.socket_opens(0.0))
    assert refused(socket().socket_opens(0.0))
    assert engine.over is None


def test_a_session_ends_with_its_socket() -> None:
    """One that only wanted to become its way may go."""
    engine = polling()
    engine.socket_opens(0.0)
    assert engine.socket_closes() == []
    assert engine.socket_opens(0.0) == []
    by_socket(engine, "2probe")
    by_socket(engine, "5")
    assert engine.socket_closes() == [Finish(End.GONE)]


@pytest.mark.parametrize("begin", [polling, socket])
def test_a_client_is_asked_for_a_sign_of_life_and_gives_one(begin: object) -> None:
    """For ever, at the interval it was told."""
    engine = begin()  # type: ignore[operator]
    for beat in range(1, 5):
        assert engine.look(25.0 * beat - 0.1) == []
        assert engine.look(25.0 * beat) == [PING]
        assert engine.came(engine_packet("3"), engine.way) == []
    assert engine.look(124.9) == []


def test_a_client_that_gives_none_is_gone() -> None:
    """Thirty seconds after the first ping that it did not answer, whatever was said to it since."""
    engine = socket()
    assert engine.look(25.0) == [PING]
    assert engine.look(50.0) == [PING]
    assert engine.look(54.9) == []
    assert engine.look(55.0) == [Finish(End.SILENT)]
    assert engine.look(99.0) == []


@pytest.mark.parametrize("sign", ["message", "poll"])
def test_whatever_comes_is_a_sign_of_life(sign: str) -> None:
    """A message, or a request for packets."""
    engine = polling()
    engine.look(25.0)
    if sign == "poll":
        engine.poll_begins()
    else:
        by_poll(engine, "4x")
    assert engine.look(55.0) == [PING]


def test_a_ping_that_could_not_be_said_is_said_again() -> None:
    """At the next look; the time for its answer runs from the first."""
    engine = socket()
    assert engine.look(25.0) == [PING]
    engine.was_not_said()
    assert engine.look(26.0) == [PING]
    assert engine.look(27.0) == []
    assert engine.look(55.0) == [Finish(End.SILENT)]


@pytest.mark.parametrize(
    ("text", "why"), [("1", End.LEFT), *((text, End.BROKEN) for text in ("0{}", "2", "2probe", "5"))]
)
@pytest.mark.parametrize("way", Way)
def test_a_client_may_close_and_may_not_speak_for_the_server(text: str, why: End, way: Way) -> None:
    """On either way."""
    engine = Engine(way, PATIENCE, 0.0)
    assert engine.came(engine_packet(text), way) == [Finish(why)]


def test_binary_messages_are_handed_on_as_they_are() -> None:
    """What they mean is not this layer's business."""
    assert by_poll(polling(), "bAAE=") == [Deliver(b"\x00\x01")]
    assert socket().came(engine_packet(b"\x00\x01"), Way.WEBSOCKET) == [Deliver(b"\x00\x01")]


def test_what_is_over_stays_over() -> None:
    """It ends once, and nothing that still comes does anything."""
    engine = polling()
    engine.socket_opens(0.0)
    assert engine.end(End.OVER) == [DropCandidate(), Finish(End.OVER)]
    assert engine.end(End.GONE) == []
    assert refused(engine.poll_begins())
    assert refused(engine.post_begins())
    assert refused(engine.socket_opens(0.0))
    assert by_poll(engine, "4x") == by_socket(engine, "2probe") == engine.look(1000.0) == []
    assert engine.socket_closes() == []
    assert repr(engine) == "<Engine by polling, over, because the server closed it>"
