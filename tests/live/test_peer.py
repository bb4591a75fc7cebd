"""Gone, or only not reading."""

from __future__ import annotations

import socket

import pytest
import trio

from scoreboard.live.peer import TcpInfo, is_gone


@pytest.mark.parametrize(
    ("unacked", "last_ack_ms", "gone"),
    [
        (3, 20_000, True),  # retransmitted, and nothing comes back
        (3, 19_999, False),  # not yet for so long
        (0, 90_000, False),  # nothing in flight: the window is closed, or there was nothing to send
    ],
)
def test_only_a_machine_that_owes_an_answer_is_gone(unacked: int, last_ack_ms: int, *, gone: bool) -> None:
    """A closed window is the sign of a living kernel."""
    assert TcpInfo(unacked, last_ack_ms).is_gone(20) is gone


async def test_a_client_that_has_stopped_reading_is_not_gone() -> None:
    """Its kernel has acknowledged all that it took, however full it is."""
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener, await trio.open_tcp_stream(*listener.socket.getsockname()[:2]):
        async with await listener.accept() as near:
            with trio.move_on_after(0.2):
                await near.send_all(b"x" * 50_000_000)
            with socket.socket(fileno=near.socket.detach()) as bare:
                assert not is_gone(bare, 0.0)
            assert not is_gone(bare, 0.0)
