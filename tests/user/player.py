"""A player's actor in front of a real ledger."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest
import trio

from actors.actions.actor import ActionsActor, ActionsWorld
from actors.actions.proof import HmacVerifier
from actors.fraud.messages import Action
from actors.limits.limiter import Limiter
from actors.limits.players import LimitedPlayers
from actors.limits.standings import Adapting, Standings
from actors.limits.windows import Windows
from actors.ports import HMAC, PlayerLimits, Quota, Source, UserId
from actors.runtime import ActorError, Directory, Ref, Refusal, running_actor
from actors.user.actor import UserActor
from actors.user.messages import Increment, IssueToken, ScoreAnswer
from actors.user.token import ActionKeys, ActionToken, issue
from actors.user.world import UserRules, UserWorld
from tests.fakes import FakeEvidenceStore, FakeScoreStore
from tests.fakes.system import CountedIds, SetClock, TrioClock
from tests.ledger.office import PATIENT, Office, running_office

HERE = Source("192.0.2.1", "test")
KEYS = ActionKeys(b"key", (b"old key",), (b"oldest key",))
GAME_KEY = b"key of the game"
FREE = UserRules(tokens=None, increments=None, updates=None)
STRICT = UserRules(tokens=Quota(10), increments=Quota(5))


def unshared() -> LimitedPlayers:
    """The limits of a worker whose players stand as everybody, and which shares them with nobody."""
    nobody = Ref("nobody", lambda _: None)
    return LimitedPlayers(Limiter(Windows(), nobody), Standings(Adapting()), nobody, TrioClock())


@dataclass
class Players:
    """The parts, and the verbs of tests."""

    office: Office
    users: Directory[str]
    clock: SetClock
    results: list[object] = field(default_factory=list)

    async def token(self, name: str = "a") -> ActionToken:
        return (await self.users.ask(name, IssueToken(), within=30)).token

    async def increment(self, token: ActionToken, key: str | None = None, name: str = "a") -> ScoreAnswer:
        return await self.users.ask(name, Increment(token, key, HERE), within=30)

    async def score(self, key: str | None = None) -> ScoreAnswer:
        return await self.increment(await self.token(), key)

    async def try_increment(self, token: ActionToken, key: str | None = None) -> object:
        """The answer or the error; noted, too."""
        try:
            result: object = await self.increment(token, key)
        except ActorError as error:
            result = error
        self.results.append(result)
        return result

    def forged(self, name: str = "a", *, age_s: float = 0, key: bytes = b"key") -> ActionToken:
        """A token made beside the actor."""
        now_ms = self.clock.now_us() // 1000 - round(age_s * 1000)
        return issue(UserId(name), now_ms=now_ms, nonce=f"{random.random()}"[2:], keys=ActionKeys(key))


@asynccontextmanager
async def running_players(
    rules: UserRules = FREE,
    *,
    idle_after_s: float = 120,
    ledger: Ref | None = None,
    limits: PlayerLimits | None = None,
    watched: Callable[[Action], None] = lambda _: None,
    challenged: Callable[[UserId], bool] = lambda _: False,
    history: Callable[[], str] = lambda: "",
) -> AsyncIterator[Players]:
    """Players a and b; in front of the office's ledger, unless another is given."""
    clock, ids = SetClock(), CountedIds()
    async with running_office() as office, AsyncExitStack() as scopes:
        office.add("a", "b")
        catalogue = FakeScoreStore(office.store.players, clock)
        actions_world = ActionsWorld(
            catalogue, FakeEvidenceStore(catalogue), clock, {HMAC: HmacVerifier(lambda _: [GAME_KEY])}
        )
        actions = await scopes.enter_async_context(
            running_actor("actions", partial(ActionsActor, actions_world), rng=random.Random(0), options=PATIENT)
        )
        parts = (ledger or office.ledger, actions, limits or unshared(), watched, challenged, history)
        world = UserWorld(clock, ids, lambda: KEYS, rules, *parts)
        users: Directory[str] = Directory(
            "user",
            lambda key: UserActor(UserId(key), world),
            rng=random.Random(0),
            options=PATIENT,
            idle_after_s=idle_after_s,
        )
        async with users.running():
            yield Players(office, users, clock)


async def many(count: int, players: Players, token: ActionToken, key: str | None = None) -> list[object]:
    """The same request so many times at once."""
    players.results.clear()
    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(players.try_increment, token, key)
    return players.results


async def refused_as(kind: type[Refusal], asking: object) -> Refusal:
    """The refusal, which is of exactly that kind."""
    with pytest.raises(kind) as caught:
        await asking  # type: ignore[misc]
    assert type(caught.value) is kind
    return caught.value
