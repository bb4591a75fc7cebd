"""The keys of persons: read from the database as they are needed, unwrapped, and held for a while."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

import asyncpg
from asyncpg.pgproto.pgproto import UUID

from actors.ports import StoreUnavailable
from scoreboard.stores.personal_errors import KeyDoesNotOpen

KEYS = "SELECT user_id, master, wrapped FROM user_keys WHERE user_id = ANY ($1::uuid[])"

# In the order of the players, so that two workers that make the same ones wait for each other in one direction only.
MAKE = """
INSERT INTO user_keys (user_id, master, wrapped)
SELECT u.user_id, k.master, k.wrapped
FROM unnest($1::uuid[], $2::text[], $3::bytea[]) AS k (user_id, master, wrapped) JOIN users u ON u.user_id = k.user_id
ORDER BY u.user_id
ON CONFLICT DO NOTHING
"""

SHARED = "SELECT master, wrapped FROM shared_keys WHERE name = $1"
MAKE_SHARED = "INSERT INTO shared_keys (name, master, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"


class Vault(Protocol):
    """What encrypts. It keeps nothing."""

    def master(self) -> str:
        """The id of the master key that wraps now; raises LookupError if there is none."""
        ...

    def new_key(self) -> bytes:
        """A key for one person."""
        ...

    def wrap(self, key: bytes, name: bytes) -> tuple[str, bytes]:
        """The id of the master key, and the key as it may be kept under that name; raises as `master`."""
        ...

    def unwrap(self, master: str, wrapped: bytes, name: bytes) -> bytes | None:
        """The key that was wrapped so; None without that master key, and of anything else."""
        ...

    def encrypt(self, key: bytes, content: bytes, name: bytes) -> bytes:
        """The content as it may be kept under that name."""
        ...

    def decrypt(self, key: bytes, sealed: bytes, name: bytes) -> bytes | None:
        """What was encrypted so; None of anything else."""
        ...

    def hashed(self, key: bytes, text: str) -> str:
        """A text as it can be compared, and told to nobody without the key."""
        ...


class FreshKey(NamedTuple):
    """A key that stands nowhere yet, and how it would."""

    key: bytes
    master: str
    wrapped: bytes


class PersonalKeys:
    """Gives keys. Those of who was erased are not given again, though another worker may have them for a moment.

    At most `most` are held; those that were not asked for lately go first.
    """

    def __init__(self, vault: Vault, *, most: int) -> None:
        self._vault = vault
        self._most = most
        self._young: dict[UUID, bytes] = {}
        self._old: dict[UUID, bytes] = {}
        self._erased: set[UUID] = set()
        self._shared: dict[str, bytes] = {}

    def __repr__(self) -> str:
        return f"<PersonalKeys, {len(self._young) + len(self._old)} held>"

    def fresh(self, name: bytes) -> FreshKey:
        """A new key for who has that name; raises StoreUnavailable without a master key."""
        key = self._vault.new_key()
        try:
            return FreshKey(key, *self._vault.wrap(key, name))
        except LookupError as error:
            raise StoreUnavailable(str(error)) from error

    async def of(self, connection: asyncpg.Connection, users: Collection[UUID]) -> dict[UUID, bytes]:
        """The keys of these players, made for who has none yet. Who is unknown or was erased has none.

        For asyncio. One round trip if any is not held, two more if any must be made.

        Raises:
            KeyDoesNotOpen: the master key that wraps one is not here.
        """
        held = {user: key for user in users if (key := self._find(user)) is not None}
        cold = [user for user in users if user not in held and user not in self._erased]
        if not cold:
            return held
        found = await self._read(connection, cold)
        missing = [user for user in cold if user not in found and user not in self._erased]
        if missing:
            fresh = [self.fresh(user.bytes) for user in missing]
            await connection.execute(MAKE, missing, [each.master for each in fresh], [each.wrapped for each in fresh])
            found |= await self._read(connection, missing)
        return held | found

    async def shared(self, connection: asyncpg.Connection, name: str) -> bytes | None:
        """The key of nobody in particular that has this name, if there is one. For asyncio; raises as `of`."""
        if name not in self._shared:
            row = await connection.fetchrow(SHARED, name)
            if row is None:
                return None
            self._shared[name] = self.unwrapped(row[0], row[1], name.encode())
        return self._shared[name]

    async def made(self, connection: asyncpg.Connection, name: str) -> bytes:
        """The same, made if there is none."""
        key = await self.shared(connection, name)
        if key is None:
            fresh = self.fresh(name.encode())
            await connection.execute(MAKE_SHARED, name, fresh.master, fresh.wrapped)
            key = await self.shared(connection, name)
        if key is None:
            raise StoreUnavailable(f"the key of {name} has just gone")
        return key

    def unwrapped(self, master: str, wrapped: bytes, name: bytes) -> bytes:
        """The key itself; raises KeyDoesNotOpen as `of`."""
        key = self._vault.unwrap(master, wrapped, name)
        if key is None:
            raise KeyDoesNotOpen(
                f"a key to personal data does not open: master key {master} is not in the folder of keys, or the row"
                " was changed"
            )
        return key

    def hold(self, user: UUID, key: bytes) -> None:
        """Remember a key that stands in the database now."""
        if user in self._erased:
            return
        if len(self._young) * 2 >= self._most:
            self._old, self._young = self._young, {}
        self._young[user] = key

    def forget(self, user: UUID) -> None:
        """The key has been erased."""
        self._erased.add(user)
        self._young.pop(user, None)
        self._old.pop(user, None)

    def forget_shared(self) -> None:
        """Some may have been erased; those that are needed are read again."""
        self._shared.clear()

    def _find(self, user: UUID) -> bytes | None:
        key = self._young.get(user)
        if key is None and (key := self._old.get(user)) is not None:
            self.hold(user, key)
        return key

    async def _read(self, connection: asyncpg.Connection, users: Sequence[UUID]) -> dict[UUID, bytes]:
        found = {}
        for user, master, wrapped in await connection.fetch(KEYS, users):
            if wrapped is None:
                self.forget(user)
            elif user not in self._erased:
                found[user] = self.unwrapped(master, wrapped, user.bytes)
                self.hold(user, found[user])
        return found
