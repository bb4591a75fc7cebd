"""Players who come, are banned and let in again while others score. Without points, so no archive tells of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.faults.asking import Asking
from tests.faults.checker import Finding
from tests.faults.line import Cut, Line
from tests.faults.load import Load
from tests.faults.players import Player, registered
from tests.faults.stores import StoreProcess, rows_of

#: No more than these come, so that all players fit on a screen; from one act to the next, seconds.
MOST, PACE_S = 30, 0.5
STANDING = "SELECT user_id, is_banned FROM users"


@dataclass(slots=True)
class Guest:
    """One of them. `banned` is what was told last; None while nobody knows."""

    user_id: str
    name: str
    banned: bool | None = False


class Warden:
    """See `Writer`. Somebody in charge: bans and forgives the guests, who come one by one."""

    def __init__(self, warden: Player, guests: list[Guest], load: Load) -> None:
        self._guests, self._load = guests, load
        self._asking = Asking(warden, load)

    async def play(self) -> None:
        """See `Writer.play`."""
        await self._admit()
        while self._guests and not self._load.enough:
            await self._judge(self._load.rng.choice(self._guests))
            await self._load.pause(PACE_S)
        self._asking.hang_up()

    async def _admit(self) -> None:
        """One more, with a key: an answer that is lost is heard again."""
        if len(self._guests) >= MOST:
            return
        name = f"guest{self._load.rng.randrange(1 << 40):x}"
        body = {"username": name, "email": f"{name}@example.com", "password": f"{name}-Passw0rd!"}
        answer = await self._asking.until_answered("/api/auth/register", body, Idempotency_Key=name)
        if answer is None:
            return
        if answer.status != 201:
            self._load.journal.wonder(f"{name} is not registered: {answer.status} {answer.body!r}")
            return
        self._guests.append(Guest(answer.json()["userId"], name))

    async def _judge(self, guest: Guest) -> None:
        banned = self._load.rng.random() < 0.6
        key, guest.banned = f"act-{self._load.rng.randrange(1 << 40):x}", None
        path, body = f"/api/v1/admin/users/{guest.user_id}/standing", {"reason": "to try it", "banned": banned}
        answer = await self._asking.until_answered(path, body, Idempotency_Key=key)
        if answer is None:
            return
        self._load.journal.note("judged", who=guest.name, banned=banned, status=answer.status)
        if answer.status == 200:
            guest.banned = banned
        else:
            self._load.journal.wonder(f"{guest.name} cannot be judged: {answer.status} {answer.body!r}")


async def appointed(line: Line, postgres: StoreProcess) -> Player:
    """Somebody who may ban. Raises Cut."""
    warden = await registered(line, "warden")
    await rows_of(postgres, "UPDATE users SET role = 'admin' WHERE username = 'warden'")
    warden.refresh = ""
    if not await warden.renew(line):
        raise Cut("the warden cannot sign in")
    return warden


async def wrong_guests(guests: Sequence[Guest], postgres: StoreProcess) -> list[Finding]:
    """Who does not stand as it was told."""
    found = {row[0]: row[1] == "t" for row in await rows_of(postgres, STANDING)}
    return list(unlike_told(guests, found))


def unlike_told(guests: Sequence[Guest], found: Mapping[str, bool]) -> Iterator[Finding]:
    """The same of what stands on disk: by each id, whether that player is banned. Pure."""
    for guest in guests:
        if guest.user_id not in found:
            yield Finding("lost", f"{guest} was registered, and is not there")
        elif guest.banned not in (None, found[guest.user_id]):
            yield Finding("lost", f"{guest} was told so, and it is not")
