"""Where processor time goes, by room of the server and by library, from folded stacks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_ROOMS_OF_SCOREBOARD = "api|client|door|live|observe|rehearsal|replay|security|server|smoke|stores|watch|wire"
_ROOMS_OF_ACTORS = "actions|announcements|audit|connection|fraud|leaderboard|ledger|limits|ports|runtime|service|user"
#: The first that matches a frame's file decides.
ROOMS = (
    (r"/bench/sampler\.py", "garbage collector"),
    (rf"/scoreboard/({_ROOMS_OF_SCOREBOARD})\b", r"scoreboard.\1"),
    (rf"/actors/({_ROOMS_OF_ACTORS})/", r"actors.\1"),
    (r"/site-packages/(\w+)", r"\1"),
    (r"/python[0-9.]+/(asyncio|json)/", r"\1 (standard library)"),
)
#: What serves everybody: its time is shown as its own, and again with the room for which it worked.
SERVANTS = frozenset({"trio", "outcome", "attr", "sniffio"})
NOBODY = "trio, for no room (scheduler, ends of tasks)"
_TASK_BEGINS = "unrolled_run"
_PATTERNS = tuple((re.compile(pattern), name) for pattern, name in ROOMS)


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames from the outermost inwards, each ``file:function:line``, and the time spent there."""

    frames: tuple[str, ...]
    us: int

    @property
    def task(self) -> tuple[str, ...]:
        """The frames above Trio's loop; all of them outside of it."""
        at = max((index for index, frame in enumerate(self.frames) if _TASK_BEGINS in frame), default=-1)
        return self.frames[at + 1 :]


@dataclass(frozen=True, slots=True)
class Stage:
    """A room: its own time, and with that of Trio on its behalf; microseconds a unit of work."""

    room: str
    own_us: float
    served_us: float


def read(path: Path) -> Iterator[Stack]:
    """The stacks of a file that the sampler wrote."""
    for line in path.read_text().splitlines():
        frames, _, us = line.rpartition(" ")
        yield Stack(tuple(frames.split(";")), int(us))


@cache
def room_of(frame: str) -> str | None:
    """The room of one frame; None for helpers of the standard library, whose caller decides."""
    for pattern, name in _PATTERNS:
        if match := pattern.search(frame.partition(":")[0]):
            return match.expand(name)
    return None


def stages(stacks: list[Stack], unit_us: float) -> list[Stage]:
    """All rooms, the dearest first, scaled so that they add up to `unit_us`."""
    own = _weigh(stacks, lambda stack: _innermost(stack.frames) or "python")
    served = _weigh(stacks, lambda stack: _innermost(stack.task, SERVANTS) or NOBODY)
    scale = unit_us / max(sum(own.values()), 1)
    rooms = sorted(own | served, key=lambda room: (-served[room], -own[room]))
    return [Stage(room, own[room] * scale, served[room] * scale) for room in rooms]


def inclusive(stacks: list[Stack], unit_us: float) -> list[tuple[str, float]]:
    """Each function with all that it calls, the dearest first."""
    total: Counter[str] = Counter()
    for stack in stacks:
        for name in {_short(frame) for frame in stack.task}:
            total[name] += stack.us
    scale = unit_us / max(sum(stack.us for stack in stacks), 1)
    return [(name, us * scale) for name, us in total.most_common()]


def _weigh(stacks: list[Stack], name_of: Callable[[Stack], str]) -> Counter[str]:
    weights: Counter[str] = Counter()
    for stack in stacks:
        weights[name_of(stack)] += stack.us
    return weights


def _innermost(frames: tuple[str, ...], but: frozenset[str] = frozenset()) -> str | None:
    rooms = (room_of(frame) for frame in reversed(frames))
    return next((room for room in rooms if room is not None and room not in but), None)


def _short(frame: str) -> str:
    file, function, _ = frame.rsplit(":", 2)
    return f"{'/'.join(file.split('/')[-2:])}:{function}"
