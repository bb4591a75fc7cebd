"""Scoring over real sockets: what a game sends, and what it reads."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import trio

from actors.connection.events import ErrorEvent, SignedIn
from actors.connection.scoring import ScoringWorld
from actors.ports import Source, UserId
from actors.runtime import Directory
from scoreboard.live import FeedLimits, FrameLimits, FrameRate
from tests.live.feeds import Client, OpenFeed, open_feed
from tests.live.wire import text
from tests.user.player import Players, running_players


@dataclass
class Arcade:
    """A feed whose one player, u1, is real; `ended` says which sessions have."""

    live: OpenFeed
    players: Players
    ended: set[str]

    @asynccontextmanager
    async def game(self, **headers: str) -> AsyncGenerator[Client]:
        """A signed-in client."""
        async with self.live.client(authorization="Bearer good", **headers) as client:
            yield client

    @property
    def points(self) -> int:
        """What the store has."""
        return self.players.office.player("u1").score


@asynccontextmanager
async def open_arcade(limits: FeedLimits | None = None) -> AsyncGenerator[Arcade]:
    """Serve while the body runs."""
    ended: set[str] = set()

    def refusal(user: SignedIn) -> ErrorEvent | None:
        return ErrorEvent("ACCESS_TOKEN_REVOKED", "It has ended.") if user.session_id in ended else None

    async with running_players() as players:
        players.office.add("u1")
        users = cast("Directory[UserId]", players.users)
        scoring = ScoringWorld(users, refusal, lambda _name, _outcome: None)
        async with open_feed(limits, scoring=scoring) as live:
            yield Arcade(live, players, ended)


async def ask(client: Client, event: str, name: int | str, **data: Any) -> Any:
    """Send a command and read what comes next."""
    await client.stream.send_all(text(json.dumps({"event": event, "id": name, "data": data})))
    return await client.message()


async def test_a_cycle_of_token_and_increment() -> None:
    """The token goes back as it came; the answers carry the ids; the audit knows the client."""
    async with open_arcade() as arcade, arcade.game(user_agent="a game") as client:
        issued = await ask(client, "action.token", 1)
        assert ("ack", 1, 60) == (issued["event"], issued["id"], issued["data"]["expiresIn"])
        scored = await ask(client, "score.increment", "two", actionToken=issued["data"]["actionToken"])
        assert {
            "event": "ack",
            "id": "two",
            "data": {
                "success": True,
                "newScore": 1,
                "previousRank": scored["data"]["previousRank"],
                "newRank": 1,
                "rankChanged": scored["data"]["rankChanged"],
                "repeated": False,
            },
        } == scored
        assert [Source("127.0.0.1", "a game")] == [write.source for write, _ in arcade.players.office.store.ledger]
        await client.leave()


async def test_commands_may_be_sent_without_waiting_for_answers() -> None:
    """In one piece or cut anywhere; they are decided in their order."""
    async with open_arcade() as arcade, arcade.game() as client:
        tokens = [(await ask(client, "action.token", number))["data"]["actionToken"] for number in range(10)]
        commands = [
            {"event": "score.increment", "id": number, "data": {"actionToken": token, "idempotencyKey": f"k{number}"}}
            for number, token in enumerate(tokens)
        ]
        pieces = b"".join(text(json.dumps(command)) for command in commands)
        for start in range(0, len(pieces), 701):
            await client.stream.send_all(pieces[start : start + 701])
        answers = [await client.message() for _ in tokens]
        assert [(number, number + 1) for number in range(10)] == [
            (answer["id"], answer["data"]["newScore"]) for answer in answers
        ]
        await client.leave()


async def test_a_dropped_socket_loses_nothing_and_doubles_nothing() -> None:
    """The same key on a new socket hears what became of it, wherever the first one was cut off."""
    async with open_arcade() as arcade:
        for number in range(10):
            async with arcade.game() as client:
                token = (await ask(client, "action.token", 1))["data"]["actionToken"]
                data = {"actionToken": token, "idempotencyKey": f"key {number}".replace(" ", "-")}
                command = text(json.dumps({"event": "score.increment", "id": 2, "data": data}))
                await client.stream.send_all(command[: len(command) - (number % 3 == 0)])
            async with arcade.game() as again:
                answer = await ask(again, "score.increment", 3, **data)
                assert ("ack", number + 1) == (answer["event"], answer["data"]["newScore"])
        assert arcade.points == 10


async def test_bad_input_changes_nothing_and_is_answered_by_its_id() -> None:
    """The connection goes on."""
    async with open_arcade() as arcade, arcade.game() as client:
        issued = await ask(client, "action.token", 1)
        refused = await ask(client, "score.increment", 2, actionToken=issued["data"]["actionToken"], points=100)
        assert ("error", 2, "INVALID_INPUT") == (refused["event"], refused["id"], refused["data"]["code"])
        assert arcade.points == 0
        scored = await ask(client, "score.increment", 2, actionToken=issued["data"]["actionToken"])
        assert scored["event"] == "ack"
        await client.leave()


async def test_a_spectator_is_told_to_sign_in_and_may_then_score() -> None:
    """By the message; and a session that ends in the middle is noticed."""
    async with open_arcade() as arcade, arcade.live.client() as client:
        refused = await ask(client, "action.token", 1)
        assert ("error", 1, "UNAUTHORIZED") == (refused["event"], refused["id"], refused["data"]["code"])
        await client.stream.send_all(text('{"event":"authenticate","data":{"token":"good"}}'))
        assert (await client.message())["event"] == "authenticated"
        assert (await ask(client, "action.token", 2))["event"] == "ack"
        arcade.ended.add("")
        assert (await ask(client, "action.token", 3))["data"]["code"] == "ACCESS_TOKEN_REVOKED"
        await client.leave()


async def test_only_who_has_signed_in_may_send_fast() -> None:
    """Anybody else is read more slowly: the second of two frames waits for its share of a long time."""
    limits = FeedLimits(frames=FrameLimits(anybody=FrameRate(0.001, 1), players=FrameRate(1e6, 1e6)))
    async with open_arcade(limits) as arcade:
        async with arcade.game() as client:
            for number in range(50):
                assert (await ask(client, "action.token", number))["event"] == "ack"
            await client.leave()
        async with arcade.live.client() as client:
            await client.stream.send_all(text('{"event":"ping"}') * 3)
            with trio.move_on_after(0.2) as patience:
                await client.message()
            assert patience.cancelled_caught
