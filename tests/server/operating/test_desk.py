"""What an operator asks a running server, over a real Unix socket."""

from __future__ import annotations

import fcntl
import io
import socket
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.observe.logs import make_logger
from scoreboard.server.crew.sockets import LONGEST
from scoreboard.server.operating.asking import NoAnswer, NotRunning, ask
from scoreboard.server.operating.desk import NAME, Desk, Line, Say, Tell, end


@pytest.fixture
def sockets(tmp_path: Path) -> Path:
    """Where the sockets of a data directory stand."""
    place = tmp_path / "workers" / "run"
    place.mkdir(parents=True)
    return place


def desk() -> Desk:
    """One that knows an answer, and one that fails."""
    made = Desk(make_logger(stream=io.StringIO()))

    async def status(asked: Line, say: Say) -> None:
        await say({"heard": asked.get("more")})
        await say(end(0))

    async def broken(_asked: Line, _say: Say) -> None:
        raise RuntimeError("a fault")

    made.answers = {"status": status, "broken": broken}
    return made


async def asked(data_dir: Path, what: str, **more: Any) -> list[Line]:
    """All that is answered, from a thread, as by another process."""
    return await trio.to_thread.run_sync(lambda: list(ask(data_dir, what, within_s=5, **more)))


async def test_a_question_is_answered_line_by_line(tmp_path: Path, sockets: Path) -> None:
    """With what belongs to it; the last line has the status."""
    async with desk().open_in(sockets):
        assert [{"heard": 7}, {"end": 0}] == await asked(tmp_path, "status", more=7)
        [line] = await asked(tmp_path, "nonsense")
        assert (1, "this server does not understand that; it knows broken, status") == (line["end"], line["says"])


async def test_a_desk_that_is_closed_leaves_no_socket(tmp_path: Path, sockets: Path) -> None:
    """However it ends; nobody serves there any more, and that is what is told."""
    with trio.CancelScope() as scope:
        async with desk().open_in(sockets):
            assert (sockets / NAME).is_socket()
            scope.cancel()
            await trio.lowlevel.checkpoint()
    assert not (sockets / NAME).exists()
    with pytest.raises(NotRunning):
        await asked(tmp_path, "status")


async def test_a_question_that_fails_or_is_none_costs_only_itself(tmp_path: Path, sockets: Path) -> None:
    """The desk goes on, and so does the server."""
    async with desk().open_in(sockets):
        assert [] == await asked(tmp_path, "broken")
        for text in (b"\n", b"[]\n", b"{}\n", b"\xff\n", b"x" * 5000):
            async with await trio.open_unix_socket(str(sockets / NAME)) as line:
                await line.send_all(text)
                assert b'"end":1' in bytes(await line.receive_some())
        async with await trio.open_unix_socket(str(sockets / NAME)) as line:
            await line.send_all(b'{"ask":"status"}\n')  # and hangs up
        assert 2 == len(await asked(tmp_path, "status"))


async def test_what_takes_a_while_is_done_once_for_all_who_ask_for_it(tmp_path: Path, sockets: Path) -> None:
    """The second hears all that the first has heard; who asks for something else meanwhile is told to wait."""
    made, begun, goes_on, started = desk(), 0, trio.Event(), trio.Event()

    async def work(tell: Tell) -> int:
        nonlocal begun
        begun += 1
        started.set()
        tell({"says": "begun"})
        await goes_on.wait()
        return 4

    made.answers |= {name: partial(made.undertake, work=work) for name in ("reload", "drain")}
    heard: list[list[Line]] = []

    async def listen() -> None:
        heard.append(await asked(tmp_path, "reload"))

    async with made.open_in(sockets), trio.open_nursery() as nursery:
        nursery.start_soon(listen)
        nursery.start_soon(listen)
        await started.wait()
        [refused] = await asked(tmp_path, "drain")
        assert (1, "a reload is under way; scoreboard status tells when it is over") == (
            refused["end"],
            refused["says"],
        )
        goes_on.set()
    assert [[{"says": "begun"}, {"end": 4}]] * 2 == heard
    assert (1, None) == (begun, made.under_way)


async def test_what_is_under_way_goes_on_when_its_operator_goes(tmp_path: Path, sockets: Path) -> None:
    """A Ctrl-C at a terminal stops no reload in the middle. What fails says so, and ends with 1."""
    made, started, goes_on, over = desk(), trio.Event(), trio.Event(), trio.Event()

    async def work(_: Tell) -> int:
        started.set()
        await goes_on.wait()
        over.set()
        raise RuntimeError("a fault")

    made.answers["reload"] = partial(made.undertake, work=work)
    async with made.open_in(sockets):
        async with await trio.open_unix_socket(str(sockets / NAME)) as line:
            await line.send_all(b'{"ask":"reload"}\n')
            await started.wait()
        goes_on.set()
        with trio.fail_after(10):
            await over.wait()
        told = await asked(tmp_path, "reload")
    assert ["it failed: RuntimeError('a fault')", None] == [line.get("says") for line in told]
    assert 1 == told[-1]["end"]


async def test_the_error_of_a_server_leaves_its_desk_as_it_is(sockets: Path) -> None:
    """Not in a group: the server ends with the sentence that it has."""
    with pytest.raises(OSError, match="no disk"):
        async with desk().open_in(sockets):
            raise OSError("no disk")


def test_a_directory_where_nobody_serves_is_told_from_one_that_is_none(tmp_path: Path, sockets: Path) -> None:
    """And from one that somebody has who does not answer, because it is starting."""
    with pytest.raises(NotRunning, match="there is no data directory"):
        list(ask(tmp_path / "other", "status"))
    with pytest.raises(NotRunning, match="no server runs in"):
        list(ask(tmp_path, "status"))
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(sockets / NAME))  # of one that was killed
    with pytest.raises(NotRunning, match="no server runs in"):
        list(ask(tmp_path, "status"))
    with (tmp_path / "workers" / "lock").open("w+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("123\n")
        lock.flush()
        with pytest.raises(NoAnswer, match=r"process 123 has .* and does not answer"):
            list(ask(tmp_path, "status"))


def test_who_says_nothing_is_not_waited_for_longer_than_asked(tmp_path: Path, sockets: Path) -> None:
    """One whose event loop hangs takes connections all the same."""
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(sockets / NAME))
        mute.listen()
        with pytest.raises(NoAnswer, match=r"has said nothing for 0\.1 s"):
            list(ask(tmp_path, "status", within_s=0.1))


def test_the_name_of_the_socket_is_the_longest_of_its_directory() -> None:
    """By it is judged whether the directory lies too deep for the kernel."""
    assert LONGEST == NAME


async def test_a_question_with_a_word_that_the_log_has_for_itself_keeps_nothing_under_way(
    tmp_path: Path, sockets: Path
) -> None:
    """Nothing else could be asked for until a restart."""
    made = desk()

    async def work(_: Tell) -> int:
        await trio.lowlevel.checkpoint()
        return 0

    async def undertake(asked: Line, say: Say) -> None:
        await made.undertake(asked, say, work)

    made.answers["undertake"] = undertake
    async with made.open_in(sockets):
        assert [{"end": 0}] == await asked(tmp_path, "undertake", event="of its own", level="too")
        assert made.under_way is None
