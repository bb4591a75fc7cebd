"""One command over a live connection of its own, by somebody who may have gone before it is answered."""

from __future__ import annotations

import math
import pickle

import trio

from actors.connection.commands import ClientCommand, SpendToken
from actors.connection.connection import LiveConnection
from actors.connection.events import Answered, ErrorEvent, Refused, SignedIn
from actors.ports import UserId
from actors.user.messages import ScoreAnswer
from actors.user.token import ActionToken
from tests.connection.feed import PersonalPickles, Wire
from tests.simulation.spectators import Frames
from tests.simulation.worker import Gone, Serving


async def spend(serving: Serving, user_id: UserId, token: ActionToken, key: str | None, within: float) -> ScoreAnswer:
    """Spend a token so. Raises what was the reason of a refusal, and Gone if nothing was heard `within` so long."""
    heard = await _say(serving, user_id, SpendToken(1, token, key), within)
    if isinstance(heard, Refused):
        raise heard.reason
    if not (isinstance(heard, Answered) and isinstance(heard.answer, ScoreAnswer)):
        raise Gone
    return heard.answer


async def _say(serving: Serving, user_id: UserId, command: ClientCommand, within: float) -> object:
    heard: list[object] = []
    come = trio.Event()

    def hear(frames: bytes) -> None:
        for event in pickle.loads(frames):
            if isinstance(event, Answered | Refused | ErrorEvent) and not serving.life.over:
                heard.append(event)
                come.set()

    wire = Wire()
    wire.taken = Frames(hear)
    say, commands = trio.open_memory_channel[ClientCommand](math.inf)
    connection = LiveConnection(wire, PersonalPickles(), serving.connections, SignedIn(user_id, user_id))
    with trio.move_on_after(within) as patience:
        serving.life.clients[patience] = None
        try:
            async with trio.open_nursery() as helpers:
                helpers.start_soon(connection.run, commands, helpers)
                say.send_nowait(command)
                await come.wait()
                helpers.cancel_scope.cancel()
        finally:
            serving.life.clients.pop(patience, None)
            say.close()
    return heard[0] if heard else None
