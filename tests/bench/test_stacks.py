"""Processor time is given to the room that spent it."""

from __future__ import annotations

import pytest

from tests.bench.stacks import NOBODY, Stack, inclusive, room_of, stages

LOOP = "/lib/site-packages/trio/_core/_run.py:unrolled_run:1"
API = "/srv/scoreboard/api/scores.py:increment:2"
SCOPE = "/lib/site-packages/trio/_core/_run.py:CancelScope.__enter__:3"
HELPER = "/usr/lib/python3.11/contextlib.py:__enter__:4"
MAIN = "/srv/scoreboard/server/compose.py:serve:5"
STACKS = [
    Stack((MAIN, LOOP, API), 400),
    Stack((MAIN, LOOP, API, HELPER), 100),
    Stack((MAIN, LOOP, API, SCOPE), 300),
    Stack((MAIN, LOOP), 200),
]


def test_time_in_trio_is_also_told_with_the_room_that_called_it() -> None:
    """Once as its own, once with its caller; the loop itself works for nobody."""
    found = {stage.room: (stage.own_us, stage.served_us) for stage in stages(STACKS, 1000.0)}
    assert {"scoreboard.api": (500.0, 800.0), "trio": (500.0, 0.0), NOBODY: (0.0, 200.0)} == found


@pytest.mark.parametrize(
    ("file", "room"),
    [
        ("/lib/python3.11/site-packages/hypercorn/trio/tcp_server.py", "hypercorn"),
        ("/lib/python3.11/site-packages/redis/asyncio/client.py", "redis"),
        ("/lib/python3.11/site-packages/trio/_core/_run.py", "trio"),
        ("/usr/lib/python3.11/asyncio/events.py", "asyncio (standard library)"),
        ("/srv/scoreboard/live/stream.py", "scoreboard.live"),
        ("/srv/actors/user/actor.py", "actors.user"),
        ("/srv/actors/fraud/judge.py", "actors.fraud"),
        ("/srv/actors/limits/windows.py", "actors.limits"),
        ("/srv/scoreboard/wire/source.py", "scoreboard.wire"),
        ("/usr/lib/python3.11/contextlib.py", None),
    ],
)
def test_a_library_keeps_its_name_whatever_its_folders_are_called(file: str, room: str | None) -> None:
    """Hypercorn's folder for Trio is Hypercorn's. Helpers of the standard library belong to their caller."""
    assert room == room_of(f"{file}:function:1")


def test_stages_add_up_to_the_unit_of_work() -> None:
    """In either column, whatever the samples weigh."""
    found = stages(STACKS, 50.0)
    assert (50.0, 50.0) == (sum(stage.own_us for stage in found), sum(stage.served_us for stage in found))


def test_a_function_counts_once_in_its_stack_however_often_it_is_there() -> None:
    """Recursion does not multiply time."""
    assert [("api/scores.py:increment", 10.0)] == inclusive([Stack((LOOP, API, API), 7)], 10.0)
