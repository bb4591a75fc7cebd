from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import trio

from actors.ports import (
    NOWHERE,
    AuditEvent,
    EmailTaken,
    EventId,
    EventKind,
    Registered,
    Source,
    StoreUnavailable,
    UserId,
)
from scoreboard.security.personal import PersonalVault, master_id
from scoreboard.stores.chains import Chains
from scoreboard.stores.opening import Stores
from scoreboard.stores.opening import open_stores as open_with_vault
from scoreboard.stores.personal import PROOF, Personal, Row
from scoreboard.stores.personal_keys import KEYS, PersonalKeys
from scoreboard.stores.postgres_audit import PostgresAuditLog
from scoreboard.stores.postgres_scores import COMMIT as COMMIT_NOW
from scoreboard.stores.postgres_values import user_key
from scoreboard.stores.seals import verify
from scoreboard.stores.trail import Line, trail
from tests.contract.making import HERE, NOW_US, account, session, token_hash, uuid_of, write
from tests.contract.test_evidence import proof
from tests.vault import MASTER, open_stores

pytestmark = pytest.mark.stores

LATER_US = NOW_US + 1_000_000
PLAIN = """
INSERT INTO users (user_id, username, username_key, email, email_key, password_hash)
VALUES (gen_random_uuid(), $1, lower($1), $2, lower($2), 'x') RETURNING user_id::text
"""
PLAIN_SESSION = """
INSERT INTO sessions (session_id, user_id, ip_address, user_agent, created_at, expires_at)
VALUES (gen_random_uuid(), $1, '192.0.2.7', 'a browser', from_us($2), from_us($2 + 1000000000))
"""


@dataclass
class Archive:
    """Stores, and what a thief of the database sees."""

    stores: Stores
    postgres_url: str
    redis_url: str

    async def sql(self, statement: str, *arguments: Any) -> list[Any]:
        """One statement."""
        rows = await self.stores.database.run(lambda connection: connection.fetch(statement, *arguments))
        return [tuple(row) for row in rows]

    async def player(self, name: str, email: str) -> UserId:
        """Somebody who has registered."""
        made = await self.stores.accounts.register(account(name, email=email))
        assert isinstance(made, Registered)
        return made.fact.user_id

    async def as_before(self, name: str, email: str) -> UserId:
        """Somebody who has registered with the version before."""
        [[user_id]] = await self.sql(PLAIN, name, email)
        return UserId(user_id)

    async def email(self, user_id: UserId) -> str:
        """What the player is shown."""
        profile = await self.stores.profiles.profile(user_id)
        assert profile is not None
        return profile.email

    async def trail(self) -> list[Line]:
        """What those in charge are shown, the newest first."""
        return await trail(self.stores.database, self.stores.personal, user_id=None, since_us=0, limit=100)

    async def sources(self, user_id: UserId) -> list[Source]:
        """From where its sessions were opened."""
        return [each.source for each in await self.stores.accounts.sessions(user_id, now_us=LATER_US)]


@pytest.fixture
async def archive(postgres_url: str, redis_url: str) -> AsyncIterator[Archive]:
    """Nobody yet."""
    async with open_stores(postgres_url, redis_url) as stores:
        yield Archive(stores, postgres_url, redis_url)


async def test_an_address_stands_nowhere_in_the_clear_and_is_shown_to_its_owner(archive: Archive) -> None:
    """Neither as it was typed nor folded; and still nobody else can have it."""
    ann = await archive.player("Ann", "Ann.Lee@Example.org")
    [[row]] = await archive.sql("SELECT users::text FROM users")
    assert "lee" not in row.casefold()
    assert b"example.org".hex() not in row
    assert "Ann.Lee@Example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(account("Bob", email="ann.lee@example.org")), EmailTaken)


async def test_an_address_of_before_is_encrypted_and_stays_taken(archive: Archive) -> None:
    """Before that happens, and after it; its owner gets a key by then."""
    ann, taken = await archive.as_before("Ann", "Ann@example.org"), account("Bob", email="ann@example.org")
    assert "Ann@example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(taken), EmailTaken)
    assert 1 == await archive.stores.encrypt_past()
    assert [] == await archive.sql("SELECT FROM users WHERE users::text ILIKE '%example%'")
    assert "Ann@example.org" == await archive.email(ann)
    assert isinstance(await archive.stores.accounts.register(taken), EmailTaken)
    assert 0 == await archive.stores.encrypt_past()


async def test_twins_of_two_versions_are_both_encrypted(archive: Archive) -> None:
    """Both keep what they typed; the address counts as the first one's."""
    ann = await archive.player("Ann", "a@example.org")
    bob = await archive.as_before("Bob", "A@example.org")
    assert 1 == await archive.stores.encrypt_past()
    assert ("a@example.org", "A@example.org") == (await archive.email(ann), await archive.email(bob))


async def test_who_registers_again_with_the_same_call_is_told_the_same(archive: Archive) -> None:
    """And has the key of the first time."""
    first = account("Ann")
    before = await archive.stores.accounts.register(first)
    keys = await archive.sql("SELECT user_id, wrapped FROM user_keys")
    assert before == await archive.stores.accounts.register(first)
    assert keys == await archive.sql("SELECT user_id, wrapped FROM user_keys")
    assert first.email == await archive.email(first.user_id)


async def test_what_is_moved_to_somebody_else_does_not_open(archive: Archive) -> None:
    """Nor what is moved to another column, or changed."""
    ann, bob = await archive.player("Ann", "a@example.org"), await archive.player("Bob", "b@example.org")
    await archive.stores.accounts.open_session(session(bob, token_hash(1)))
    copy = "UPDATE users u SET email_sealed = o.email_sealed FROM users o WHERE u.user_id = $1 AND o.user_id = $2"
    await archive.sql(copy, ann, bob)
    assert "unreadable" == await archive.email(ann)
    await archive.sql("UPDATE sessions SET source = email_sealed FROM users u WHERE u.user_id = sessions.user_id")
    assert [Source("unreadable", "unreadable")] == await archive.sources(bob)
    await archive.sql("UPDATE users SET email_sealed = email_sealed || '\\x00' WHERE user_id = $1", bob)
    assert "unreadable" == await archive.email(bob)


async def test_where_a_session_came_from_stands_nowhere_in_the_clear(archive: Archive) -> None:
    """Its owner sees it; also of sessions from before, which are encrypted later."""
    ann = await archive.player("Ann", "a@example.org")
    await archive.stores.accounts.open_session(session(ann, token_hash(1)))
    await archive.sql(PLAIN_SESSION, ann, NOW_US)
    assert [HERE, HERE] == await archive.sources(ann)
    assert 1 == await archive.stores.encrypt_past()
    assert [HERE, HERE] == await archive.sources(ann)
    told = [row for [row] in await archive.sql("SELECT sessions::text FROM sessions")]
    for clear in ("192.0.2.7", "a browser", b"192.0.2.7".hex(), b"browser".hex()):
        assert [] == [row for row in told if clear in row]


async def test_without_the_master_key_nothing_opens_and_nothing_seems_erased(archive: Archive) -> None:
    """The server says what is missing, instead of serving without it."""
    ann = await archive.player("Ann", "a@example.org")
    async with open_with_vault(archive.postgres_url, archive.redis_url, PersonalVault(lambda: (bytes(32),))) as other:
        for question in (other.profiles.profile(ann), other.open_to_persons(), other.accounts.register(account("Bob"))):
            with pytest.raises(StoreUnavailable, match=f"master key {master_id(MASTER)} is not in the folder"):
                await question


# --- scores, proofs, the audit ---

STRANGER = Source("203.0.113.99", "a stranger's thing")
SERVER = Source("10.1.2.3", "service arena; thing/1", service=True)
#: As the version before calls it.
COMMIT = """
SELECT outcome FROM commit_scores(ARRAY[1], ARRAY[gen_random_uuid()], ARRAY[$1::uuid], ARRAY[1::bigint],
    ARRAY['INCREMENT'], ARRAY[sha256('x')], ARRAY[0::bigint], ARRAY[NULL::text], ARRAY[sha256('y')],
    ARRAY['192.0.2.7'], ARRAY['a browser'], ARRAY[0::bigint], ARRAY['an action'],
    ARRAY[]::uuid[], ARRAY[]::text[], ARRAY[]::integer[], ARRAY[]::integer[], gen_random_uuid())
"""


def event(number: int, done_by: str, source: Source, user_id: UserId | None = None) -> AuditEvent:
    """Something in the audit."""
    name, kind = EventId(uuid_of(number)), EventKind.REFUSAL
    return AuditEvent(name, NOW_US + number, NOW_US + number, kind, "REFUSED", done_by, user_id, source=source)


async def everything(archive: Archive) -> str:
    """All rows of the tables that tell of sources, as text."""
    tables = ("score_updates", "action_evidence", "audit_events", "sessions", "users")
    rows = [row for table in tables for [row] in await archive.sql(f"SELECT t::text FROM {table} t")]
    return "\n".join(rows)


def clear_texts(*sources: Source) -> set[str]:
    """What may not be found, also as bytes are written."""
    texts = {text for source in sources for text in (source.address, source.user_agent) if text}
    return texts | {text.encode().hex() for text in texts}


async def test_where_scores_and_proofs_came_from_stands_nowhere_in_the_clear(archive: Archive) -> None:
    """Several players behind one address, too; the audit shows to those in charge whose it was."""
    ann, bob = await archive.player("Ann", "a@example.org"), await archive.player("Bob", "b@example.org")
    await archive.stores.scores.commit([write(ann), write(bob), write(ann)])
    await archive.stores.evidence.settle([proof(ann, 1)], [None], lambda earlier: [True] * len(earlier))
    lines = await archive.trail()
    assert [HERE] * 3 == [Source(line.address, line.user_agent) for line in lines]
    told = await everything(archive)
    assert set() == {clear for clear in clear_texts(HERE, proof(ann, 1).source) if clear in told}
    assert [(1,)] * 3 == await archive.sql("SELECT get_byte(source, 0) FROM score_updates")  # each player's own key
    [[sealed]] = await archive.sql("SELECT source FROM action_evidence")
    rows = [Row(PROOF, user_key(ann), sealed, None, None), Row(PROOF, user_key(bob), sealed, None, None)]
    sources = await archive.stores.database.run(lambda c: archive.stores.personal.sources(c, rows))
    assert [proof(ann, 1).source, Source("unreadable", "unreadable")] == sources


async def test_a_batch_of_a_service_is_no_player_s_data(archive: Archive) -> None:
    """Its source is encrypted once for all rows, and stays readable when a player is erased."""
    players = [await archive.player(name, f"{name}@example.org") for name in ("Ann", "Bob")]
    await archive.stores.scores.commit([write(player)._replace(source=SERVER) for player in players])
    assert [(1,)] == await archive.sql("SELECT count(DISTINCT source) FROM score_updates")
    assert set() == {clear for clear in clear_texts(SERVER) if clear in await everything(archive)}
    assert {(SERVER.address, SERVER.user_agent)} == {(line.address, line.user_agent) for line in await archive.trail()}


async def test_what_stands_in_the_audit_belongs_to_who_did_it(archive: Archive) -> None:
    """A player, a stranger of whom only the address is known, a service, an operator at the machine itself."""
    ann, bob = await archive.player("Ann", "a@example.org"), await archive.player("Bob", "b@example.org")
    events = [
        event(1, f"user:{ann}", HERE, bob),
        event(2, "address:203.0.113.99", STRANGER),
        event(3, "service:arena", Source("10.1.2.3", "thing/1"), bob),
        event(4, "operator:root", NOWHERE, bob),
    ]
    await archive.stores.audit.record(events)
    assert events == list(reversed(await archive.stores.audit.events()))
    assert set() == {clear for clear in clear_texts(HERE, STRANGER, SERVER) if clear in await everything(archive)}
    assert [] == list((await verify(archive.stores.database)).findings)
    done_by = [line.done_by for line in await archive.trail()]
    assert [each.done_by for each in reversed(events)] == done_by


async def test_what_stands_in_a_database_opens_as_it_is_written_down(archive: Archive) -> None:
    """Whatever a version writes, later ones must open: whose it is, bound to that player and to its place."""
    vault, ann = PersonalVault(lambda: (MASTER,)), await archive.player("Ann", "a@example.org")
    await archive.stores.accounts.open_session(session(ann, token_hash(1)))
    await archive.stores.audit.record([event(1, "address:203.0.113.99", STRANGER)])
    [[email, master, wrapped]] = await archive.sql(
        "SELECT email_sealed, master, wrapped FROM users JOIN user_keys USING (user_id)"
    )
    mine = user_key(ann).bytes
    key = vault.unwrap(master, wrapped, mine)
    assert key is not None
    assert b"a@example.org" == vault.decrypt(key, email[1:], b"\x01" + mine + b"users.email")
    [[source]] = await archive.sql("SELECT source FROM sessions")
    packed = vault.decrypt(key, source[1:], b"\x01" + mine + b"sessions.source")
    assert packed == msgspec.msgpack.encode(["192.0.2.7", "a browser"])
    [[sealed]] = await archive.sql("SELECT source FROM audit_events WHERE source IS NOT NULL")
    day = int.from_bytes(sealed[1:5], "big")
    [[master, wrapped]] = await archive.sql(
        f"SELECT master, wrapped FROM shared_keys WHERE name = 'strangers of day {day}'"
    )
    common = vault.unwrap(master, wrapped, f"strangers of day {day}".encode())
    assert common is not None
    assert vault.decrypt(common, sealed[5:], sealed[:5] + b"audit_events.source") is not None
    assert (b"\x01\x01", b"\x02") == (email[:1] + source[:1], sealed[:1])


async def test_strangers_are_forgotten_by_the_day(archive: Archive) -> None:
    """What is too old does not open, though another worker has not removed its key; all seals hold."""
    old = Personal(PersonalVault(lambda: (MASTER,)), now_s=lambda: time.time() - 31 * 86_400)
    log = PostgresAuditLog(archive.stores.database, Chains(), old)
    await log.record([event(1, "address:203.0.113.99", STRANGER)])
    await archive.stores.audit.record([event(2, "anybody", STRANGER)])
    erased = Source("erased", "erased")
    assert [STRANGER, erased] == [each.source for each in await archive.stores.audit.events()]
    assert [(2,)] == await archive.sql("SELECT count(*) FROM shared_keys WHERE name LIKE 'strangers%'")
    await archive.stores.maintain()
    assert [(1,)] == await archive.sql("SELECT count(*) FROM shared_keys WHERE name LIKE 'strangers%'")
    assert [STRANGER, erased] == [each.source for each in await archive.stores.audit.events()]
    assert [] == list((await verify(archive.stores.database)).findings)


async def test_what_a_stranger_sent_opens_for_all_of_its_days(archive: Archive) -> None:
    """On the last of them too; after that the key is removed."""
    personal, begun = Personal(PersonalVault(lambda: (MASTER,)), now_s=lambda: now_s), 1_800_000_000.0
    now_s, left = begun, list[int]()
    await PostgresAuditLog(archive.stores.database, Chains(), personal).record([event(1, "anybody", STRANGER)])
    for days in (30, 31):
        now_s = begun + days * 86_400
        await archive.stores.database.run(personal.forget_strangers)
        left += [len(await archive.sql("SELECT FROM shared_keys WHERE name = 'strangers of day 20833'"))]
    assert [1, 0] == left


async def test_what_the_version_before_writes_stays_as_it_was_sealed(archive: Archive) -> None:
    """It may run beside this one; its rows are shown, and in order."""
    ann = await archive.player("Ann", "a@example.org")
    assert [(0,)] == await archive.sql(COMMIT, ann)
    await archive.stores.scores.commit([write(ann)])
    assert [HERE, HERE] == [Source(line.address, line.user_agent) for line in await archive.trail()]
    assert [] == list((await verify(archive.stores.database)).findings)


async def test_players_that_are_known_cost_no_round_trip(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that a worker does not know cost one for all of a commit together."""
    players = [await archive.player(name, f"{name}@example.org") for name in ("Ann", "Bob", "Eve")]
    asked: list[str] = []
    fetch = asyncpg.Connection.fetch

    async def counted(self: Any, query: str, *arguments: Any, **named: Any) -> Any:
        asked.append(query)
        return await fetch(self, query, *arguments, **named)

    async with open_stores(archive.postgres_url, archive.redis_url) as other:
        monkeypatch.setattr(asyncpg.Connection, "fetch", counted)
        await other.scores.commit([write(player) for player in players])
        assert [KEYS, COMMIT_NOW] == asked
        await other.scores.commit([write(player) for player in players])
        assert [KEYS, COMMIT_NOW, COMMIT_NOW] == asked


async def test_keys_that_are_held_are_bounded(archive: Archive) -> None:
    """Those that were not asked for lately go first."""
    players = [await archive.player(f"p{number}", f"p{number}@example.org") for number in range(7)]
    keys = PersonalKeys(PersonalVault(lambda: (MASTER,)), most=4)
    for player in (*players, players[-1]):
        assert await archive.stores.database.run(partial(keys.of, users=[user_key(player)]))
    assert 4 >= len(keys._young) + len(keys._old)
    assert {user_key(players[-1])} <= {*keys._young, *keys._old}


def test_who_plays_on_keeps_a_key_at_hand() -> None:
    """However many come and go meanwhile."""
    keys, ann = PersonalKeys(PersonalVault(lambda: (MASTER,)), most=4), UUID(int=0)
    keys.hold(ann, b"hers")
    for number in range(1, 20):
        keys.hold(UUID(int=number), b"another's")
        assert b"hers" == keys._find(ann)


def test_a_key_that_was_erased_is_at_hand_no_more() -> None:
    """Whether it was used just now or long ago; and not again, though somebody had read it before and comes late."""
    for others in range(5):
        keys, ann = PersonalKeys(PersonalVault(lambda: (MASTER,)), most=4), UUID(int=0)
        keys.hold(ann, b"hers")
        for number in range(1, others + 1):
            keys.hold(UUID(int=number), b"another's")
        keys.forget(ann)
        assert keys._find(ann) is None
        keys.hold(ann, b"hers")
        assert keys._find(ann) is None


async def test_a_key_that_is_erased_while_it_is_read_is_given_to_nobody() -> None:
    """Word of it came first; nor is another one made."""
    vault, ann = PersonalVault(lambda: (MASTER,)), UUID(int=7)
    keys, asked = PersonalKeys(vault, most=4), list[str]()

    class Late:
        async def fetch(self, query: str, users: list[UUID]) -> list[Any]:
            asked.append(query)
            keys.forget(ann)
            return [(ann, *vault.wrap(b"k" * 32, ann.bytes))]

    assert {} == await keys.of(Late(), [ann])
    assert {} == await keys.of(Late(), [ann])
    assert ([KEYS], None) == (asked, keys._find(ann))


async def test_workers_that_need_a_first_key_at_once_have_the_same(archive: Archive) -> None:
    """Whoever comes first makes it, and all others read it."""
    ann = await archive.as_before("Ann", "a@example.org")
    async with open_stores(archive.postgres_url, archive.redis_url) as other, trio.open_nursery() as nursery:
        for number in range(8):
            accounts = (archive.stores, other)[number % 2].accounts
            nursery.start_soon(accounts.open_session, session(ann, token_hash(number)))
    assert [HERE] * 8 == await archive.sources(ann)
    assert [(1,)] == await archive.sql("SELECT count(*) FROM user_keys")
