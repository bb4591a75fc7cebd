"""Those who score, whatever happens: what is not answered goes out again as it was, the same token and the same key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Protocol

import trio
from trio_websocket import ConnectionRejected

from tests.faults.asking import ANSWER_S, Asking
from tests.faults.journal import Operation, Told
from tests.faults.line import Answer, Cut, Line
from tests.faults.load import Load
from tests.faults.players import SIGN_IN_AGAIN, Player
from tests.faults.talk import BROKEN, Talk, talk

#: So many are sent twice in the same moment, on two connections and so mostly to two workers.
TWICE = 0.1
#: So many cycles of one writer a second: half of what one player is allowed.
PACE_S = 0.2
AHEAD = 4
UNDECIDED = ("SERVICE_UNAVAILABLE", "INTERNAL_ERROR", "RATE_LIMITED")


class Writer(Protocol):
    """Somebody who scores until the load says that it is enough."""

    async def play(self) -> None:
        """Returns when nothing is open any more."""
        ...


class RestWriter:
    """One token and one increment after the other."""

    def __init__(self, player: Player, load: Load) -> None:
        self._player, self._load = player, load
        self._asking, self._beside = Asking(player, load), Asking(player, load)
        self._count = 0

    async def play(self) -> None:
        """See `Writer.play`."""
        while not self._load.enough:
            granted = await self._asking.until_answered("/api/actions/token", None)
            if granted is None:
                continue
            self._count += 1
            key = f"rest-{self._player.name}-{self._count}-{self._load.rng.randrange(1 << 30)}"
            operation = self._load.journal.begin(self._player.user_id, key, "rest")
            wish = {"actionToken": granted.json()["actionToken"]}
            self._load.wish(operation, wish)
            async with trio.open_nursery() as nursery:
                if self._load.rng.random() < TWICE:
                    nursery.start_soon(self._spend_beside, operation, wish)
                await self._spend(operation, wish)
            await self._load.pause(PACE_S)
        self._asking.hang_up()
        self._beside.hang_up()

    async def _spend_beside(self, operation: Operation, wish: Mapping[str, Any]) -> None:
        self._load.journal.send(operation)
        with suppress(Cut):
            self._decided(
                operation,
                await self._beside.once("/api/scores/increment", wish, Idempotency_Key=operation.key),
            )

    async def _spend(self, operation: Operation, wish: Mapping[str, Any]) -> None:
        while True:
            self._load.journal.send(operation)
            try:
                answer = await self._asking.once("/api/scores/increment", wish, Idempotency_Key=operation.key)
            except Cut:
                if self._load.gives_up():
                    return
                await self._load.pause()
                continue
            if self._decided(operation, answer) and not self._load.says_again():
                return
            await self._load.pause()

    def _decided(self, operation: Operation, answer: Answer) -> bool:
        body = answer.json()
        if answer.status == 200:
            replayed = answer.headers.get("idempotency-replayed") == "true"
            told = Told(body["newScore"], body["previousRank"], body["newRank"], replayed)
            self._load.journal.tell(operation, told)
            return True
        if body["code"] in UNDECIDED:
            self._load.journal.note("not now", key=operation.key, code=body["code"])
            return False
        self._load.refuse(operation, body["code"])
        return True


class SocketWriter:
    """Some commands ahead, on a live socket."""

    def __init__(self, player: Player, load: Load) -> None:
        self._player, self._load = player, load
        self._name = f"socket {player.name}"
        self._count = 0
        self._open: dict[str, Operation] = {}
        self._wishes: dict[str, dict[str, Any]] = {}

    async def play(self) -> None:
        """See `Writer.play`."""
        while not self._load.enough or self._open:
            try:
                async with talk(self._load.port, self._player.token) as socket:
                    await self._connected(socket)
            except* ConnectionRejected as error:
                self._load.journal.lose(self._name, error.exceptions[0])
                self._let_some_go()
                await self._sign_in()
            except* BROKEN as error:
                self._load.journal.lose(self._name, error.exceptions[0])
                self._let_some_go()
            await self._load.pause()

    async def _sign_in(self) -> None:
        """Whatever worker takes it; the connection that is refused says nothing of which one it was."""
        with suppress(Cut):
            line = await Line.to(self._load.port)
            renewed = await self._load.renewed(self._player, line)
            self._load.journal.note("signs in", who=self._name, renewed=renewed)
            line.hang_up()

    def _let_some_go(self) -> None:
        for key in [key for key in self._open if self._load.gives_up()]:
            del self._open[key]

    async def _connected(self, socket: Talk) -> None:
        while not self._load.enough or self._open:
            if self._open:
                await self._spend(socket)
            else:
                await self._begin(socket)
            await self._load.pause(PACE_S * AHEAD)

    async def _begin(self, socket: Talk) -> None:
        answers = await self._ask(socket, "action.token", {f"t{number}": {} for number in range(AHEAD)})
        for answer in answers.values():
            if answer["event"] == "ack":
                self._count += 1
                key = f"socket-{self._player.name}-{self._count}-{self._load.rng.randrange(1 << 30)}"
                token = answer["data"]["actionToken"]
                self._open[key] = self._load.journal.begin(self._player.user_id, key, "socket")
                self._load.wish(self._open[key], {"actionToken": token})
                self._wishes[key] = {"actionToken": token, "idempotencyKey": key}

    async def _spend(self, socket: Talk) -> None:
        for operation in self._open.values():
            self._load.journal.send(operation)
        answers = await self._ask(socket, "score.increment", {key: self._wishes[key] for key in self._open})
        for key, answer in answers.items():
            self._hear(key, answer)

    def _hear(self, key: str, answer: dict[str, Any]) -> None:
        """Raises Cut if it is the session that is refused: the next connection is."""
        data, journal = answer["data"], self._load.journal
        if answer["event"] == "ack":
            told = Told(data["newScore"], data["previousRank"], data["newRank"], data["repeated"])
            journal.tell(self._open[key], told)
        elif data["code"] in SIGN_IN_AGAIN:
            raise Cut(f"{key}: {data}")
        elif data["code"] in UNDECIDED:
            journal.note("not now", key=key, code=data["code"])
            return
        else:
            self._load.refuse(self._open[key], data["code"])
        if not self._load.says_again():
            del self._open[key], self._wishes[key]

    async def _ask(self, socket: Talk, event: str, wishes: dict[str, Any]) -> dict[str, Any]:
        """The answer to each, by its id. Raises Cut."""
        for name, data in wishes.items():
            await socket.say(event, id=name, data=data)
        answers: dict[str, Any] = {}
        with trio.move_on_after(ANSWER_S) as scope:
            while len(answers) < len(wishes):
                message = await socket.hear()
                if message.get("id") in wishes:
                    answers[message["id"]] = message
        if scope.cancelled_caught:
            raise Cut(f"{event}: {len(wishes) - len(answers)} of {len(wishes)} not answered in {ANSWER_S:g} s")
        return answers


class BatchWriter:
    """One of the game's servers: points for all players, the last row once more in each batch."""

    def __init__(self, token: str, players: Sequence[Player], kinds: Mapping[str, int], load: Load) -> None:
        self._players, self._kinds, self._load = players, kinds, load
        self._asking = Asking(token, load)
        self._count = 0
        self._mark = load.rng.randrange(1 << 30)

    async def play(self) -> None:
        """See `Writer.play`."""
        while not self._load.enough:
            operations = [self._wanted() for _ in range(self._load.rng.randrange(1, 12))]
            rows = [self._row(operation) for operation in operations]
            for (operation, _), row in zip(operations, rows, strict=True):
                self._load.wish(operation, row)
            await self._until_all_told(operations, rows)
            await self._load.pause(PACE_S)
        self._asking.hang_up()

    def _wanted(self) -> tuple[Operation, str]:
        self._count += 1
        kind = self._load.rng.choice(sorted(self._kinds))
        player = self._load.rng.choice(self._players)
        key = f"batch-{self._mark}-{self._count}"
        return self._load.journal.begin(player.user_id, key, "batch", self._kinds[kind]), kind

    def _row(self, wanted: tuple[Operation, str]) -> dict[str, str]:
        operation, kind = wanted
        return {"userId": operation.user_id, "actionId": operation.key, "actionType": kind}

    async def _until_all_told(self, wanted: list[tuple[Operation, str]], rows: list[dict[str, str]]) -> None:
        while True:
            sending = partial(self._sending, wanted)
            answer = await self._asking.until_answered("/api/v1/scores/batch", {"scores": rows}, sending)
            if answer is None:
                return
            results = answer.json()["data"]["results"]
            undecided = False
            for (operation, _), result in zip(wanted, results, strict=True):
                undecided |= self._hear(operation, result)
            if not undecided and not self._load.says_again():
                return
            await self._load.pause()

    def _sending(self, wanted: list[tuple[Operation, str]]) -> None:
        for operation, _ in wanted:
            self._load.journal.send(operation)

    def _hear(self, operation: Operation, result: dict[str, Any]) -> bool:
        """Whether it is still undecided."""
        if result["success"]:
            told = Told(result["newScore"], result["previousRank"], result["newRank"], result["repeated"])
            self._load.journal.tell(operation, told)
        elif result["error"]["code"] in UNDECIDED:
            return True
        else:
            self._load.journal.refuse(operation, result["error"]["code"])
        return False
