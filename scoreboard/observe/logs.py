"""Structured logs: one JSON object a line, or colours for a person at a terminal; every line with its request's id."""

from __future__ import annotations

import io
import json
import logging
import math
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from contextlib import suppress
from contextvars import ContextVar, Token
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, TextIO, cast

import msgspec
import structlog

from scoreboard.observe.log_stream import LogStream
from scoreboard.observe.redact import is_secret, is_suspicious, redact, scrub

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_PLAIN = frozenset({str, int, bool, float, type(None)})
#: What is on every line of this task.
_BOUND: ContextVar[Mapping[str, object]] = ContextVar("bound_to_log", default=MappingProxyType({}))

Processor = Callable[[Any, str, MutableMapping[str, Any]], Any]
Logger = structlog.typing.FilteringBoundLogger


def make_logger(*, level: str = "info", style: str = "auto", stream: TextIO | None = None) -> Logger:
    """The logger of one server. Nothing global is configured, so two servers in one process log apart.

    Args:
        level: ``debug``, ``info``, ``warning`` or ``error``.
        style: ``json``, ``console``, or ``auto``: console when the stream is a terminal.
        stream: Where the lines go; standard error unless given.
    """
    stream = sys.stderr if stream is None else stream
    console = style == "console" or (style == "auto" and stream.isatty())
    logger: Logger = structlog.wrap_logger(
        _StreamLogger(LogStream(stream, _told_in_words if console else _told_as_json)),
        processors=_processors(console=console, colours=stream.isatty()),
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        cache_logger_on_first_use=True,
    )
    return logger


class request_scope:  # noqa: N801 - it stands behind `with`, and as a generator would take twice as long
    """Put `request_id` (and more) on every line that is logged within, in this task and the tasks it starts."""

    __slots__ = ("_before", "_fields")

    def __init__(self, request_id: str, **fields: object) -> None:
        self._fields = {"request_id": request_id, **fields}
        self._before: Token[Mapping[str, object]]

    def __enter__(self) -> None:
        self._before = _BOUND.set({**_BOUND.get(), **self._fields})

    def __exit__(self, *_: object) -> None:
        _BOUND.reset(self._before)


def adopt_library_logs(log: Logger, names: tuple[str, ...]) -> None:
    """Let what libraries log through `logging` come out in our format, warnings and worse only."""
    for name in names:
        library = logging.getLogger(name)
        library.handlers[:] = [_Handler(log)]
        library.setLevel(logging.WARNING)
        library.propagate = False


def lost_lines(log: object) -> int:
    """How many lines of a logger that `make_logger` made could not be written; 0 for any other one."""
    lines = _lines_of(log)
    return 0 if lines is None else lines.lost


def unwritten_lines(log: object) -> int:
    """How many of these came since one could be written: as long as there are any, the log is silent."""
    lines = _lines_of(log)
    return 0 if lines is None else lines.untold


def _lines_of(log: object) -> LogStream | None:
    behind = getattr(log, "_logger", None)
    return behind.lines if isinstance(behind, _StreamLogger) else None


class _StreamLogger(structlog.WriteLogger):
    """As structlog's; `lines` is where they go."""

    def __init__(self, lines: LogStream) -> None:
        super().__init__(cast(TextIO, lines))
        self.lines = lines


def _told_as_json(lines: int) -> str:
    """In the middle of writing, so by nobody's logger."""
    told = {"event": "log_lines_lost", "lines": lines, "level": "error", "timestamp": _now()}
    return json.dumps(told)


def _told_in_words(lines: int) -> str:
    return f"{_now()} [error] log_lines_lost: {lines} lines of this log could not be written before this one"


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


class _Handler(logging.Handler):
    def __init__(self, log: Logger) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        method = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        method("library", logger=record.name, message=record.getMessage(), exc_info=record.exc_info)


def _processors(*, console: bool, colours: bool) -> list[Processor]:
    shared: list[Processor] = [
        _bound,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if console:
        # What a traceback quotes is scrubbed too.
        renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=_traceback)
        return [*shared, redact, _visible, renderer, _scrubbed]
    return [*shared, structlog.processors.format_exc_info, _as_json]


def _visible(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """For a terminal: what a client wrote must not move the cursor there, ring the bell or turn the line round."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in event.items()}


def _traceback(stream: TextIO, exc_info: Any) -> None:
    """The plain one, because a prettier one prints local variables."""
    plain = io.StringIO()
    structlog.dev.plain_traceback(plain, exc_info)
    stream.write("\n".join(map(visible, plain.getvalue().split("\n"))))


def visible(text: str) -> str:
    """The text with an escape in place of everything that is not seen as itself, the end of a line included."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _scrubbed(_logger: object, _method: str, line: Any) -> str:
    return scrub(line)


def _bound(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {**_BOUND.get(), **event}


def _as_json(logger: object, method: str, event: MutableMapping[str, Any]) -> str:
    """One line. Nearly every line is of plain values without anything to hide, which is found out in one look."""
    if _are_plain(event.values()) and not any(map(is_secret, event)):
        with suppress(UnicodeEncodeError, OverflowError):
            line = msgspec.json.encode(event)
            if line.isascii():  # what a client wrote must not move a cursor there where somebody looks at the file
                text = line.decode("ascii")
                if not is_suspicious(text):
                    return text
    # repr for what JSON has not: a line is never lost because of what was put into it.
    return json.dumps(redact(logger, method, event), default=lambda odd: scrub(repr(odd)))


def _are_plain(values: Iterable[object]) -> bool:
    return _PLAIN.issuperset(map(type, values)) and all(math.isfinite(each) for each in values if type(each) is float)
