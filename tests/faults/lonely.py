"""A worker that has lost its way to Postgres, while the other one serves: it says so, and shows what it has."""

from __future__ import annotations

from contextlib import suppress

import psutil
import trio

from tests.faults.journal import Told
from tests.faults.line import Cut, Line
from tests.faults.stage import Stage

#: Whoever asks such a worker is answered within this, whatever else the machine does; who answers nobody is stuck.
ANSWERED_WITHIN_S, FOUND_WITHIN_S = 8.0, 30.0
EXPECTED = {"/health": {200}, "/ready": {503}, "/api/v1/leaderboard/top?limit=100": {200}}
#: Of a score: not now; or not with this session, if clocks differ.
NOT_NOW = {503, 401}


async def look_at_lonely(stage: Stage, number: int) -> None:
    """Wonders in the journal about what it should not do. What is asked of it is an operation like any other."""
    process = _awake(stage, number)
    line: Line | None = None
    why = "was not found"
    with trio.move_on_after(FOUND_WITHIN_S):
        line = await stage.line_to(number)
        try:
            why = await _look(stage, line)
        except Cut as error:
            why = f"did not answer: {error}"
    if line is not None:
        line.hang_up()
    stage.journal.note("cut off, it was asked", worker=number, why=why)
    if why and stage.to_postgres.sets_aside and process is not None and _awake(stage, number) == process:
        stage.journal.wonder(f"worker {number}, cut off from Postgres, {why}")


def _awake(stage: Stage, number: int) -> int | None:
    """Its process, unless it is gone or stopped."""
    pid = stage.worker_pids().get(number)
    with suppress(psutil.Error):
        if pid is not None and psutil.Process(pid).status() != psutil.STATUS_STOPPED:
            return pid
    return None


async def _look(stage: Stage, line: Line) -> str:
    """What is wrong, in words; nothing if that is empty. Raises Cut."""
    for path, expected in EXPECTED.items():
        answer = await line.ask("GET", path, within_s=ANSWERED_WITHIN_S)
        if answer.status not in expected:
            return f"answers {answer} to GET {path}"
    status = await _scored(stage, line)
    return "" if status in NOT_NOW else f"answers {status} to a score"


async def _scored(stage: Stage, line: Line) -> int:
    """How it answers to a score, or to the wish for a token."""
    player = stage.players[0]
    known = {"Authorization": f"Bearer {player.token}"}
    granted = await line.ask("POST", "/api/actions/token", within_s=ANSWERED_WITHIN_S, **known)
    if granted.status != 200:
        return granted.status
    key = f"lonely-{stage.rng.randrange(1 << 30)}"
    operation = stage.journal.begin(player.user_id, key, "lonely")
    stage.journal.send(operation)
    wish = {"actionToken": granted.json()["actionToken"]}
    path, headers = "/api/scores/increment", {"Idempotency_Key": key, **known}
    answer = await line.ask("POST", path, wish, within_s=ANSWERED_WITHIN_S, **headers)
    if answer.status == 200:
        told = answer.json()
        stage.journal.tell(operation, Told(told["newScore"], told["previousRank"], told["newRank"], repeated=False))
    return answer.status
