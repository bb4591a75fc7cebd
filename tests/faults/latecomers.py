"""Who asks once more for what was asked long ago, the same token and key: it counted once, and does so for ever."""

from __future__ import annotations

from typing import Any

from tests.faults.asking import Asking
from tests.faults.journal import Operation, Told
from tests.faults.line import Cut
from tests.faults.load import Load
from tests.faults.players import Player
from tests.faults.purging import SURE_S
from tests.faults.writers import UNDECIDED

#: From one to the next, seconds; of so many of the last operations one is chosen, or one of all.
PACE_S, LATELY = 0.4, 200
#: So many want another score for a token that has counted.
SPENT_AGAIN = 0.3


class Latecomer:
    """See `Writer`. Plays on behalf of all players, and of the service with that token."""

    def __init__(self, players: tuple[Player, ...], service: str, load: Load) -> None:
        self._players = {player.user_id: player for player in players}
        self._service, self._load = service, load
        known = [each for each in load.journal.operations if each.wish is not None and each.refused is None]
        self._known = [each for each in known if each.way == "batch" or each.user_id in self._players]

    async def play(self) -> None:
        """See `Writer.play`."""
        while self._known and not self._load.enough:
            last = self._known[-LATELY:] if self._load.rng.random() < 0.5 else self._known
            await self._ask_again(self._load.rng.choice(last))
            await self._load.pause(PACE_S)

    async def _ask_again(self, operation: Operation) -> None:
        ask = self._row if operation.way == "batch" else self._increment
        if operation.way == "rest" and operation.told and self._load.rng.random() < SPENT_AGAIN:
            ask = self._spend_again
        try:
            await ask(operation)
        except Cut:
            return

    async def _spend_again(self, operation: Operation) -> None:
        """With another key; whatever key has signed it, and whether that is believed by now."""
        asking = Asking(self._players[operation.user_id], self._load)
        key = f"again-{self._load.rng.randrange(1 << 40):x}"
        try:
            answer = await asking.once("/api/scores/increment", operation.wish, Idempotency_Key=key)
        finally:
            asking.hang_up()
        if answer.status == 200:
            self._load.journal.wonder(f"the token of {operation} was good once more: {answer.body!r}")

    async def _increment(self, operation: Operation) -> None:
        asking = Asking(self._players[operation.user_id], self._load)
        self._load.journal.send(operation)
        try:
            answer = await asking.once("/api/scores/increment", operation.wish, Idempotency_Key=operation.key)
        finally:
            asking.hang_up()
        body = answer.json()
        if answer.status == 200:
            replayed = answer.headers.get("idempotency-replayed") == "true"
            told = Told(body["newScore"], body["previousRank"], body["newRank"], replayed)
            self._load.journal.tell(operation, told)
        elif body["code"] not in UNDECIDED:
            self._is_refused(operation, body["code"])

    async def _row(self, operation: Operation) -> None:
        asking = Asking(self._service, self._load)
        self._load.journal.send(operation)
        try:
            answer = await asking.once("/api/v1/scores/batch", {"scores": [operation.wish]})
        finally:
            asking.hang_up()
        if answer.status != 200:
            return
        [result] = answer.json()["data"]["results"]
        if result["success"]:
            self._load.journal.tell(operation, _told(result))
        elif result["error"]["code"] not in UNDECIDED:
            self._is_refused(operation, result["error"]["code"])

    def _is_refused(self, operation: Operation, code: str) -> None:
        """An old token may be refused when its key is forgotten; the name of an action never is."""
        age_s = self._load.clock.true_s() - operation.first_s
        self._load.journal.note("too late", key=operation.key, code=code, age_s=round(age_s))
        if operation.told and (operation.way == "batch" or age_s < SURE_S):
            self._load.journal.wonder(f"{operation} was asked again after {age_s / 3600:.1f} hours and refused: {code}")


def _told(result: dict[str, Any]) -> Told:
    return Told(result["newScore"], result["previousRank"], result["newRank"], result["repeated"])
