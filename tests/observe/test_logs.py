from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.observe.logs import Logger, adopt_library_logs, make_logger, request_scope
from scoreboard.observe.redact import redact


class Terminal(io.StringIO):
    """A stream that a person looks at."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged as JSON."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def stream() -> io.StringIO:
    """Where the lines go."""
    return io.StringIO()


@pytest.fixture
def log(stream: io.StringIO) -> Logger:
    """A logger as a server has it when nobody looks."""
    return make_logger(stream=stream)


def test_a_line_is_one_json_object(log: Logger, stream: io.StringIO) -> None:
    """With time, level, event and the fields; newlines within stay within."""
    log.info("score_incremented", new_score=1537, note="two\nlines", who="Zoë")
    [line] = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert {
        "event": "score_incremented",
        "level": "info",
        "new_score": 1537,
        "note": "two\nlines",
        "who": "Zoë",
    } == line


def test_every_line_of_a_request_has_its_id(log: Logger, stream: io.StringIO) -> None:
    """Inside the scope, also after an inner one; not outside."""
    log.info("before")
    with request_scope("r1", route="/x"):
        log.info("inside")
        with request_scope("r2"):
            log.info("inside another")
        log.info("inside again")
    log.info("after")
    assert [None, "r1", "r2", "r1", None] == [line.get("request_id") for line in lines(stream)]
    assert [None, "/x", "/x", "/x", None] == [line.get("route") for line in lines(stream)]


async def test_requests_that_run_at_once_keep_their_ids_apart(log: Logger, stream: io.StringIO) -> None:
    """Each task has its own; a task started within inherits it."""

    async def work(name: str) -> None:
        await trio.lowlevel.checkpoint()
        log.info("working", name=name)

    async def handle(name: str) -> None:
        with request_scope(name):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(work, name)
                await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        for number in range(5):
            nursery.start_soon(handle, f"r{number}")
    assert 5 == len(lines(stream))
    assert [line["name"] for line in lines(stream)] == [line["request_id"] for line in lines(stream)]


@pytest.mark.parametrize("style", ["json", "console"])
def test_no_secret_is_ever_written(stream: io.StringIO, style: str) -> None:
    """Not as a field, not within one, not bound, not in a text, not in a traceback."""
    log = make_logger(style=style, stream=stream).bind(refresh_token="hunter22")
    log.info("login", password="hunter22", body={"accessToken": "hunter22"}, url="postgresql://me:hunter22@db/x")
    with request_scope("r1", authorization="Bearer hunter22"):
        try:
            raise ValueError("redis://:hunter22@cache is down")
        except ValueError:
            log.exception("failed")
    text = stream.getvalue()
    assert "hunter22" not in text
    assert "ValueError" in text
    assert "hidden" in text


def test_a_terminal_gets_colours_and_a_file_gets_json() -> None:
    """`auto` looks at the stream, the other two do not."""
    terminal, file, told = Terminal(), io.StringIO(), io.StringIO()
    make_logger(stream=terminal).info("hello", a=1)
    make_logger(stream=file).info("hello", a=1)
    make_logger(stream=told, style="console").info("hello", a=1)
    assert "\x1b[" in terminal.getvalue()
    assert "hello" == lines(file)[0]["event"]
    assert "hello" in told.getvalue()
    assert "\x1b[" not in told.getvalue()


@pytest.mark.parametrize("text", ["/\x1b[2J", "/\x9b2J", "/\u202egnp", "/a\nb", "/\r", "/\x07", "/\ud800"])
def test_what_a_client_wrote_does_nothing_to_a_terminal(text: str) -> None:
    """As a field, as the event and in a traceback it is shown as an escape; only our own colours go out."""
    stream = io.StringIO()
    log = make_logger(style="console", stream=stream)
    log.info("request", path=text)
    log.info(text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
    written = stream.getvalue()
    assert all(line.isprintable() for line in written.split("\n"))
    shown = written.count(text.encode("unicode_escape").decode())
    assert (2 if "\n" in text else 3) == shown  # a traceback has lines of its own


def test_less_than_the_level_is_not_written(stream: io.StringIO) -> None:
    """And costs next to nothing."""
    log = make_logger(level="warning", stream=stream)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert ["c", "d"] == [line["event"] for line in lines(stream)]


def test_what_json_cannot_say_is_written_all_the_same(log: Logger, stream: io.StringIO) -> None:
    """A line is not lost because of what was put into it."""
    log.info("odd", thing=object(), pair={1}, half="\ud800", missing=float("nan"))
    [line] = lines(stream)
    assert "object" in line["thing"]
    assert ([1], "\ud800", "nan") == (line["pair"], line["half"], line["missing"])


ODD = list('ab:/"\\\n\x1b\x7f\x9bé\u202e\ud800😀')
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(ODD), st.just("a Bearer x"))
NAMES = st.sampled_from(["path", "status", "token", "accessToken", "url", "user_id"])


@given(st.dictionaries(NAMES, PLAIN), st.sampled_from(["event", "postgresql://me:hunter22@db", "eyJabc.def.ghi"]))
def test_a_plain_line_says_what_any_other_would(fields: dict[str, Any], event: str) -> None:
    """The short way for plain values writes what the long one does, and in ASCII."""
    stream = io.StringIO()
    make_logger(stream=stream).info(event, **fields)
    [line] = lines(stream)
    expected = json.loads(json.dumps(redact(None, "info", {"event": event, **fields})))
    assert expected == {name: value for name, value in line.items() if name not in {"level", "timestamp"}}
    assert stream.getvalue().isascii()


def test_a_closed_stream_fails_nobody() -> None:
    """Whoever logs goes on when the terminal has gone."""
    stream = io.StringIO()
    log = make_logger(stream=stream)
    stream.close()
    log.error("into the void")


def test_two_servers_log_apart() -> None:
    """Nothing global is configured."""
    one, two = io.StringIO(), io.StringIO()
    first, second = make_logger(stream=one), make_logger(stream=two, level="error")
    first.info("one")
    second.info("two")
    second.error("three")
    assert ["one"] == [line["event"] for line in lines(one)]
    assert ["three"] == [line["event"] for line in lines(two)]


def test_libraries_speak_through_us(log: Logger, stream: io.StringIO) -> None:
    """Their warnings come as our lines, with the traceback; what is less is not written."""
    library = logging.getLogger("scoreboard-test-library")
    adopt_library_logs(log, (library.name,))
    library.info("nothing")
    library.warning("Bearer %s", "hunter22")
    try:
        raise OSError("gone")
    except OSError:
        library.exception("failed")
    warning, failure = lines(stream)
    assert ("warning", "Bearer [hidden]", library.name) == (warning["level"], warning["message"], warning["logger"])
    assert "error" == failure["level"]
    assert "OSError: gone" in failure["exception"]
