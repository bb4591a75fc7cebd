"""Players who come, score, and are erased while they do; and what may be left of them then, for good."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scoreboard.stores.embedded_postgres import DATABASE
from tests.faults.asking import ANSWER_S
from tests.faults.checker import Finding
from tests.faults.journal import Operation, Screen, Told
from tests.faults.line import Answer, Cut, Line
from tests.faults.load import Load
from tests.faults.players import Player, registered
from tests.faults.stores import StoreProcess, rows_of
from tests.faults.writers import UNDECIDED

#: Between two scores of one of them; some of its points come in batches, of this type of action, worth so many.
PACE_S, BATCHED = 0.15, ("FIND_GEM", 7)
#: Codes that say that somebody is not known here (any more).
NOT_KNOWN = (401, 403)

LEFT = """
SELECT u.user_id, u.username, u.is_banned AND NOT u.is_active AND u.email_sealed IS NULL,
       (SELECT count(*) FROM sessions s WHERE s.user_id = u.user_id AND s.revoked_at IS NULL),
       (SELECT count(*) FROM user_keys k WHERE k.user_id = u.user_id AND k.wrapped IS NOT NULL),
       (SELECT count(*) FROM score_updates l WHERE l.user_id = u.user_id)
FROM users u WHERE u.username LIKE 'leaver%' OR u.username LIKE 'erased-%'
"""


class Left(NamedTuple):
    """What is on disk of somebody. `closed`: hidden, not active, and without an address."""

    name: str
    closed: bool
    sessions: int
    keys: int
    rows: int


@dataclass(slots=True)
class Leaver:
    """One of them. `gone_s`: since when, by a clock that is right, it is told that nothing is left.

    `rows`: of the ledger, as soon as somebody has looked since then; there are never more.
    """

    player: Player
    is_asked: bool = False
    gone_s: float = math.inf
    rows: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether that was told."""
        return self.gone_s < math.inf


class Leaving:
    """One who scores, also when it was erased, until somebody says that it is enough. Nothing is asked twice."""

    def __init__(self, leaver: Leaver, service: str, load: Load) -> None:
        self.enough = False
        self._leaver, self._service, self._load = leaver, service, load
        self._line: Line | None = None
        self._count = 0

    async def play(self) -> None:
        """Without an answer it goes on with the next score."""
        while not self.enough:
            self._count += 1
            try:
                await (self._in_a_batch() if self._count % 2 else self._increment())
            except Cut as error:
                self._load.journal.lose(self._leaver.player.name, error)
                self._hang_up()
            await self._load.pause(PACE_S)
        self._hang_up()

    async def _increment(self) -> None:
        player = self._leaver.player
        granted = await self._ask("/api/actions/token", None, player.token)
        if granted.status != 200:
            if granted.status in NOT_KNOWN and not self._leaver.is_asked:
                self._load.wonder_at(player, granted.body)
            return
        operation = self._begin("rest", 1, {"actionToken": granted.json()["actionToken"]})
        wish = operation.wish
        answer = await self._ask("/api/scores/increment", wish, player.token, Idempotency_Key=operation.key)
        told = answer.json()
        if answer.status == 200:
            said = Told(told["newScore"], told["previousRank"], told["newRank"], repeated=False)
            self._load.journal.tell(operation, said)
        elif told["code"] not in UNDECIDED:
            self._load.journal.refuse(operation, told["code"])

    async def _in_a_batch(self) -> None:
        kind, points = BATCHED
        key = self._key("batch")
        row = {"userId": self._leaver.player.user_id, "actionId": key, "actionType": kind}
        operation = self._begin("batch", points, row, key)
        answer = await self._ask("/api/v1/scores/batch", {"scores": [row]}, self._service)
        if answer.status != 200:
            return
        [result] = answer.json()["data"]["results"]
        if result["success"]:
            said = Told(result["newScore"], result["previousRank"], result["newRank"], result["repeated"])
            self._load.journal.tell(operation, said)
        elif result["error"]["code"] not in UNDECIDED:
            self._load.journal.refuse(operation, result["error"]["code"])

    def _key(self, way: str) -> str:
        return f"{way}-{self._leaver.player.name}-{self._count}"

    def _begin(self, way: str, points: int, wish: object, key: str = "") -> Operation:
        operation = self._load.journal.begin(self._leaver.player.user_id, key or self._key(way), way, points)
        self._load.wish(operation, wish)
        self._load.journal.send(operation)
        return operation

    async def _ask(self, path: str, body: object, token: str, **headers: str) -> Answer:
        """Raises Cut."""
        if self._line is None:
            self._line = await Line.to(self._load.port)
        known = {"Authorization": f"Bearer {token}", **headers}
        answer = await self._line.ask("POST", path, body, within_s=ANSWER_S, **known)
        if answer.headers.get("connection", "").lower() == "close":
            self._hang_up()
        return answer

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.hang_up()
            self._line = None


async def admitted(load: Load) -> Leaver:
    """A new one; it is asked for until it is there."""
    while True:
        try:
            return Leaver(await _came(load))
        except Cut as error:
            load.journal.lose("a leaver", error)
        await load.pause()


async def _came(load: Load) -> Player:
    """Raises Cut."""
    since_s, line = load.clock.true_s(), await Line.to(load.port)
    try:
        player = await registered(line, f"leaver{load.rng.randrange(1 << 40):x}")
    finally:
        line.hang_up()
    player.since_s = since_s
    return player


async def left_of(postgres: StoreProcess, database: str = DATABASE) -> dict[str, Left]:
    """What is on disk of all of them, by their ids."""
    rows = await rows_of(postgres, LEFT, database)
    return {row[0]: Left(row[1], row[2] == "t", int(row[3]), int(row[4]), int(row[5])) for row in rows}


async def wrong_leavers(leavers: Sequence[Leaver], postgres: StoreProcess) -> list[Finding]:
    """Of whom there is more than may be."""
    if not leavers:
        return []
    return list(too_much_left(leavers, await left_of(postgres)))


def too_much_left(leavers: Iterable[Leaver], left: Mapping[str, Left]) -> Iterator[Finding]:
    """The same of what is on disk; the rows of the ledger stay, and nothing comes to them. Pure, but for that count."""
    for leaver in leavers:
        if not leaver.is_gone:
            continue
        name, found = leaver.player.name, left.get(leaver.player.user_id)
        if found is None:
            yield Finding("lost", f"{name} was erased, and its row is away with its scores")
            continue
        if leaver.rows is None:
            leaver.rows = found.rows
        if found.name == name or not found.closed or found.sessions or found.keys:
            yield Finding("erased", f"{name} was erased, and there is still {found}")
        if found.rows > leaver.rows:
            yield Finding("erased", f"{name} was erased with {leaver.rows} scores and has {found.rows}")
        if found.rows < leaver.rows:
            yield Finding("lost", f"of the {leaver.rows} scores of {name}, who was erased, {found.rows} are left")


def seen_again(screens: Iterable[Screen], gone: frozenset[str]) -> Iterator[Finding]:
    """Screens that show somebody of whom all workers have known for long that it is gone. Pure."""
    for screen in screens:
        for row in screen.rows:
            if row.user_id in gone:
                yield Finding("erased", f"{screen.spectator} saw {row} on {screen.channel}, who was erased before")
