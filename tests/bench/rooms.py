"""To which room of the server, or to which library, a frame of a stack belongs."""

from __future__ import annotations

import re

#: The first that matches a frame's file decides; the order is from special to general.
ROOMS: tuple[tuple[str, str], ...] = (
    (r"/bench/sampler", "garbage collector"),
    (r"/scoreboard/(api|door|live|stores|security|observe|server)\b", r"scoreboard.\1"),
    (r"/actors/(runtime|user|ledger|leaderboard|connection)/", r"actors.\1"),
    (r"/actors/ports", "actors.ports"),
    (r"/(hypercorn|h11|quart_trio|quart|werkzeug|structlog|prometheus_client|jwt|msgspec)/", r"\1"),
    (r"/(cryptography|asyncpg|redis|trio_asyncio|trio_websocket|wsproto|sortedcontainers|outcome|sniffio)/", r"\1"),
    (r"/trio/(_core/_generated_run|_core/_run|_core/_io_epoll|_core/_traps|_core/_asyncgens|_core/_parking_lot)", "trio"),
    (r"/trio/", "trio"),
    (r"/asyncio/|/selectors\.py", "asyncio"),
    (r"/json/", "json (stdlib)"),
    (r"/site-packages/(\w+)", r"\1"),
)
_COMPILED = tuple((re.compile(pattern), name) for pattern, name in ROOMS)
#: Helpers whose time belongs to whoever called them.
_TRANSPARENT = re.compile(r"/(contextlib|contextvars|functools|enum|typing|re/|collections|abc|dataclasses|uuid|secrets|hmac|random|urllib/|encodings|datetime|math|heapq|weakref|base64|hashlib|copy|types|ipaddress|codecs|string|inspect|warnings|threading|queue|logging)")


def room_of(file: str) -> str | None:
    """The room of one frame; None for helpers of the standard library, whose caller decides."""
    for pattern, name in _COMPILED:
        if match := pattern.search(file):
            return match.expand(name)
    return None


def room_of_stack(files: list[str]) -> str:
    """The room of a stack, outermost frame first: that of the innermost frame that has one."""
    for file in reversed(files):
        if (room := room_of(file)) is not None:
            return room
    return "python"
