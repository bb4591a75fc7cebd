"""The bad network does what it says: a fault that did not happen would make every round green."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from tests.faults.proxy import Proxy, proxied


@dataclass(frozen=True, slots=True)
class Talk:
    """One connection through the proxy: the client's end, and the server's."""

    proxy: Proxy
    client: trio.SocketStream
    server: trio.SocketStream


Accepted = trio.MemoryReceiveChannel[trio.SocketStream]


@asynccontextmanager
async def target(path: Path | None = None) -> AsyncIterator[tuple[Proxy, Accepted]]:
    """A server behind a proxy that hands out whom it accepts."""
    send, receive = trio.open_memory_channel[trio.SocketStream](10)
    async with trio.open_nursery() as nursery:
        if path is None:
            [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1")
        else:
            unix = trio.socket.socket(trio.socket.AF_UNIX)
            await unix.bind(os.fspath(path))
            unix.listen()
            listener = trio.SocketListener(unix)

        async def accept() -> None:
            while True:
                await send.send(await listener.accept())

        nursery.start_soon(accept)
        address = listener.socket.getsockname()
        async with proxied(address if path else address[:2]) as proxy:
            yield proxy, receive
        nursery.cancel_scope.cancel()
        await listener.aclose()


@asynccontextmanager
async def talk(path: Path | None = None) -> AsyncIterator[Talk]:
    """A client that is connected to a server through a good network."""
    with trio.fail_after(60):
        async with target(path) as (proxy, accepted):
            async with await trio.open_tcp_stream(*proxy.address) as client, await accepted.receive() as server:
                yield Talk(proxy, client, server)


async def is_silent(what: Callable[[], Awaitable[object]]) -> bool:
    """Whether it is still waiting when nobody else has had anything to do for a tenth of a second."""
    over = False

    async def watched() -> None:
        nonlocal over
        await what()
        over = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watched)
        await wait_all_tasks_blocked(0.1)
        nursery.cancel_scope.cancel()
    return not over


@pytest.mark.parametrize("unix", [False, True])
async def test_a_good_network_carries_both_ways_and_says_when_somebody_hangs_up(tmp_path: Path, unix: bool) -> None:  # noqa: FBT001
    """To a port and to a Unix socket."""
    async with talk(tmp_path / "s" if unix else None) as each:
        await each.client.send_all(b"ask")
        assert b"ask" == await each.server.receive_some()
        await each.server.send_all(b"answer")
        assert b"answer" == await each.client.receive_some()
        await each.client.send_eof()
        assert b"" == await each.server.receive_some()
        await each.server.send_all(b"last")
        await each.server.aclose()
        assert b"last" == await each.client.receive_some()
        assert b"" == await each.client.receive_some()
        assert (3, 10) == (each.proxy.paths[0].to_server.carried, each.proxy.paths[0].to_client.carried)


async def test_a_black_hole_swallows_everything_until_it_heals() -> None:
    """Also that somebody hung up. Then all of it arrives."""
    async with talk() as each:
        each.proxy.black_hole()
        await each.client.send_all(b"ask")
        await each.server.send_all(b"answer")
        await each.server.aclose()
        assert await is_silent(each.client.receive_some)
        each.proxy.heal()
        assert b"answer" == await each.client.receive_some()
        assert b"" == await each.client.receive_some()


async def test_who_connects_into_a_black_hole_hears_nothing_and_reaches_nobody() -> None:
    """The server sees the connection when it heals."""
    async with target() as (proxy, accepted):
        proxy.black_hole()
        async with await trio.open_tcp_stream(*proxy.address) as client:
            await client.send_all(b"ask")
            assert await is_silent(accepted.receive)
            proxy.heal()
            with trio.fail_after(60):
                async with await accepted.receive() as server:
                    assert b"ask" == await server.receive_some()


async def test_a_black_hole_on_one_path_swallows_every_other_connection() -> None:
    """The others do not notice."""
    with trio.fail_after(60):
        async with target() as (proxy, accepted):
            async with await trio.open_tcp_stream(*proxy.address) as client, await accepted.receive() as server:
                async with await trio.open_tcp_stream(*proxy.address) as other, await accepted.receive() as there:
                    proxy.black_hole(paths=1)
                    await client.send_all(b"ask")
                    await other.send_all(b"ask")
                    assert b"ask" == await there.receive_some()
                    assert await is_silent(server.receive_some)
                    proxy.heal()
                    assert b"ask" == await server.receive_some()


async def obeyed_in_silence(each: Talk) -> None:
    """The server does what it is asked; the client hears so when all is well again."""
    await each.client.send_all(b"commit")
    assert b"commit" == await each.server.receive_some()
    await each.server.send_all(b"done")
    assert await is_silent(each.client.receive_some)
    each.proxy.heal()
    assert b"done" == await each.client.receive_some()


async def test_answers_alone_can_be_swallowed() -> None:
    """The server does what it is asked, and the client does not know."""
    async with talk() as each:
        each.proxy.swallow_answers()
        await obeyed_in_silence(each)


async def test_a_reset_breaks_both_ends() -> None:
    """With an error, not with an end."""
    async with talk() as each:
        assert 1 == each.proxy.reset()
        with pytest.raises(trio.BrokenResourceError) as broken:
            await each.client.receive_some()
        assert isinstance(broken.value.__cause__, OSError)
        assert errno.ECONNRESET == broken.value.__cause__.errno
        with pytest.raises(trio.BrokenResourceError):
            await each.server.receive_some()
        await wait_all_tasks_blocked(0.05)
        assert 0 == each.proxy.connections == each.proxy.reset()


async def test_one_client_alone_can_be_cut_off() -> None:
    """By the port from which it connects; others do not notice, and in the end all arrives."""
    async with talk() as each:
        async with target() as (proxy, accepted):
            async with await trio.open_tcp_stream(*proxy.address) as client, await accepted.receive() as server:
                ports = {client.socket.getsockname()[1]}
                assert 1 == proxy.set_aside(lambda: frozenset(ports))
                await client.send_all(b"ask")
                assert await is_silent(server.receive_some)
                async with await trio.open_tcp_stream(*proxy.address) as other, await accepted.receive() as there:
                    await other.send_all(b"ask")
                    assert b"ask" == await there.receive_some()
                proxy.heal()
                assert b"ask" == await server.receive_some()
        await each.client.send_all(b"ask")
        assert b"ask" == await each.server.receive_some()


async def test_who_comes_anew_is_cut_off_like_those_who_were_there() -> None:
    """Silently, or by a reset."""
    async with target() as (proxy, accepted):
        chosen = trio.socket.socket()
        await chosen.bind(("127.0.0.1", 0))
        proxy.set_aside(lambda: frozenset({chosen.getsockname()[1]}))
        await chosen.connect(proxy.address)
        async with trio.SocketStream(chosen):
            assert await is_silent(accepted.receive)
        proxy.set_aside(lambda: frozenset(range(1 << 16)), refused=True)
        assert proxy.sets_aside
        await breaks(proxy)


async def test_one_client_alone_can_lose_the_answers() -> None:
    """What it asks arrives."""
    async with talk() as each:
        port = each.client.socket.getsockname()[1]
        each.proxy.set_aside(lambda: frozenset({port}), silent_to_server=False)
        await obeyed_in_silence(each)


async def test_a_connection_can_be_lost_between_a_statement_and_its_answer() -> None:
    """Between one that is chosen: others are answered. The server has obeyed."""
    async with talk() as each:
        each.proxy.losing = lambda _, data: b"COMMIT" in data
        await each.client.send_all(b"Q....SELECT")
        assert b"Q....SELECT" == await each.server.receive_some()
        await each.server.send_all(b"1")
        assert b"1" == await each.client.receive_some()
        await each.client.send_all(b"Q....COMMIT")
        assert b"Q....COMMIT" == await each.server.receive_some()
        assert await is_silent(each.client.receive_some)
        await each.server.send_all(b"done")
        with pytest.raises(trio.BrokenResourceError):
            await each.client.receive_some()
        assert 1 == each.proxy.lost


async def test_half_an_answer_arrives_and_then_the_end() -> None:
    """Of a piece that is chosen; those before it arrive whole."""
    async with talk() as each:
        chosen = iter([False, True])
        each.proxy.halving = lambda: next(chosen)
        await each.server.send_all(b"whole")
        assert b"whole" == await each.client.receive_some()
        await each.server.send_all(b"half of it")
        assert (b"half ", b"") == (await each.client.receive_some(), await each.client.receive_some())
    assert 1 == each.proxy.halved


async def test_nobody_gets_through_to_a_server_that_is_not_there(tmp_path: Path) -> None:
    """The connection breaks at once."""
    async with proxied(str(tmp_path / "nobody")) as proxy:
        await breaks(proxy)


async def test_nobody_gets_through_to_a_server_that_does_not_accept() -> None:
    """Nor does the server hear of it."""
    async with target() as (proxy, accepted):
        proxy.refusing = True
        await breaks(proxy)
        assert await is_silent(accepted.receive)


async def breaks(proxy: Proxy) -> None:
    """A new connection does, with an error."""
    with trio.fail_after(60), pytest.raises(trio.BrokenResourceError):
        async with await trio.open_tcp_stream(*proxy.address) as client:
            await client.receive_some()


async def test_a_broken_end_is_told_to_the_other() -> None:
    """A server that is killed is not a server that is silent."""
    async with talk() as each:
        each.server.setsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        each.server.socket.close()
        with pytest.raises(trio.BrokenResourceError):
            await each.client.receive_some()


async def test_delay_and_throttle_take_their_time_and_lose_nothing() -> None:
    """By Trio's clock, and at least what was asked for."""
    async with talk() as each:
        each.proxy.delay(0.05)
        began = trio.current_time()
        await each.client.send_all(b"x")
        assert b"x" == await each.server.receive_some()
        assert trio.current_time() - began >= 0.05
        each.proxy.throttle(2_000)
        began, got = trio.current_time(), 0
        await each.client.send_all(b"x" * 400)
        while got < 400:
            got += len(await each.server.receive_some())
        assert trio.current_time() - began >= 0.15
        each.proxy.heal()
        assert (0.0, False) == (each.proxy.paths[0].to_server.delay_s, each.proxy.paths[0].to_server.silent)
