"""The limits of one worker, put together: what it has allowed, who shares that, and how players stand."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

import trio

from actors.limits.actor import LimitsActor, LimitsWorld
from actors.limits.limiter import Limiter
from actors.limits.players import LimitedPlayers
from actors.limits.standings import Adapting, Standings
from actors.limits.standings_actor import StandingsActor, StandingsWorld
from actors.limits.windows import Windows
from actors.ports import Stood, UserId
from actors.runtime import CellOptions, Ref, running_actor
from scoreboard.door.admission import site_of
from scoreboard.server.outside import CoreHooks, CorePorts


@dataclass(frozen=True, slots=True)
class Limited:
    """What is judged at once: requests, players, and rows of services; and whom one asks for an `Attempt`."""

    requests: Limiter
    rows: Limiter
    players: LimitedPlayers
    attempts: Ref
    standings: Standings

    def stood(self, user_id: UserId, outcome: Stood) -> None:
        """This worker has changed how somebody stands."""
        self.standings.stood(user_id, outcome.after, trio.current_time())


@asynccontextmanager
async def running_limits(
    ports: CorePorts, hooks: CoreHooks, adapting: Adapting, options: CellOptions
) -> AsyncIterator[Limited]:
    """Run them while the body runs. A flood of addresses pushes nobody else's windows out: those stand apart."""
    requests, rows, players, attempts = Windows(), Windows(), Windows(), Windows()
    standings = Standings(adapting)
    world = LimitsWorld(ports.limits, (requests, rows, players), attempts, missed=hooks.limits_missed)
    looking = StandingsWorld(standings, ports.standing, ports.fraud, ports.clock, missed=hooks.standings_missed)
    run = partial(running_actor, rng=ports.rng, options=options, observer=hooks.observer)
    async with AsyncExitStack() as stack:
        sharing = await stack.enter_async_context(run("limits", partial(LimitsActor, world)))
        looked_up = await stack.enter_async_context(run("standings", partial(StandingsActor, looking)))
        limited = LimitedPlayers(Limiter(players, sharing), standings, looked_up, ports.clock)
        yield Limited(Limiter(requests, sharing), Limiter(rows, sharing), limited, sharing, standings)


def marked(key: bytes, address: str) -> str:
    """The same for all addresses that share a limit; in Redis it tells nothing of who that is."""
    return hmac.digest(key, f"limits of {site_of(address)}".encode(), "sha256").hex()[:32]
