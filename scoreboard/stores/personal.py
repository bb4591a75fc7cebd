"""What is known of persons, as it stands in the database: encrypted, each player's under a key of its own.

The keys stand there too, wrapped (`user_keys`, `shared_keys`). Whoever erases a player's key erases all that stands
under it, wherever that is, also where nothing may be changed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import asyncpg
import msgspec
from asyncpg.pgproto.pgproto import UUID

from actors.ports import ERASED, Source
from scoreboard.stores.personal_keys import PersonalKeys, Vault
from scoreboard.stores.postgres_values import address, clean, user_agent

#: Shown in place of what cannot be opened though its key is there: it was changed, or moved here from elsewhere.
UNREADABLE = "unreadable"
#: `email_key` of who has one; no address begins so.
HASHED = "hmac:"

EMAIL = b"users.email"
SESSION = b"sessions.source"
SCORE = b"score_updates.source"
PROOF = b"action_evidence.source"
EVENT = b"audit_events.source"

#: The first byte says whose key it is. Behind that of a stranger stands the day.
OF_USER, OF_STRANGER, OF_SERVICE = b"\1", b"\2", b"\3"
_DAY_BYTES = 4
_DAY_S = 86_400

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(tuple[str | None, str | None]).decode

SERVICES = "services"


@dataclass(frozen=True, slots=True)
class PersonalRules:
    """So many keys of players are held in memory, and what strangers sent opens for so many days."""

    keys_held: int = 50_000
    strangers_days: int = 30


class Row(NamedTuple):
    """A source as it is read: where it stands and whose it is; or what an earlier version wrote in the clear."""

    place: bytes
    owner: UUID | None
    sealed: bytes | None
    plain_address: str | None
    plain_agent: str | None


class Personal:
    """Encrypts and opens, with keys that it reads as they are needed. For asyncio.

    Strangers, who have no key of their own, share one a day. `now_s` tells the day.
    """

    def __init__(
        self, vault: Vault, rules: PersonalRules | None = None, *, now_s: Callable[[], float] = time.time
    ) -> None:
        rules = rules or PersonalRules()
        self.vault = vault
        self.keys = PersonalKeys(vault, most=rules.keys_held)
        self.strangers_days = rules.strangers_days
        self._now_s = now_s

    def __repr__(self) -> str:
        return f"<Personal {self.keys!r}>"

    # --- e-mail addresses ---

    def email_sealed(self, key: bytes, user: UUID, text: str) -> bytes:
        """An e-mail address as it stands in the database."""
        return OF_USER + self.vault.encrypt(key, clean(text).encode(), OF_USER + user.bytes + EMAIL)

    async def email_key(self, connection: asyncpg.Connection, folded: str) -> str:
        """What tells whether two e-mail addresses are the same; raises StoreUnavailable without the master key."""
        key = await self.keys.made(connection, "email")
        return HASHED + self.vault.hashed(key, clean(folded))

    async def email(self, connection: asyncpg.Connection, user: UUID, sealed: bytes | None, plain: str) -> str:
        """An e-mail address as its owner typed it; raises StoreUnavailable without the master key."""
        if sealed is None:
            return plain or ERASED
        key = (await self.keys.of(connection, {user})).get(user)
        if key is None:
            return ERASED
        opened = self.vault.decrypt(key, sealed[1:], OF_USER + user.bytes + EMAIL)
        return UNREADABLE if opened is None else opened.decode()

    # --- where requests came from ---

    async def sources_sealed(
        self, connection: asyncpg.Connection, place: bytes, owners: Sequence[UUID | None], sources: Sequence[Source]
    ) -> list[bytes | None]:
        """These sources as they stand in that place, each of its owner; None owns what came from strangers.

        Of who was erased, and of nowhere, it is nothing. Raises StoreUnavailable without the master key.
        """
        kinds = [_kind(owner, source) for owner, source in zip(owners, sources, strict=True)]
        mine = {owner for owner, kind in zip(owners, kinds, strict=True) if kind == OF_USER and owner is not None}
        keys = await self.keys.of(connection, mine) if mine else {}
        day = self._today()
        stranger = await self.keys.made(connection, strangers_of(day)) if OF_STRANGER in kinds else None
        service = await self.keys.made(connection, SERVICES) if OF_SERVICE in kinds else None
        dated = OF_STRANGER + day.to_bytes(_DAY_BYTES, "big")
        sealed: list[bytes | None] = []
        for owner, kind, source in zip(owners, kinds, sources, strict=True):
            if kind == OF_USER and owner is not None:
                sealed.append(self._sealed(keys.get(owner), kind, owner.bytes + place, source))
            elif kind == OF_STRANGER:
                sealed.append(self._sealed(stranger, dated, place, source))
            else:
                sealed.append(self._sealed(service, kind, place, source) if kind else None)
        return sealed

    async def sources(self, connection: asyncpg.Connection, rows: Sequence[Row]) -> list[Source]:
        """What these are. Of who was erased, or too long ago for strangers, both parts are `ERASED`.

        Raises StoreUnavailable without the master key.
        """
        mine = {row.owner for row in rows if row.owner is not None and _head(row.sealed) == OF_USER}
        keys = await self.keys.of(connection, mine) if mine else {}
        heads = {_head(row.sealed) for row in rows} - {b"", OF_USER}
        common = {head: await self._common(connection, head) for head in heads}
        return [self._source(row, keys, common) for row in rows]

    async def forget_strangers(self, connection: asyncpg.Connection) -> None:
        """Remove the keys of days that are over for so long that nothing under them is opened."""
        days = await connection.fetch("SELECT name FROM shared_keys WHERE name LIKE 'strangers of day %'")
        oldest = self._today() - self.strangers_days
        gone = [name for [name] in days if int(name.rpartition(" ")[2]) < oldest]
        if gone:
            await connection.execute("DELETE FROM shared_keys WHERE name = ANY ($1::text[])", gone)
        self.keys.forget_shared()

    async def _common(self, connection: asyncpg.Connection, head: bytes) -> bytes | None:
        if head == OF_SERVICE:
            return await self.keys.shared(connection, SERVICES)
        day = int.from_bytes(head[1:], "big")
        if head[:1] != OF_STRANGER or day < self._today() - self.strangers_days:
            return None  # also where another worker has not removed the key yet
        return await self.keys.shared(connection, strangers_of(day))

    def _source(self, row: Row, keys: Mapping[UUID, bytes], common: Mapping[bytes, bytes | None]) -> Source:
        if row.sealed is None:
            return Source(row.plain_address, row.plain_agent)
        head = _head(row.sealed)
        if head != OF_USER:
            return self._opened(common[head], row.sealed, head, row.place)
        if row.owner is None:
            return Source(UNREADABLE, UNREADABLE)
        return self._opened(keys.get(row.owner), row.sealed, head, row.owner.bytes + row.place)

    def _sealed(self, key: bytes | None, head: bytes, name: bytes, source: Source) -> bytes | None:
        if key is None:
            return None
        content = _pack((address(source.address), user_agent(source.user_agent)))
        return head + self.vault.encrypt(key, content, head + name)

    def _opened(self, key: bytes | None, sealed: bytes, head: bytes, name: bytes) -> Source:
        if key is None:
            return Source(ERASED, ERASED)
        content = self.vault.decrypt(key, sealed[len(head) :], head + name)
        return Source(UNREADABLE, UNREADABLE) if content is None else Source(*_unpack(content))

    def _today(self) -> int:
        return int(self._now_s() // _DAY_S)


def _kind(owner: UUID | None, source: Source) -> bytes:
    if source.address is None and source.user_agent is None:
        return b""
    if source.service:
        return OF_SERVICE
    return OF_STRANGER if owner is None else OF_USER


def _head(sealed: bytes | None) -> bytes:
    """The part that says whose key it is."""
    if sealed is None:
        return b""
    return sealed[: 1 + _DAY_BYTES] if sealed[:1] == OF_STRANGER else sealed[:1]


def strangers_of(day: int) -> str:
    """What the key of a day is called."""
    return f"strangers of day {day}"
