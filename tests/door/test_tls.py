"""TLS at the door: a real door, real handshakes, certificates that are made here."""

from __future__ import annotations

import hashlib
import os
import random
import socket
import ssl
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from scoreboard.door import DoorLimits, Drop
from scoreboard.door.tls import Tls, TlsFiles, TlsFilesError
from scoreboard.door.tls_stream import MOST_AT_ONCE, TlsSocket
from tests.certificates import trusting, write_certificate
from tests.door.attacks import PLAIN
from tests.door.doors import BIG, OpenDoor, app, open_door, read_all, read_until
from tests.door.new_keys import NewKeys

LAST = PLAIN.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
PATH = LAST.split(b" ")[1]


def write_files(folder: Path) -> TlsFiles:
    """A fresh certificate and its key."""
    return TlsFiles(*write_certificate(folder))


async def connect(opened: OpenDoor, context: ssl.SSLContext | None = None) -> trio.SSLStream[trio.SocketStream]:
    """A client whose handshake is over."""
    stream = trio.SSLStream(
        await opened.connect(), context or trusting(), server_hostname="localhost", https_compatible=True
    )
    try:
        await stream.do_handshake()
    except trio.BrokenResourceError:
        await trio.aclose_forcefully(stream)
        raise
    return stream


async def _all_of(stream: trio.SSLStream[trio.SocketStream]) -> bytes:
    received = b""
    while data := await stream.receive_some():
        received += data
    return received


async def test_requests_are_answered_within_tls(tmp_path: Path) -> None:
    """Of TLS 1.2 or later, as HTTP/1.1 whatever else the client offers; two requests in one record are two answers."""
    async with open_door(tls=Tls(write_files(tmp_path))) as opened, await connect(opened) as stream:
        assert ("http/1.1", "TLSv1.3") == (stream.selected_alpn_protocol(), stream.version())
        await stream.send_all(PLAIN + LAST)
        answers = await _all_of(stream)
        assert (2, 2) == (answers.count(b"HTTP/1.1 200"), answers.count(b"hello"))


async def test_a_body_of_many_records_is_read_whole(tmp_path: Path) -> None:
    """What was decrypted is read although the socket has nothing more to say."""
    body = os.urandom(100_000)
    head = b"POST /echo HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100000\r\nconnection: close\r\n\r\n"
    async with open_door(tls=Tls(write_files(tmp_path))) as opened, await connect(opened) as stream:
        await stream.send_all(head + body)
        assert (await _all_of(stream)).endswith(body)


async def test_a_request_may_come_with_the_end_of_the_handshake(tmp_path: Path) -> None:
    """In the same piece: what was read with the handshake is not waited for again."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting().wrap_bio(incoming, outgoing, server_hostname="localhost")
    async with open_door(tls=Tls(write_files(tmp_path))) as opened, await opened.connect() as stream:
        done = False
        while not done:
            try:
                client.do_handshake()
                done = True
            except ssl.SSLWantReadError:
                await stream.send_all(outgoing.read())
                incoming.write(await stream.receive_some())
        client.write(LAST)
        await stream.send_all(outgoing.read())  # the client's Finished, and its request
        incoming.write(await read_all(stream))
        assert client.read(100_000).startswith(b"HTTP/1.1 200")


async def test_an_answer_for_a_slow_reader_arrives_whole(tmp_path: Path) -> None:
    """More than all buffers hold, in the order in which it was written."""
    async with open_door(tls=Tls(write_files(tmp_path))) as opened, await connect(opened) as stream:
        await stream.send_all(LAST.replace(PATH, b"/big"))
        size, digest = 0, hashlib.sha256()
        await read_head_of(stream)
        async for data in stream:
            size += len(data)
            digest.update(data)
        assert (BIG, hashlib.sha256(b"x" * BIG).digest()) == (size, digest.digest())


async def read_head_of(stream: trio.SSLStream[trio.SocketStream]) -> None:
    """Everything up to the body, a byte at a time."""
    received = b""
    while not received.endswith(b"\r\n\r\n"):
        received += await stream.receive_some(1)


async def test_who_speaks_no_tls_is_told_where_it_is(tmp_path: Path) -> None:
    """In the clear, for a person or a proxy that was set up wrongly; and it is counted."""
    async with open_door(tls=Tls(write_files(tmp_path))) as opened:
        answer = await opened.talk(LAST)
        assert answer.startswith(b"HTTP/1.1 400")
        assert b"https://" in answer
        await opened.journal.seen(Drop.NO_TLS)


async def test_versions_before_tls_1_2_are_refused(tmp_path: Path) -> None:
    """The client hears an alert, and the door goes on."""
    old = trusting()
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    async with open_door(tls=Tls(write_files(tmp_path))) as opened:
        with pytest.raises(trio.BrokenResourceError):
            await connect(opened, old)
        await opened.journal.seen(Drop.NO_TLS)
        async with await connect(opened) as stream:
            await stream.send_all(LAST)
            assert b"hello" in await _all_of(stream)


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01"], ids=["nothing", "a part of a record"])
async def test_a_handshake_that_does_not_come_is_given_up(tmp_path: Path, begun: bytes) -> None:
    """Within the time that a head has."""
    async with open_door(DoorLimits(head_within_s=0.05), tls=Tls(write_files(tmp_path))) as opened:
        async with await opened.connect() as client:
            await client.send_all(begun)
            assert b"" == await read_all(client)
        await opened.journal.seen(Drop.SILENT)


@pytest.mark.parametrize("nonsense", [b"\x16" + bytes(500), b"\x16\x03\x01\x00\x05hello", b"\x16"])
async def test_nonsense_ends_its_own_connection_only(tmp_path: Path, nonsense: bytes) -> None:
    """Whatever is no handshake."""
    async with open_door(DoorLimits(head_within_s=0.5), tls=Tls(write_files(tmp_path))) as opened:
        async with await opened.connect() as client:
            await client.send_all(nonsense)
            await client.send_eof()
            await read_all(client)
        await opened.journal.seen(Drop.NO_TLS)
        async with await connect(opened) as stream:
            await stream.send_all(LAST)
            assert b"hello" in await _all_of(stream)


@pytest.mark.parametrize("before", [b"", PLAIN], ids=["first_request", "second_request"])
async def test_the_live_feed_s_handler_gets_the_same_stream(tmp_path: Path, before: bytes) -> None:
    """A WebSocket handshake within TLS goes where those in the clear go, also behind a request in the same record."""
    upgrade = b"GET /ws HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n"
    async with open_door(tls=Tls(write_files(tmp_path))) as opened, await connect(opened) as stream:
        await stream.send_all(before + upgrade)
        told = await read_until(stream, b"live /ws")
    assert bool(before) is (b"hello" in told)


def _subject_seen(port: int) -> Callable[[], object]:
    def look() -> object:
        with (
            socket.create_connection(("127.0.0.1", port)) as raw,
            trusting().wrap_socket(raw, server_hostname="localhost") as tls,
        ):
            return tls.getpeercert(binary_form=True)

    return look


async def test_a_new_certificate_is_shown_without_a_restart(tmp_path: Path) -> None:
    """To who comes from then on; who is inside stays."""
    tls = Tls(write_files(tmp_path))
    async with open_door(tls=tls) as opened, await connect(opened) as stays:
        look = _subject_seen(opened.port)
        before = await trio.to_thread.run_sync(look)
        assert not tls.refresh()
        write_files(tmp_path)
        assert tls.refresh()
        assert before != await trio.to_thread.run_sync(look)
        await stays.send_all(LAST)
        assert b"hello" in await _all_of(stays)


async def test_a_certificate_that_cannot_be_used_leaves_the_old_one(tmp_path: Path) -> None:
    """And says what is wrong with it."""
    files = write_files(tmp_path)
    tls = Tls(files)
    async with open_door(tls=tls) as opened:
        files.certificate.write_text("no certificate")
        with pytest.raises(TlsFilesError, match="no certificate with its key"):
            tls.refresh()
        files.certificate.unlink()
        with pytest.raises(TlsFilesError, match=r"tls\.pem"):
            tls.refresh()
        async with await connect(opened) as stream:
            await stream.send_all(LAST)
            assert b"hello" in await _all_of(stream)


def test_a_private_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    """It may be known to them."""
    files = write_files(tmp_path)
    files.private_key.chmod(0o644)
    with pytest.raises(TlsFilesError, match="chmod 600"):
        Tls(files)


async def test_what_a_full_socket_does_not_take_goes_out_before_all_else(tmp_path: Path) -> None:
    """Random writes against a small buffer and a reader of random pieces: every byte once, in order."""
    rng = random.Random(7)
    Tls(write_files(tmp_path))  # the files exist
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "tls.pem", tmp_path / "tls.key")
    near, far = socket.socketpair()
    for end in (near, far):
        end.setblocking(False)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    client = trio.SSLStream(
        trio.SocketStream(trio.socket.from_stdlib_socket(far)), trusting(), server_hostname="localhost"
    )
    tls = TlsSocket(near, server)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.do_handshake)
        await tls.handshake()
    text = rng.randbytes(3 * MOST_AT_ONCE)
    received = bytearray()

    async def read() -> None:
        while len(received) < len(text):
            received.extend(await client.receive_some(rng.randrange(1, 9000)))

    refusals = 0
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        sent = 0
        while sent < len(text):
            try:
                sent += tls.send(text[sent : sent + rng.choice((1, 2, 1000, 50_000))])
            except BlockingIOError:
                refusals += 1
                await trio.lowlevel.wait_writable(tls)
    assert refusals
    assert text == bytes(received)
    tls.close()
    await trio.aclose_forcefully(client)


def _with_new_keys(port: int, secrets: Path) -> NewKeys:
    context = trusting()
    context.keylog_filename = str(secrets)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    raw = socket.create_connection(("127.0.0.1", port))
    return NewKeys(context.wrap_socket(raw, server_hostname="localhost"), secrets)


@pytest.mark.parametrize("answered", [True, False])
async def test_who_asks_for_new_keys_without_end_is_cut(tmp_path: Path, *, answered: bool) -> None:
    """Each costs work, and the answer memory if it is not read; a few are what the protocol is for."""
    async with open_door(tls=Tls(write_files(tmp_path))) as opened:
        client = await trio.to_thread.run_sync(_with_new_keys, opened.port, tmp_path / "secrets")
        client.ask(3, answered=answered)
        with trio.fail_after(20), pytest.raises(OSError, match=r"Broken pipe|reset"):
            while True:
                await trio.to_thread.run_sync(partial(client.ask, 1000, answered=answered))
        client.close()
        await opened.journal.seen(Drop.GONE)
        async with await connect(opened) as stream:
            await stream.send_all(LAST)
            assert b"hello" in await _all_of(stream)


async def test_new_keys_may_come_between_requests(tmp_path: Path) -> None:
    """What follows them is read with them."""
    paths: list[str] = []

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        paths.append(scope["path"])
        await app(scope, receive, send)

    async with open_door(application=noting, tls=Tls(write_files(tmp_path))) as opened:
        client = await trio.to_thread.run_sync(_with_new_keys, opened.port, tmp_path / "secrets")
        client.ask(100)
        client.say(LAST)
        await trio.to_thread.run_sync(client.until_end)
    assert ["/hello"] == paths
