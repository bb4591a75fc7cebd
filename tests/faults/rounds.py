"""One round: a load, what goes wrong meanwhile, quiet, and what came of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from random import Random

import trio

from tests.faults.archives import KINDS as PERIODS
from tests.faults.archives import rows_in, told_by, wrong_archives
from tests.faults.asking import ANSWER_S
from tests.faults.checker import Finding, Truth, false_screens, findings_of, unlike_all
from tests.faults.guests import Warden, wrong_guests
from tests.faults.journal import Operation, Shown
from tests.faults.latecomers import Latecomer
from tests.faults.leavers import NOT_KNOWN, seen_again, wrong_leavers
from tests.faults.line import Cut, Line
from tests.faults.load import Load
from tests.faults.nemesis import Step, strike
from tests.faults.purging import DOUBT_S, purged_in_round, too_early
from tests.faults.stage import KINDS, WORKERS, Stage
from tests.faults.truth import BOARD_OF, PERIOD_OF, period_at, truth_of
from tests.faults.writers import BatchWriter, RestWriter, SocketWriter, Writer

#: So long after the last fault everything must have been answered, and be shown.
ANSWERED_WITHIN_S, LEVEL_WITHIN_S = 60.0, 30.0
#: A board looks at the clock so often at least, if nothing happens; within so many seconds all are held to be right.
CLOCK_LOOK_S, HELD_S = 30.0, 1000.0
#: A page of the archive may be so old, and a little more.
ARCHIVE_WITHIN_S = 20.0
SETTLED_S = 2.0
#: So many of those who were erased are tried again.
LAST_GONE = 3
#: Clocks that were wrong are put right so long after the beginning of the next round.
PUT_RIGHT_AFTER_S = 0.7


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one round. `level_s`: from the end of the last fault until all boards and screens were true.

    `archived`: so many periods of all workers' archives were compared. `purged`: so many keys and spent tokens went.
    """

    steps: tuple[Step, ...]
    operations: tuple[Operation, ...]
    findings: tuple[Finding, ...]
    level_s: float
    sent_again: int
    lost_connections: int
    archived: int = 0
    purged: int = 0

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
    stage.remember_now()
    long_gone = frozenset(each.player.user_id for each in stage.leavers if each.is_gone)
    load = stage.load = Load(stage.server.port, stage.journal, rng, stage.clock)
    stuck = await _load_and_strike(stage, load, steps, length_s)
    began = trio.current_time()
    findings = [*stuck, *(Finding("odd", what) for what in stage.journal.odd)]
    stage.journal.odd.clear()
    findings += await _unlevel(stage)
    level_s = trio.current_time() - began + load_s(load)
    truth = await _truth(stage)
    findings += findings_of(stage.journal.operations, truth)
    findings += false_screens(stage.journal.screens, truth)
    archived, wrong = await _archives(stage, truth)
    findings += wrong
    findings += await wrong_guests(stage.guests, stage.postgres)
    findings += [*await wrong_leavers(stage.leavers, stage.postgres), *seen_again(stage.journal.screens, long_gone)]
    purged = await purged_in_round(stage.postgres)
    findings += too_early(purged, stage.clock.true_s())
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
        archived,
        sum(each.rows for each in purged),
    )


async def settled(stage: Stage, rng: Random) -> Outcome:
    """A round without faults, with right clocks, until everything that is over must be in the archive."""
    outcome = await played(stage, [], rng, SETTLED_S)
    if stage.clock.was_set:
        stage.remember_now()
        await trio.sleep(stage.archive_patience_s + 1)
    stage.remember_now()
    archived, late = await _archives(stage, await _truth(stage))
    return replace(outcome, findings=(*outcome.findings, *late), archived=archived)


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
            if stage.clock.wrong_s:
                nursery.start_soon(_put_clocks_right, stage)
            await strike(stage, steps)
            await trio.sleep_until(began + length_s)
            load.enough = True
            if load.at_end is not None:
                await load.at_end()
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
        Latecomer(stage.players, stage.service, load),
        *([Warden(stage.warden, stage.guests, load)] if stage.warden else []),
    ]


async def _put_clocks_right(stage: Stage) -> None:
    await trio.sleep(PUT_RIGHT_AFTER_S)
    stage.clock.put_right()
    stage.journal.note("clocks put right")


async def _truth(stage: Stage) -> Truth:
    return await truth_of(stage.postgres, stage.periods, int(stage.clock.now_s() * 1_000_000))


async def _unlevel(stage: Stage) -> list[Finding]:
    """Wait until all workers and all screens show the truth; what does not within the time for it."""
    findings: list[Finding] = [Finding("stale", "nothing was seen")]
    with trio.move_on_after(LEVEL_WITHIN_S + CLOCK_LOOK_S * stage.clock.was_set):
        await stage.ready()
        while findings:
            truth = await _truth(stage)  # the last answers may be a moment older than the last commit
            findings = [*await _unlike_workers(stage, truth), *_unlike_screens(stage, truth)]
            if findings:
                await trio.sleep(0.1)
    return findings


def _boards(stage: Stage, truth: Truth, channel: str, *numbers: int) -> list[tuple[Shown, ...]]:
    """What these workers may show: of periods what their clocks show, or one that is ahead but held to be right."""
    if channel not in PERIOD_OF:
        return [truth.boards[channel]]
    kind = PERIOD_OF[channel]
    ahead_s = (0.0, HELD_S) if stage.clock.was_set else (0.0,)
    moments_s = [stage.clock.now_s(number) + more_s for number in numbers for more_s in ahead_s]
    return [period_at(truth, stage.periods, kind, int(moment_s * 1_000_000)) for moment_s in moments_s]


async def _unlike_workers(stage: Stage, truth: Truth) -> list[Finding]:
    found = []
    for number in range(1, WORKERS + 1):
        try:
            line = await stage.line_to(number)
            for channel, asked in BOARD_OF.items():
                rows = rows_in((await line.ask("GET", f"/api/v1/leaderboard/top?limit=100{asked}")).json()["data"])
                found.append(unlike_all(f"worker {number}'s {channel}", rows, _boards(stage, truth, channel, number)))
            found += await _known_by(line, stage, number)
            line.hang_up()
        except (Cut, KeyError) as error:
            found.append(Finding("stale", f"worker {number} does not show its board: {error!r}"))
    return [finding for finding in found if finding is not None]


async def _known_by(line: Line, stage: Stage, number: int) -> list[Finding]:
    """Of those who were erased last, whoever is still signed in at this worker. Raises Cut."""
    found: list[Finding] = []
    for leaver in [each for each in stage.leavers if each.is_gone][-LAST_GONE:]:
        known = {"Authorization": f"Bearer {leaver.player.token}"}
        answer = await line.ask("POST", "/api/actions/token", within_s=ANSWER_S, **known)
        if answer.status not in NOT_KNOWN:
            found.append(Finding("erased", f"{leaver.player.name} was erased; worker {number} answers {answer}"))
    return found


def _unlike_screens(stage: Stage, truth: Truth) -> list[Finding]:
    numbers = range(1, WORKERS + 1)
    boards = {channel: _boards(stage, truth, channel, *numbers) for channel in BOARD_OF}
    found = [
        unlike_all(f"{spectator.name}'s {channel}", board.rows, boards[channel])
        for spectator in stage.spectators
        for channel, board in spectator.boards.items()
    ]
    return [finding for finding in found if finding is not None]


async def _archives(stage: Stage, truth: Truth) -> tuple[int, list[Finding]]:
    """All days, weeks and months that are over, by both workers: how many there were, and what was wrong in the end."""
    count, findings = 0, [Finding("archive", "none was read")]
    with trio.move_on_after(ARCHIVE_WITHIN_S):
        while True:
            told = [await _archives_of(stage, truth, number) for number in range(1, WORKERS + 1)]
            count, findings = sum(one for one, _ in told), [finding for _, wrong in told for finding in wrong]
            if not findings:
                break
            await trio.sleep(0.5)
    return count, findings


async def _archives_of(stage: Stage, truth: Truth, number: int) -> tuple[int, list[Finding]]:
    count, name = 0, f"worker {number}'s archive"
    found: list[Finding] = []
    try:
        line = await stage.line_to(number)
        for kind in PERIODS:
            told = await told_by(line, kind)
            count += len(told)
            over_us, hidden = stage.archived_before_us(), _hidden(stage, truth)
            found += wrong_archives(name, kind, told, truth.ledger, stage.periods, over_us, hidden)
        line.hang_up()
    except (Cut, KeyError) as error:
        found.append(Finding("archive", f"{name} is not shown: {error!r}"))
    return count, found


def _hidden(stage: Stage, truth: Truth) -> dict[str, float]:
    """Since when, in microseconds. Where clocks were wrong, a period may have been closed a day too early."""
    early_s = DOUBT_S if stage.clock.was_set else 0
    told = {each.player.user_id: (each.gone_s + early_s) * 1_000_000 for each in stage.leavers}
    return {user_id: told.get(user_id, math.inf) for user_id in truth.hidden}
