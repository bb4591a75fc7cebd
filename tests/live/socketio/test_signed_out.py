"""Sessions of players whose own session ends."""

from __future__ import annotations

import trio

from actors.connection.events import SESSION_ENDED
from tests.live.socketio.wire import HELLO, open_socketio, until


async def test_a_session_ends_with_that_of_its_player() -> None:
    """On a WebSocket with a code of its own, for who polls with the packet that ends all; a spectator stays."""
    async with open_socketio() as live, live.socket() as socket, live.socket() as spectator:
        poller = await live.begin()
        for each in (socket, spectator):
            await each.connect('{"token":"good"}' if each is socket else "")
        await poller.say(HELLO + '{"token":"good"}')
        await poller.until('42["leaderboard_update"')
        live.signins.end_session("")
        assert (await socket.event_of("error"))["code"] == "TOKEN_REVOKED"
        assert await socket.closed() == SESSION_ENDED
        assert (await live.http.get(poller.address)).json()["code"] == 1
        await spectator.say('42["ping",7]')
        assert await spectator.packet() == '42["pong",7]'
    assert live.failures == []


async def test_a_poller_that_waits_hears_why() -> None:
    """Without the packet that ends all, with which its client would not tell it; the next request finds no session."""
    async with open_socketio() as live, trio.open_nursery() as nursery:
        poller = await live.begin()
        await poller.say(HELLO + '{"token":"good"}')
        await poller.until('42["leaderboard_update"')
        answers: list[list[str]] = []

        @nursery.start_soon
        async def polling() -> None:
            answers.append(await poller.poll())

        session = live.service._sessions.find(poller.sid)
        assert session is not None
        await until(lambda: session._engine.polled)
        live.signins.end_session("")
        await until(lambda: answers)
        [[why]] = answers
        assert why.startswith('42["error",{"code":"TOKEN_REVOKED"')
        assert (await live.http.get(poller.address)).json()["code"] == 1
