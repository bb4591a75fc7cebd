"""Defects that are put into the product here, one by one. A simulation that finds none of them proves nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from actors.connection.screen import Screen
from actors.leaderboard import window
from actors.leaderboard.events import BoardDiff, BoardFull, Channel
from actors.leaderboard.gains import Gain, Judgement, judged
from actors.leaderboard.messages import RankMove, Update
from actors.leaderboard.ranking import Ranking
from actors.leaderboard.rereading import Rereading
from actors.leaderboard.roster import Roster
from actors.leaderboard.showing import Showing
from actors.ledger.actor import LedgerActor
from actors.ledger.follower import FollowerActor
from actors.ledger.known import KnownBatches
from actors.ledger.messages import Receipt
from actors.ledger.round import Round
from actors.ledger.seconds import Seconds
from actors.ports import (
    CommitOutcome,
    KeyLookup,
    LoggedFacts,
    Members,
    ScoreFact,
    ScoreStore,
    ScoreWrite,
    Span,
    StoreError,
    UserId,
)
from actors.runtime import Request
from tests.fakes import FakeScoreStore
from tests.simulation.laws import Broken
from tests.simulation.simulation import simulate

#: A defect must be found by one of so many seeds.
WITHIN = 40

Plant = Callable[[pytest.MonkeyPatch], None]


def counts_a_retry_again(patch: pytest.MonkeyPatch) -> None:
    """The store does not know an operation or a key that it has committed."""

    def forgetful(store: FakeScoreStore, write: ScoreWrite) -> CommitOutcome | None:
        return None

    patch.setattr(FakeScoreStore, "_judge", forgetful)


def skips_gaps(patch: pytest.MonkeyPatch) -> None:
    """The follower takes what it has not heard for heard."""

    def nothing(known: KnownBatches, newest: Mapping[Any, int]) -> dict[Any, Any]:
        return {}

    patch.setattr(KnownBatches, "missing", nothing)


def ignores_versions(patch: pytest.MonkeyPatch) -> None:
    """The board takes in whatever comes last."""

    def latest(ranking: Ranking, fact: ScoreFact) -> RankMove:
        return ranking.put(fact)

    patch.setattr(Ranking, "apply", latest)


def answers_before_the_commit(patch: pytest.MonkeyPatch) -> None:
    """What the store did not confirm is told as done."""

    def accept(ledger: LedgerActor, request: Request | None, error: StoreError) -> None:
        if request is not None and hasattr(request.message, "write"):
            write = request.message.write
            request.answer(Receipt(ScoreFact(write.user_id, "", 1, 1, 0), 1, 1, 1, repeated=False))

    patch.setattr(LedgerActor, "_refuse", accept)


def leaves_removed_rows(patch: pytest.MonkeyPatch) -> None:
    """A difference does not say who has gone."""
    true = window._diff

    def diff(old: BoardFull, new: BoardFull) -> BoardDiff:
        found = true(old, new)
        return BoardDiff(
            *(found.channel, found.epoch, found.from_version, found.to_version, found.changes),
            *((), found.total, found.check, found.at_us),
        )

    patch.setattr(window, "_diff", diff)


def forgets_doubts(patch: pytest.MonkeyPatch) -> None:
    """The ledger does not ask again what may or may not stand."""

    def nothing(ledger: LedgerActor, begun: Round) -> None:
        return

    patch.setattr(LedgerActor, "_doubt", nothing)


def forgets_what_a_crash_lost(patch: pytest.MonkeyPatch) -> None:
    """The next life of the ledger has no board read again."""

    async def nothing(ledger: LedgerActor) -> None:
        return

    patch.setattr(LedgerActor, "started", nothing)


def shows_the_hidden(patch: pytest.MonkeyPatch) -> None:
    """A board does not hear that somebody was hidden."""
    true = Ranking.put

    def shown(ranking: Ranking, fact: ScoreFact) -> RankMove:
        return true(ranking, fact._replace(hidden=False))

    patch.setattr(Ranking, "put", shown)


def believes_what_it_doubts(patch: pytest.MonkeyPatch) -> None:
    """A board of a period asks for those in doubt, and does not listen."""

    def deaf(roster: Roster, asked: Collection[UserId], found: Members) -> None:
        roster.doubts.difference_update(asked)

    patch.setattr(Roster, "settle", deaf)


def does_not_renew(patch: pytest.MonkeyPatch) -> None:
    """The follower passes over changes of players."""

    async def nothing(follower: FollowerActor, sight: object) -> None:
        return

    patch.setattr(FollowerActor, "_renew", nothing)


def tells_ranks_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """Whoever comes second with a key does not wait for the first answer."""

    def answer(seconds: Seconds, request: Request, lookup: KeyLookup, receipt: Receipt, *, recorded: bool) -> None:
        request.answer(receipt)

    patch.setattr(Seconds, "wait", answer)


def believes_what_is_lost(patch: pytest.MonkeyPatch) -> None:
    """The follower takes in entries of a history that the store does not have any more."""

    def everything(follower: FollowerActor, entry: LoggedFacts) -> bool:
        return True

    patch.setattr(FollowerActor, "_believes", everything)


def builds_nothing_anew(patch: pytest.MonkeyPatch) -> None:
    """Where the store goes on with another history the follower begins anew, and boards do not."""

    def nothing(follower: FollowerActor) -> None:
        return

    patch.setattr(FollowerActor, "_build_anew", nothing)


def publishes_once(patch: pytest.MonkeyPatch) -> None:
    """Boards are asked in vain for what can be read without asking: it stays what it was at first."""
    publish = Showing.publish

    def once(showing: Showing) -> None:
        if showing._world.published.current(showing._board) is None:
            publish(showing)

    patch.setattr(Showing, "publish", once)


def believes_the_first(patch: pytest.MonkeyPatch) -> None:
    """Who comes to a board of a period has gained nothing in it before."""

    def believing(known: Gain | None, fact: ScoreFact, span: Span) -> Judgement:
        judgement = judged(known, fact, span)
        return judgement if known is not None else judgement._replace(doubtful=False)

    patch.setattr("actors.leaderboard.roster.judged", believing)


def stops_at_the_first_page(patch: pytest.MonkeyPatch) -> None:
    """A board that reads all players again takes the first page for all."""
    read = Rereading.page

    async def one(reading: Rereading, store: ScoreStore) -> list[ScoreFact]:
        facts = await read(reading, store)
        reading.due = math.inf
        return facts

    patch.setattr(Rereading, "page", one)


def forgets_the_rest(patch: pytest.MonkeyPatch) -> None:
    """Who took the beginning of a step while it sat in a lane never gets the end."""
    true = Screen.fell_out

    def fell_out(screen: Screen, channel: Channel, shown: Update, rest: bytes) -> None:
        true(screen, channel, shown, b"")

    patch.setattr(Screen, "fell_out", fell_out)


#: Each with the kind of harm that shows it, where that is rare.
PLANTS: Mapping[Plant, tuple[str, ...] | None] = {
    counts_a_retry_again: None,
    skips_gaps: None,
    ignores_versions: None,
    answers_before_the_commit: None,
    leaves_removed_rows: None,
    forgets_doubts: ("lossy",),
    forgets_what_a_crash_lost: ("breakage",),
    shows_the_hidden: None,
    believes_what_it_doubts: None,
    does_not_renew: None,
    tells_ranks_of_its_own: None,
    believes_what_is_lost: ("failover", "failover", "mangle", "kill", "stop", "pause"),
    builds_nothing_anew: ("failover", "failover", "kill"),
    publishes_once: None,
    believes_the_first: ("mangle", "cut", "redis"),
    stops_at_the_first_page: ("failover", "failover", "kill"),
    forgets_the_rest: ("screens",),
}

#: Where many have to watch.
CROWDED = {forgets_the_rest}

#: Where to begin with what one history in ten shows, or in thirty.
FIRST: Mapping[Plant, int] = {
    forgets_what_a_crash_lost: 40,
    skips_gaps: 10,
    ignores_versions: 15,
    believes_what_it_doubts: 10,
    believes_what_is_lost: 310_020,
    believes_the_first: 175,
    forgets_the_rest: 7,
}


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """By some law, within a few seeds."""
    plant(monkeypatch)
    with pytest.raises(Broken) as found:
        for seed in range(FIRST.get(plant, 0), FIRST.get(plant, 0) + WITHIN):
            simulate(seed, kinds=PLANTS[plant], habits=("crowds", "busy") if plant in CROWDED else ())
    assert any("replay" in note for note in found.value.__notes__)
