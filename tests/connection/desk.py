"""Connections of players over scripted transports, in front of real players' actors and a real ledger."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import trio
from trio.testing import wait_all_tasks_blocked

from actors.connection.commands import ClientCommand, CommandId, RequestToken, SpendToken
from actors.connection.connection import ConnectionWorld, LiveConnection
from actors.connection.events import Answered, ErrorEvent, PersonalEvent, Refused, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.ports import Source, UserId
from actors.runtime import Directory, Refusal
from actors.user.messages import ActionToken, ScoreAnswer, TokenIssued
from actors.user.world import UserRules
from tests.connection.feed import PersonalPickles, Viewer, Wire
from tests.user.player import FREE, Players, running_players

ANN = SignedIn(UserId("a"), "Ann", "session", 1)
HERE = Source("192.0.2.7", "a game")


class Numbers(PersonalPickles):
    """Writes an event as its number, so that any object can be read back; `broken` is raised instead."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[PersonalEvent] = []
        self.broken: Exception | None = None

    def personal(self, event: PersonalEvent) -> bytes:
        if self.broken is not None:
            raise self.broken
        self.said.append(event)
        return b"%d." % (len(self.said) - 1)


@dataclass
class Game:
    """A client that scores."""

    viewer: Viewer
    dialect: Numbers
    helpers: trio.Nursery = field(init=False)

    @property
    def heard(self) -> list[PersonalEvent]:
        """Every event, in the order in which the socket took it."""
        taken = b"".join(self.viewer.wire.taken).split(b".")[:-1]
        return [self.dialect.said[int(number)] for number in taken]

    @property
    def answers(self) -> list[Answered | Refused | ErrorEvent]:
        """Those of them that answer a command."""
        return [event for event in self.heard if isinstance(event, Answered | Refused | ErrorEvent)]

    @property
    def ids(self) -> list[CommandId | None]:
        """What has been answered."""
        return [event.id for event in self.answers]

    def answer(self, name: CommandId) -> Any:
        """What a command was answered: the actor's answer, or the code of a refusal."""
        (event,) = (
            each for each in self.heard if isinstance(each, Answered | Refused | ErrorEvent) and each.id == name
        )
        match event:
            case Answered(_, answer):
                return answer
            case Refused(_, reason):
                return reason.code if isinstance(reason, Refusal) else type(reason).__name__
        return event.code

    async def say(self, *commands: ClientCommand) -> None:
        """Say them all, and let them be worked on."""
        for command in commands:
            self.viewer.say.send_nowait(command)
        await wait_all_tasks_blocked()

    async def token(self, name: CommandId = "token") -> ActionToken:
        """A fresh token."""
        await self.say(RequestToken(name))
        issued = self.answer(name)
        assert isinstance(issued, TokenIssued)
        return issued.token

    async def spend(self, name: CommandId, token: ActionToken, key: str | None = None) -> Any:
        """Present a token; what was answered."""
        await self.say(SpendToken(name, token, key))
        await trio.sleep(0.5)  # an answer with a key is told once its ranks are on disk, too
        return self.answer(name)


@dataclass
class Desk:
    """The parts. `refused` is what the judge says of everybody."""

    players: Players
    nursery: trio.Nursery
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: ErrorEvent | None = None
    within_s: float = 15.0
    denied: list[tuple[str, str, SignedIn | None, Source]] = field(default_factory=list)

    @property
    def points(self) -> int:
        """What the store has for player a."""
        return self.players.office.player("a").score

    @property
    def users(self) -> Directory[UserId]:
        """Who decides."""
        return cast("Directory[UserId]", self.players.users)

    def _deny(self, *told: Any) -> None:
        self.denied.append(told)

    def connect(self, user: SignedIn | None = ANN, room: float = float("inf")) -> Game:
        """One more client."""

        async def who(_token: str) -> SignedIn | ErrorEvent:
            return ANN

        def answered(name: str, outcome: str) -> None:
            self.counts[name, outcome] += 1

        scoring = ScoringWorld(
            self.users, lambda _: self.refused, answered, self.within_s, lambda *told: self.denied.append(told)
        )
        nobody: Directory[str] = Directory("audience", cast(Any, None), rng=random.Random(0))
        world = ConnectionWorld(nobody, who, lambda: None, lambda: None, scoring)
        wire, dialect = Wire(room), Numbers()
        say, commands = trio.open_memory_channel[ClientCommand](1000)
        connection = LiveConnection(wire, dialect, world, user, HERE)
        viewer = Viewer(wire, say, connection, trio.CancelScope())
        game = Game(viewer, dialect)
        self.nursery.start_soon(_run, game, commands)
        return game


async def _run(game: Game, commands: trio.MemoryReceiveChannel[ClientCommand]) -> None:
    viewer = game.viewer
    try:
        with viewer.scope:
            async with trio.open_nursery() as game.helpers:
                await viewer.connection.run(commands, game.helpers)
                game.helpers.cancel_scope.cancel()
    except Exception as error:  # noqa: BLE001 - what a transport does with it is not under test here
        viewer.error = error
    viewer.ended.set()


@asynccontextmanager
async def running_desk(rules: UserRules = FREE, **settings: Any) -> AsyncIterator[Desk]:
    """Players a and b, and whatever connects."""
    async with running_players(rules) as players, trio.open_nursery() as nursery:
        yield Desk(players, nursery, **settings)
        nursery.cancel_scope.cancel()


def points_of(answer: object) -> int:
    """The score that was acknowledged."""
    assert isinstance(answer, ScoreAnswer), answer
    return answer.new_score
