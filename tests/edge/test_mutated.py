"""Ten thousand connections of garbage that was good once, beside players who score."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio

from tests.edge.books import books_of, complaints, refused, wait_until_back
from tests.edge.mutator import CASES, Case, case
from tests.edge.players import Players
from tests.edge.volley import volley
from tests.served import ServedScoreboard, served

pytestmark = pytest.mark.stores


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedScoreboard]:
    """A server for all that is sent here."""
    with served(tmp_path_factory.mktemp("mutated") / "data") as running:
        yield running


async def test_ten_thousand_mutated_connections_cost_nobody_else_anything(server: ServedScoreboard) -> None:
    """Each is told what is wrong, or what it asked for, and ended; none makes the server fail. Players go on."""
    players = Players(server)
    await volley(server.port, map(case, range(100)))
    before = books_of(server)
    async with players.scoring() as scored:
        outcome = await volley(server.port, map(case, range(CASES)))
    assert {} == outcome.wrong
    assert ({}, True) == (scored.failed, scored.counted > 20)
    await trio.to_thread.run_sync(wait_until_back, lambda: books_of(server), before)
    assert {"limits_off": 1} == complaints(server)
    assert {"bad_head", "bad_body", "large_head", "http2", "gone"} <= set(refused(server))


def test_a_case_is_always_the_same() -> None:
    """So that the one that found something can be sent again, and no two runs differ."""
    assert case(4711) == case(4711)
    assert 9_000 < len({case(number).sent for number in range(CASES)})


async def test_a_server_that_fails_or_hangs_is_noticed() -> None:
    """Otherwise the ten thousand would show nothing."""

    async def wrong(stream: trio.SocketStream) -> None:
        asked = await stream.receive_some(100)
        if asked.startswith(b"fail"):
            await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 500 Internal Server Error\r\n\r\n")
        elif asked.startswith(b"babble"):
            await stream.send_all(b"Traceback")

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, wrong, listeners)
        sent = [Case(number, said, upgraded=False) for number, said in enumerate((b"fail", b"babble", b"silence"))]
        outcome = await volley(listeners[0].socket.getsockname()[1], sent)
        nursery.cancel_scope.cancel()
    assert ([0, 1], 1) == (sorted(outcome.wrong), outcome.silent)
