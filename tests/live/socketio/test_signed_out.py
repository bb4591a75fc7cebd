"""Sessions of players whose own session ends."""

from __future__ import annotations

from actors.connection.events import SESSION_ENDED
from tests.live.socketio.wire import HELLO, open_socketio


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
