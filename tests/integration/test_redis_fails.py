"""Whatever befalls Redis, two workers go on: each counts what it is asked to, and shows what the other one counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.redis_servers import RedisServers, redis_servers
from tests.served import Player, ServedScoreboard, served, wait_for
from tests.workers import OneWorker, Talk, both, connection_to

pytestmark = pytest.mark.stores

QUICK = {"SCOREBOARD_BOARD_TICK_S": "0.05"}
#: How long a screen may lag while Redis fails; a second is promised, and the machine may be busy.
LEVEL_S = 20.0
STREAM = "scoreboard:events"


@dataclass
class Pair:
    """Both workers, and a player who scores at the one while the other is watched."""

    server: ServedScoreboard
    redis: RedisServers
    here: OneWorker
    player: Player
    screen: Talk
    points: int = 0
    shown: int = 0

    def goes_on(self) -> None:
        """A score is answered 200, and comes to the screen at the other worker."""
        headers = {"Authorization": f"Bearer {self.player.access_token}"}
        token = self.here.post("/api/actions/token", headers=headers).json()["actionToken"]
        answer = self.here.post("/api/scores/increment", json.dumps({"actionToken": token}), headers)
        self.points += 1
        assert (200, self.points) == (answer.status, answer.json()["newScore"])
        wait_for(self._shows, LEVEL_S)

    def _shows(self) -> bool:
        said = json.loads(self.screen.heard())["data"]
        rows = said.get("leaderboard") or said.get("changes") or []
        self.shown = next((row["score"] for row in rows if row["userId"] == self.player.user_id), self.shown)
        return self.shown == self.points


@pytest.fixture(scope="module")
def pair(store_servers: object, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """They know Redis by its Sentinel."""
    folder: Path = tmp_path_factory.mktemp("redis")
    with redis_servers(folder) as redis:
        redis.watch(redis.nodes[0])
        words = ("--workers", "2", "--redis", redis.url)
        with served(folder / "data", *words, environ=QUICK) as server:
            here, there = both(server)
            with there.websocket("/ws/leaderboard") as screen:
                screen.say('{"event":"subscribe","data":{"channel":"leaderboard.top10"}}')
                pair = Pair(server, redis, here, Player(server, "Reed"), screen)
                pair.goes_on()
                yield pair


def emptied(redis: RedisServers) -> None:
    """Everything in it is gone."""
    redis.ask(redis.primary(), "FLUSHALL")


def full(redis: RedisServers) -> None:
    """It refuses whatever would take memory, and drops nothing by itself."""
    redis.ask(redis.primary(), "CONFIG", "SET", "maxmemory", "1")


def slow(redis: RedisServers) -> None:
    """For longer than anybody waits for it."""
    redis.ask(redis.primary(), "CLIENT", "PAUSE", "4000", "ALL")


def lonely(redis: RedisServers) -> None:
    """It takes no writes, for too few replicas would have them."""
    redis.ask(redis.primary(), "CONFIG", "SET", "min-replicas-to-write", "5")


def healed(redis: RedisServers) -> None:
    """As before."""
    for name in ("maxmemory", "min-replicas-to-write"):
        redis.ask(redis.primary(), "CONFIG", "SET", name, "0")
    redis.ask(redis.primary(), "CLIENT", "UNPAUSE")


@pytest.mark.parametrize("befalls", [emptied, full, slow, lonely])
def test_scores_count_and_screens_move_whatever_befalls_redis(
    pair: Pair, befalls: Callable[[RedisServers], None]
) -> None:
    """While it lasts, and afterwards, when the log of events is written again."""
    befalls(pair.redis)
    for _ in range(3):
        pair.goes_on()
    healed(pair.redis)
    wait_for(lambda: grows(pair), LEVEL_S)


def grows(pair: Pair) -> bool:
    """Whether a score is in the log of events, too."""
    before = pair.redis.ask(pair.redis.primary(), "XLEN", STREAM)
    pair.goes_on()
    return pair.redis.ask(pair.redis.primary(), "XLEN", STREAM) != before


def test_a_primary_that_dies_is_followed_by_the_one_that_sentinel_makes(pair: Pair) -> None:
    """Nobody is refused meanwhile. Both workers are with the new one, in whose log their scores are."""
    before = pair.redis.primary()
    pair.redis.kill(before)
    pair.goes_on()
    wait_for(lambda: pair.redis.primary() != before, 30)
    wait_for(lambda: grows(pair), LEVEL_S)
    pair.here = OneWorker(pair.server, 2, connection_to(pair.server, 2))
    wait_for(lambda: grows(pair), LEVEL_S)
