"""The plain ledger in memory and the set-based one in SQL, side by side on histories that nobody would think of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import count

import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from actors.ports import (
    AnswerRecord,
    CommitOutcome,
    Committed,
    OperationId,
    Repeated,
    ScoreFact,
    ScoreWrite,
    UserId,
)
from tests.contract.making import World, fake_backend, real_backend, token_hash, uuid_of, write
from tests.stores_fixtures import StoreServers

pytestmark = pytest.mark.stores
_histories = count(1)

Picks = tuple[int, int, int, int | None, int]
Batch = tuple[list[Picks], list[tuple[int, int, int | None, int | None]]]

small = st.integers(0, 3)
picks = st.tuples(small, st.integers(0, 5), st.integers(0, 5), st.none() | small, st.integers(0, 1))
ranks = st.none() | st.integers(1, 9)
batches = st.tuples(st.lists(picks, max_size=8), st.lists(st.tuples(small, small, ranks, ranks), max_size=2))


def played(history: int, players: Sequence[UserId], pick: Picks) -> ScoreWrite:
    """A write of few players, operations, tokens, keys and requests, so that they meet often. Player 3 is unknown."""
    player, operation, token, key, request = pick
    made = write([*players, UserId(uuid_of(0))][player], None if key is None else f"key {key}", points=operation + 1)
    return made._replace(
        operation_id=OperationId(uuid_of(history * 1000 + operation * 10 + token)),
        token_hash=token_hash(history * 1000 + token),
        request_hash=bytes([request]),
    )


def plain(outcome: CommitOutcome, names: dict[UserId, int]) -> object:
    """The outcome without its moment and with the player's number, since both differ between the two."""

    def told(fact: ScoreFact) -> tuple[int, str, int, int]:
        return names[fact.user_id], fact.username, fact.score, fact.version

    if isinstance(outcome, Committed):
        return "committed", told(outcome.fact), outcome.points, outcome.again
    if isinstance(outcome, Repeated):
        return "repeated", told(outcome.fact), outcome.points, outcome.previous_rank, outcome.new_rank
    return outcome


async def lived(world: World, history: int, batches: list[Batch]) -> list[object]:
    """All that a history tells. The third of its players is banned after the first batch."""
    players = [await world.player(f"{history}-{number}") for number in range(3)]
    names = {player: number for number, player in enumerate(players)}
    heard: list[object] = []
    for number, (writes, answers) in enumerate(batches):
        records = [AnswerRecord(([*players, UserId("x")])[who], f"key {key}", *told) for who, key, *told in answers]
        outcomes = await world.scores.commit([played(history, players, pick) for pick in writes], records)
        heard.append([plain(outcome, names) for outcome in outcomes])
        if number == 0:
            await world.ban(players[2])
    totals = await world.scores.members_after(None, 1_000_000)
    heard.append(sorted((names[fact.user_id], fact.score, fact.version) for fact in totals if fact.user_id in names))
    return heard


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(batches, min_size=1, max_size=5))
def test_both_ledgers_tell_the_same_of_every_history(
    store_servers: StoreServers, postgres_url: str, redis_url: str, history: list[Batch]
) -> None:
    """Outcome for outcome, total for total."""

    async def both() -> None:
        number = next(_histories)
        async with fake_backend().open() as fake, real_backend(postgres_url, redis_url).open() as real:
            assert await lived(fake, number, history) == await lived(real, number, history)

    trio.run(partial(both))
