"""What was sealed, and what is found when it is not as it was."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from typing import Any
from uuid import UUID, uuid4

import pytest
import trio

from actors.ports import Committed, UserId
from scoreboard.stores.chains import Chains
from scoreboard.stores.postgres_scores import PostgresScoreStore
from scoreboard.stores.seals import verify
from tests.contract.making import again, uuid_of, write
from tests.stores.vault import Vault

pytestmark = pytest.mark.stores

#: Microseconds; PostgreSQL counts from there. Then the numbers that it has for types.
SINCE_2000 = 946_684_800_000_000
TRUTH, BYTES, NUMBER, TEXT, ADDRESS, TIME, UUID_TYPE = 16, 17, 20, 25, 869, 1184, 2950
INSERT = (
    "INSERT INTO score_updates (user_id, created_at, operation_id, action_type, score_increment, previous_score,"
    " new_score, version) SELECT {}, gen_random_uuid(), 'X', 9, 0, 9, 9"
)
SCORE_COLUMNS = {
    "user_id": "gen_random_uuid()",
    "created_at": "created_at + interval '1 microsecond'",
    "operation_id": "gen_random_uuid()",
    "action_type": "'WIN_GAME'",
    "score_increment": "score_increment + 1",
    "previous_score": "previous_score + 1",
    "new_score": "new_score + 1",
    "version": "version + 1",
    "ip_address": "'198.51.100.1'",
    "user_agent": "'another'",
    "source": "source || '\\x00'",
    "verified": "NOT verified",
    "occurred_at": "occurred_at - interval '1 microsecond'",
    "action_id": "NULL",
}
EVENT_COLUMNS = {
    "event_id": "gen_random_uuid()",
    "happened_at": "happened_at - interval '1 second'",
    "until_at": "until_at + interval '1 second'",
    "times": "times + 1",
    "kind": "'act'",
    "what": "'NOTHING'",
    "done_by": "'nobody'",
    "user_id": "NULL",
    "site": "''",
    "ip_address": "'198.51.100.1'",
    "user_agent": "'another'",
    "why": "NULL",
    "request_id": "'r2'",
    "details": "'{}'",
    "source": "NULL",
}
BATCH_COLUMNS = {
    "sealed_at": "sealed_at + interval '1 microsecond'",
    "previous": "sha256('x')",
    "hash": "sha256('x')",
    "ids": "ids || gen_random_uuid()",
    "moments": "ARRAY[moments[1] + interval '1 microsecond'] || moments[2:]",
    "digests": "digests || '\\x00'",
}
CHAIN_COLUMNS = {
    "kind": "CASE kind WHEN 'scores' THEN 'events' ELSE 'scores' END",
    "seq": "seq + 1",
    "previous": "sha256('x')",
    "hash": "sha256('x')",
}


# --- what holds ---


async def test_what_nobody_changed_is_found_to_be_so(vault: Vault) -> None:
    """Scores and events, by chains of their own."""
    verdict = await verify(vault.stores.database)
    assert [] == verdict.findings
    assert (3, 8, 8, 2, 0) == (
        len(verdict.chains),
        verdict.batches,
        verdict.scores,
        verdict.events,
        verdict.older,
    )
    assert {("scores", 5), ("events", 2), ("unsealed", 1)} == {(end.kind, end.seq) for end in verdict.chains}


async def test_every_way_to_commit_seals_what_it_wrote(vault: Vault) -> None:
    """Known operations and keys, twins in one call, refusals, full totals, whoever is hidden."""
    ann, bob = vault.players
    first, keyed = write(ann), write(bob, "key")
    stranger = write(UserId(uuid_of(4711)))
    await vault.world.stand(bob, quarantined=True)
    for writes in ([first, first, keyed], [again(keyed), write(ann), again(first)], [stranger], [write(bob)] * 3, []):
        await vault.world.scores.commit(writes)
    await vault.world.set_score(ann, 2**53)
    await vault.world.scores.commit([write(ann), write(bob), stranger])
    verdict = await verify(vault.stores.database)
    assert [] == verdict.findings
    assert (8 + 6, 3) == (verdict.scores, verdict.events)


def number(value: int) -> bytes:
    """64 bits, the most significant first."""
    return value.to_bytes(8, "big")


def sent(*columns: tuple[int, bytes | None]) -> bytes:
    """A row as PostgreSQL sends it: how many columns; of each its type, its length, and itself."""
    parts = [len(columns).to_bytes(4, "big")]
    for kind, value in columns:
        parts += [kind.to_bytes(4, "big"), (-1 if value is None else len(value)).to_bytes(4, "big", signed=True)]
        parts.append(value or b"")
    return b"".join(parts)


async def test_the_seals_can_be_computed_by_anybody(vault: Vault) -> None:
    """As it is written down: the digest of each row, the hash of a batch and of the one before."""
    rows = await vault.sql(
        f"SELECT b.chain, b.seq, to_us(b.sealed_at) - {SINCE_2000}, b.previous, b.hash, array_send(b.ids),"
        " array_send(b.moments), b.digests, c.kind"
        " FROM audit_batches b JOIN audit_chains c ON c.chain = b.chain ORDER BY b.chain, b.seq"
    )
    last: dict[UUID, bytes] = {}
    for chain, seq, sealed_us, previous, digest, ids, moments, digests, kind in rows:
        beginning = hashlib.sha256(f"scoreboard {kind} ".encode() + chain.bytes).digest()
        assert previous == last.get(chain, beginning)
        whole = previous + chain.bytes + number(seq) + number(sealed_us) + ids + moments + digests
        assert hashlib.sha256(whole).digest() == digest
        last[chain] = digest
    assert 8 == len(rows)
    [row] = await vault.sql(
        f"SELECT user_id, to_us(created_at) - {SINCE_2000}, operation_id, action_type, score_increment, previous_score,"
        f" new_score, version, source, to_us(occurred_at) - {SINCE_2000}, action_id,"
        " score_digest(s) FROM score_updates s LIMIT 1"
    )
    user_id, created_us, operation, kind, *totals, source, occurred_us, action, digest = row
    columns = [
        (UUID_TYPE, user_id.bytes),
        (TIME, number(created_us)),
        (UUID_TYPE, operation.bytes),
        (TEXT, kind.encode()),
    ]
    columns += [(NUMBER, number(total)) for total in totals]
    columns += [(ADDRESS, None), (TEXT, None), (TRUTH, b"\1"), (TIME, number(occurred_us))]
    columns += [(TEXT, action.encode()), (BYTES, source)]
    assert hashlib.sha256(sent(*columns)).digest()[:16] == digest


# --- what does not ---


@pytest.mark.parametrize("column", SCORE_COLUMNS)
async def test_a_score_that_was_changed_is_named(vault: Vault, column: str) -> None:
    """Whatever of it; a change of its player or its moment is one row too few and one too many."""
    [[user_id, moment_us, created_at]] = await vault.sql(
        "SELECT user_id::text, to_us(created_at), created_at::text FROM score_updates"
        " ORDER BY created_at OFFSET 2 LIMIT 1"
    )
    set_ = f"UPDATE score_updates SET {column} = {SCORE_COLUMNS[column]}"
    await vault.sql(f"{set_} WHERE user_id = '{user_id}' AND created_at = '{created_at}'")
    findings = await vault.found()
    if column in {"user_id", "created_at"}:
        assert {("removed", "score_updates"), ("added", "score_updates")} == await vault.whats()
        findings = [each for each in findings if each.what == "removed"]
    else:
        assert ["changed"] == [each.what for each in findings]
    [finding] = findings
    assert ("score_updates", user_id, moment_us, 3) == (finding.table, finding.id, finding.moment_us, finding.seq)


@pytest.mark.parametrize("column", EVENT_COLUMNS)
async def test_an_event_that_was_changed_is_named(vault: Vault, column: str) -> None:
    """Whatever of it."""
    event = uuid_of(1)
    await vault.sql(f"UPDATE audit_events SET {column} = {EVENT_COLUMNS[column]} WHERE event_id = '{event}'")
    findings = await vault.found()
    assert event in {each.id for each in findings}
    assert {"audit_events"} == {each.table for each in findings}
    moved = column in {"event_id", "happened_at"}
    assert ({"added", "removed"} if moved else {"changed"}) == {each.what for each in findings}


@pytest.mark.parametrize("column", BATCH_COLUMNS)
async def test_a_batch_that_was_changed_is_named(vault: Vault, column: str) -> None:
    """By itself, or by the one that follows."""
    await vault.sql(
        f"UPDATE audit_batches SET {column} = {BATCH_COLUMNS[column]}"
        " WHERE seq = 2 AND chain = (SELECT chain FROM audit_chains WHERE kind = 'scores')"
    )
    findings = await vault.found()
    assert ("changed", 2) in {(each.what, each.seq) for each in findings if each.table is None}


async def test_a_batch_that_was_made_anew_does_not_fit_the_next(vault: Vault) -> None:
    """Whoever changes a score together with its seal must make all that follows anew."""
    [[chain]] = await vault.sql("SELECT chain::text FROM audit_chains WHERE kind = 'scores'")
    third = f"chain = '{chain}' AND seq = 3"
    changed = f"created_at = (SELECT moments[1] FROM audit_batches WHERE {third})"
    await vault.sql(f"UPDATE score_updates SET score_increment = 900 WHERE {changed}")
    digest = f"(SELECT score_digest(s) FROM score_updates s WHERE {changed})"
    await vault.sql(f"UPDATE audit_batches SET digests = {digest} WHERE {third}")
    made_anew = "batch_hash(previous, chain, seq, sealed_at, ids, moments, digests)"
    await vault.sql(f"UPDATE audit_batches SET hash = {made_anew} WHERE {third}")
    assert [("unlinked", 4)] == [(each.what, each.seq) for each in await vault.found()]


@pytest.mark.parametrize("column", CHAIN_COLUMNS)
async def test_a_chain_that_was_changed_is_named(vault: Vault, column: str) -> None:
    """Its end is that of its last batch, and its kind stands in its beginning."""
    [[chain]] = await vault.sql("SELECT chain::text FROM audit_chains WHERE kind = 'scores'")
    await vault.sql(f"UPDATE audit_chains SET {column} = {CHAIN_COLUMNS[column]} WHERE chain = '{chain}'")
    assert chain in {each.chain for each in await vault.found()}


async def test_rows_that_were_removed_or_added_are_named(vault: Vault) -> None:
    """Whoever wrote them; also with their seals."""
    ann = vault.players[0]
    await vault.sql(f"DELETE FROM score_updates WHERE new_score = 1 AND user_id = '{ann}'")
    [removed] = await vault.found()
    assert ("removed", "score_updates", str(ann), 1) == (removed.what, removed.table, removed.id, removed.seq)
    await vault.sql(INSERT.format(f"'{ann}', now()"))
    assert {("removed", "score_updates"), ("added", "score_updates")} == await vault.whats()
    await vault.sql("DELETE FROM audit_events WHERE kind = 'act'")
    assert ("removed", "audit_events") in await vault.whats()


@pytest.mark.parametrize("seq", [1, 3, 5])
async def test_a_batch_that_was_removed_is_missed(vault: Vault, seq: int) -> None:
    """The first, one between, and the last; its rows are named by nobody then."""
    [[chain]] = await vault.sql("SELECT chain::text FROM audit_chains WHERE kind = 'scores'")
    await vault.sql(f"DELETE FROM audit_batches WHERE chain = '{chain}' AND seq = {seq}")
    findings = await vault.found()
    assert seq in {each.seq for each in findings if each.what in {"removed", "cut"}}
    assert ("added", "score_updates") in await vault.whats()


async def test_a_chain_that_was_removed_leaves_its_batches(vault: Vault) -> None:
    """They are of no chain then."""
    await vault.sql("DELETE FROM audit_chains WHERE kind = 'events'")
    assert {("removed", None), ("added", "audit_events")} == await vault.whats()


async def test_an_end_that_was_cut_off_is_missed_by_who_has_kept_it(vault: Vault) -> None:
    """With its rows, and with the chain put right: nothing here tells, and what was kept elsewhere does."""
    kept = [asdict(end) for end in (await verify(vault.stores.database)).chains]
    [[chain]] = await vault.sql("SELECT chain::text FROM audit_chains WHERE kind = 'scores'")
    last = f"(SELECT unnest(moments) FROM audit_batches WHERE chain = '{chain}' AND seq = 5)"
    await vault.sql(f"DELETE FROM score_updates WHERE created_at IN {last}")
    await vault.sql(f"DELETE FROM audit_batches WHERE chain = '{chain}' AND seq = 5")
    await vault.sql(
        "UPDATE audit_chains c SET seq = b.seq, hash = b.hash, previous = b.previous FROM audit_batches b"
        f" WHERE c.chain = '{chain}' AND b.chain = c.chain AND b.seq = 4"
    )
    assert [] == await vault.found()
    assert [("cut", chain, 5)] == [(each.what, each.chain, each.seq) for each in await vault.found(kept)]


@pytest.mark.parametrize("table", ["audit_events", "audit_batches"])
@pytest.mark.parametrize("statement", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {} = {}"])
async def test_the_tables_of_the_audit_are_only_added_to(vault: Vault, table: str, statement: str) -> None:
    """Whoever tries by mistake is refused."""
    column = "why" if table == "audit_events" else "seq"

    async def work(connection: Any) -> None:
        with pytest.raises(Exception, match="the audit is only ever added to"):
            await connection.execute(statement.format(table, column, column))

    await vault.stores.database.run(work)
    assert [] == await vault.found()


# --- many writers ---


async def test_no_writer_waits_for_the_chain_of_another(vault: Vault) -> None:
    """While one transaction holds the end of its chain, another worker's scores are committed."""
    ann, bob = vault.players
    other, database = PostgresScoreStore(vault.stores.database, Chains(), vault.stores.personal), vault.stores.database
    mine = vault.stores.scores._chains.scores
    async with database.holding() as connection:
        await database.use(lambda: connection.execute("BEGIN"))
        await database.use(
            lambda: connection.execute(
                "SELECT seal($1, 'scores', ARRAY[$2]::uuid[], ARRAY[now()], $3)", mine, uuid4(), b"x"
            )
        )
        with trio.fail_after(10):
            [outcome] = await other.commit([write(ann)])
        await database.use(lambda: connection.execute("ROLLBACK"))
    assert isinstance(outcome, Committed)
    [again_mine] = await vault.world.scores.commit([write(bob)])
    assert isinstance(again_mine, Committed)
    assert [] == await vault.found()


async def test_one_worker_s_transactions_side_by_side_make_one_chain(vault: Vault) -> None:
    """As after a time-out, when the next is begun before the last has ended."""
    players = [await vault.world.player(f"player {number}") for number in range(6)]
    async with trio.open_nursery() as nursery:
        for player in players * 5:
            nursery.start_soon(vault.world.scores.commit, [write(player)])
    verdict = await verify(vault.stores.database)
    assert [] == verdict.findings
    assert 5 + 30 == next(end.seq for end in verdict.chains if end.kind == "scores")
