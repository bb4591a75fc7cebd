"""How a program begins."""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import trio

from scoreboard.client.account import Account, Tokens, TokenSource
from scoreboard.client.errors import ScoreboardError
from scoreboard.client.network import network
from scoreboard.client.pace import DEBOUNCE_S
from scoreboard.client.records import Status
from scoreboard.client.requests import Requests
from scoreboard.client.scoreboard import Scoreboard
from scoreboard.client.world import World

_log = logging.getLogger("scoreboard.client")


def _warn(error: ScoreboardError) -> None:
    _log.warning("%s", error)


def _unheard(_: object) -> None:
    """Nobody listens."""


@asynccontextmanager
async def connect(  # noqa: PLR0913 - each has a name and a default
    url: str,
    *,
    token: str | TokenSource | None = None,
    refresh_token: str | None = None,
    debounce_s: float = DEBOUNCE_S,
    on_status: Callable[[Status], None] = _unheard,
    on_error: Callable[[ScoreboardError], None] = _warn,
    on_tokens: Callable[[Tokens], None] = _unheard,
    tls: ssl.SSLContext | None = None,
    world: World | None = None,
) -> AsyncIterator[Scoreboard]:
    """A scoreboard that stays connected for the time of a block, through restarts of the server and lost lines.

    Args:
        url: Of the server, such as ``https://scores.example.org``.
        token: An access token of the player, or an async function that fetches one; without it one watches only. The
            function may raise NoAnswer to be asked again later; anything else that it raises ends the block.
        refresh_token: With it an access token that is no longer good is renewed.
        debounce_s: A loop over `watch` gets at most one view in so many seconds; 0 gives each at once.
        on_status: Hears of every change of the way to the server.
        on_error: Hears of what nobody waits for, such as a sign-in that has ended; it is logged otherwise.
        on_tokens: Hears of new tokens, to keep them.
        tls: Whom to trust, where that is not who the machine trusts: `ssl.create_default_context(cafile=...)` for an
            authority of one's own. For requests and for the live feed alike.
        world: Another network and another chance, for tests.

    Raises:
        ValueError: `url` is no address of a server.
    """
    async with AsyncExitStack() as stack:
        world = world or World(await stack.enter_async_context(network(url, tls)))
        requests = Requests(world.transport)
        account = Account(requests.ask, token, refresh_token, on_tokens)
        scoreboard = Scoreboard(account, requests, world, debounce_s, on_status, on_error)
        async with _running(scoreboard):
            yield scoreboard


@asynccontextmanager
async def _running(scoreboard: Scoreboard) -> AsyncIterator[None]:
    """What the block raises comes out as it is, not in a group."""
    failure: Exception | KeyboardInterrupt | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(scoreboard.run)
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - raised below
            failure = error
        finally:
            scoreboard.close()
            nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
