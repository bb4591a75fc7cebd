"""One round: a load, what goes wrong meanwhile, quiet, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import trio

from tests.faults.checker import Finding, Truth, false_screens, findings_of, unlike
from tests.faults.journal import Operation, Shown
from tests.faults.line import Cut
from tests.faults.nemesis import Step, strike
from tests.faults.stage import KINDS, WORKERS, Stage
from tests.faults.truth import BOARD_OF, DAILY, period_board, truth_of
from tests.faults.writers import BatchWriter, Load, RestWriter, SocketWriter, Writer

#: So long after the last fault everything must have been answered, and be shown.
ANSWERED_WITHIN_S, LEVEL_WITHIN_S = 60.0, 30.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one round. `level_s`: from the end of the last fault until all boards and screens were true."""

    steps: tuple[Step, ...]
    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...]
    level_s: float
    sent_again: int
    lost_connections: int

    @property
    def unknown(self) -> int:
        """Operations of which the client does not know what became of them."""
        return sum(operation.is_unknown for operation in self.operations)

    @property
    def refused(self) -> int:
        """Operations that were refused for good."""
        return sum(operation.refused is not None for operation in self.operations)

    def count(self, kind: str) -> int:
        """Findings of that kind."""
        return sum(finding.kind == kind for finding in self.findings)


async def played(stage: Stage, steps: list[Step], rng: Random, length_s: float) -> Outcome:
    """Play one round of that length, of which the faults are `steps`; everything is well before and after."""
    first, counts = len(stage.journal.operations), dict(stage.journal.counts)
    stage.journal.note("round", steps=[str(step) for step in steps])
    load = Load(stage.server.port, stage.journal, rng)
    stuck = await _load_and_strike(stage, load, steps, length_s)
    began = trio.current_time()
    findings = [*stuck, *(Finding("odd", what) for what in stage.journal.odd)]
    stage.journal.odd.clear()
    truth = await _truth(stage)
    findings += await _unlevel(stage, truth)
    level_s = trio.current_time() - began + load_s(load)
    truth = await _truth(stage)
    findings += findings_of(stage.journal.operations, truth)
    findings += false_screens(stage.journal.screens, truth)
    findings += await _of_archive(stage, truth)
    stage.journal.forget_screens([])
    for finding in findings:
        stage.journal.note("finding", kind=finding.kind, what=finding.what)
    stage.journal.flush()
    return Outcome(
        tuple(steps),
        tuple(stage.journal.operations[first:]),
        tuple(findings),
        level_s,
        stage.journal.counts["sent again"] - counts["sent again"],
        stage.journal.counts["connections lost"] - counts["connections lost"],
    )


def load_s(load: Load) -> float:
    """For how long after the last fault something was still open."""
    return load.ended_at - load.healed_at


async def _load_and_strike(stage: Stage, load: Load, steps: list[Step], length_s: float) -> list[Finding]:
    writers = _writers(stage, load)
    going = len(writers)

    async def play(writer: Writer) -> None:
        nonlocal going
        await writer.play()
        going -= 1

    with trio.move_on_after(length_s + ANSWERED_WITHIN_S + 60) as patience:
        async with trio.open_nursery() as nursery:
            for writer in writers:
                nursery.start_soon(play, writer)
            began = trio.current_time()
            await strike(stage, steps)
            await trio.sleep_until(began + length_s)
            load.enough = True
            load.healed_at = trio.current_time()
            patience.deadline = load.healed_at + ANSWERED_WITHIN_S
    load.ended_at = trio.current_time()
    if patience.cancelled_caught:
        return [Finding("stuck", f"{going} writers were not answered within {ANSWERED_WITHIN_S:g} s")]
    return []


def _writers(stage: Stage, load: Load) -> list[Writer]:
    half = len(stage.players) // 2
    return [
        *(RestWriter(player, load) for player in stage.players[:half]),
        *(SocketWriter(player, load) for player in stage.players[half:]),
        BatchWriter(stage.service, stage.players, KINDS, load),
    ]


async def _truth(stage: Stage) -> Truth:
    return await truth_of(stage.postgres, stage.day_ends_s * 1_000_000, time.time_ns() // 1000)


async def _unlevel(stage: Stage, truth: Truth) -> list[Finding]:
    """Wait until all workers and all screens show the truth; what does not within the time for it."""
    findings: list[Finding] = [Finding("stale", "nothing was seen")]
    with trio.move_on_after(LEVEL_WITHIN_S):
        await stage.ready()
        while findings:
            truth = await _truth(stage)  # the last answers may be a moment older than the last commit
            findings = [*await _unlike_workers(stage, truth), *_unlike_screens(stage, truth)]
            if findings:
                await trio.sleep(0.1)
    return findings


async def _unlike_workers(stage: Stage, truth: Truth) -> list[Finding]:
    found = []
    for number in range(1, WORKERS + 1):
        try:
            line = await stage.line_to(number)
            for channel, asked in BOARD_OF.items():
                rows = _rows((await line.ask("GET", f"/api/v1/leaderboard/top?limit=100{asked}")).json())
                found.append(unlike(f"worker {number}'s {channel}", rows, truth.boards[channel]))
            line.hang_up()
        except (Cut, KeyError) as error:
            found.append(Finding("stale", f"worker {number} does not show its board: {error!r}"))
    return [finding for finding in found if finding is not None]


def _rows(body: dict[str, dict[str, list[dict[str, object]]]]) -> list[Shown]:
    return [
        Shown(int(str(row["rank"])), str(row["userId"]), int(str(row["score"]))) for row in body["data"]["leaderboard"]
    ]


def _unlike_screens(stage: Stage, truth: Truth) -> list[Finding]:
    found = [
        unlike(f"{spectator.name}'s {channel}", board.rows, truth.boards[channel])
        for spectator in stage.spectators
        for channel, board in spectator.boards.items()
    ]
    return [finding for finding in found if finding is not None]


async def _of_archive(stage: Stage, truth: Truth) -> list[Finding]:
    """The day that is over, if one is, by both workers."""
    [first, _] = truth.spans[DAILY]
    if time.time() < stage.day_ends_s + 10:  # a page may be five seconds old
        return []
    true = period_board(truth.ledger, first)
    found: list[Finding] = []
    for number in range(1, WORKERS + 1):
        try:
            found += await _archived(stage, number, true)
        except (Cut, KeyError) as error:
            found.append(Finding("archive", f"worker {number} does not show it: {error!r}"))
    return found


async def _archived(stage: Stage, number: int, true: Sequence[Shown]) -> list[Finding]:
    line = await stage.line_to(number)
    path = "/api/v1/leaderboard/archive?period=DAILY&limit=100"
    periods = (await line.ask("GET", path)).json()["data"]["periods"]
    if len(periods) != bool(true):
        return [Finding("archive", f"worker {number} has {len(periods)} days: {periods}")]
    found = [
        unlike(
            f"worker {number}'s archive", _rows((await line.ask("GET", f"{path}&label={each['label']}")).json()), true
        )
        for each in periods
    ]
    line.hang_up()
    return [Finding("archive", finding.what) for finding in found if finding is not None]
