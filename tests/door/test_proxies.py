"""Whom a request comes from."""

from __future__ import annotations

from typing import Any

import pytest
import trio

from scoreboard.door import DoorLimits, Drop, Proxies, RequestHead
from tests.door.doors import open_door, read_all, read_until

PROXY = "10.0.0.7"
OURS = ("10.0.0.0/8", "2001:db8:aa::/48", "127.0.0.1")
CLIENT = "203.0.113.5"
UPGRADE = b"upgrade: websocket\r\nconnection: upgrade\r\n"


def client(*fields: tuple[str, str], peer: str = PROXY, networks: tuple[str, ...] = OURS) -> str | None:
    """Whom a request with these headers comes from."""
    return Proxies(networks).client_of(peer, [(name.encode(), value.encode("latin-1")) for name, value in fields])


def through(value: str) -> str | None:
    """The same of a proxy that speaks X-Forwarded-For."""
    return client(("x-forwarded-for", value))


def forwarded(value: str) -> str | None:
    """The same of one that speaks Forwarded."""
    return client(("forwarded", value))


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded"])
def test_a_header_of_a_stranger_changes_nothing(name: str) -> None:
    """Whoever is no proxy of ours is taken for itself, and so is everybody where there are none."""
    said = CLIENT if name == "x-forwarded-for" else f"for={CLIENT}"
    assert client((name, said)) == CLIENT
    assert client((name, said), peer="192.0.2.9") is None
    assert client((name, said), networks=()) is None


def test_the_last_address_that_is_no_proxy_is_believed() -> None:
    """What stands to its left was written by whoever came from there."""
    assert through(f"127.0.0.1, 198.51.100.1, {CLIENT}") == CLIENT
    assert through(f"198.51.100.1, {CLIENT}, 10.1.1.1, 2001:db8:aa::9") == CLIENT
    assert through("10.1.1.1, 10.2.2.2") == "10.1.1.1"
    assert client(("x-forwarded-for", CLIENT), ("x-forwarded-for", "10.2.2.2")) == CLIENT
    assert forwarded(f'for=198.51.100.1, for="{CLIENT}:4711";proto=https, for="[2001:db8:aa::1]"') == CLIENT


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("203.0.113.5:51000", CLIENT),
        ("::ffff:203.0.113.5", CLIENT),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("2001:DB8::1", "2001:db8::1"),
    ],
)
def test_addresses_are_read_as_proxies_write_them(said: str, meant: str) -> None:
    """With ports and in brackets; one address has one spelling."""
    assert through(said) == meant
    assert forwarded(f'for="{said}"' if ":" in said else f"for={said}") == meant


@pytest.mark.parametrize("said", ["", "unknown", "_hidden", "1.2.3", "[::1", "203.0.113.5:99999999", "x" * 9000])
def test_who_is_hidden_is_the_proxy_that_says_so(said: str) -> None:
    """Nothing that stands further left can be believed then."""
    assert through(f"{CLIENT}, {said}") is None
    assert through(f"{CLIENT}, {said}, 10.3.3.3") == "10.3.3.3"


@pytest.mark.parametrize(
    "said",
    [
        'for=198.51.100.1;x=", for=203.0.113.5',
        f'for={CLIENT};host="a,for=198.51.100.1"',
        f'for={CLIENT};host="a,for=198.51.100.1;x=\\"\\""',
        f"for={CLIENT};for=198.51.100.1",
        'for="198.51.100.1',
        "by=198.51.100.1",
    ],
)
def test_quotes_do_not_hide_what_a_proxy_says(said: str) -> None:
    """A client opens a quote, or has one written for it; the address that it names is not taken."""
    assert forwarded(said) in {CLIENT, None}


def test_where_two_headers_tell_two_clients_neither_is_believed() -> None:
    """A proxy that sets one of them passes the other on as the client wrote it."""
    forged = ("forwarded", "for=198.51.100.1")
    assert client(("x-forwarded-for", CLIENT), forged) is None
    assert client(("x-forwarded-for", CLIENT), ("forwarded", f"for={CLIENT}")) == CLIENT


def test_a_network_must_be_one() -> None:
    """With bits of a host it may be a mistake."""
    with pytest.raises(ValueError, match="host bits"):
        Proxies(["10.0.0.1/8"])
    assert repr(Proxies(OURS)) == "<Proxies 10.0.0.0/8, 2001:db8:aa::/48, 127.0.0.1/32>"
    assert "::ffff:10.0.0.1" in Proxies(OURS)


async def told(scope: Any, receive: Any, send: Any) -> None:
    """An application that says who asks."""
    if scope["type"] == "lifespan":
        return
    await receive()
    body = f"{scope['client'][0]}\n".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body, "more_body": False})


def asking(name: str, more: bytes = b"") -> bytes:
    """A request that says where it comes from."""
    return b"GET /ws HTTP/1.1\r\nhost: x\r\nx-forwarded-for: %b\r\n%b\r\n" % (name.encode(), more)


async def test_each_request_of_one_connection_has_its_own_client() -> None:
    """A proxy sends everybody's through the connections that it has."""
    async with open_door(application=told, proxies=Proxies(["127.0.0.1"])) as opened:
        said = await opened.talk(asking("198.51.100.1") + asking(CLIENT, b"connection: close\r\n"))
    assert [b"198.51.100.1", CLIENT.encode()] == [line for line in said.split() if line.count(b".") == 3]


async def test_an_application_sees_the_peer_where_there_is_no_proxy() -> None:
    """Whatever the peer says."""
    async with open_door(application=told) as opened:
        said = await opened.talk(asking(CLIENT, b"connection: close\r\n"))
    assert said.endswith(b"\r\n127.0.0.1\n")


async def whose(stream: trio.SocketStream, head: RequestHead, closing: trio.Event) -> None:
    """In place of the live feed: says for whom it is, and stays."""
    await stream.send_all(f"{head.client}\n".encode())
    await closing.wait()


async def test_sockets_behind_a_proxy_are_bounded_for_each_client() -> None:
    """The proxy itself may have as many as there are; no client more than its share, one of IPv6 in its whole /64."""
    limits = DoorLimits(connections=50, connections_per_address=2)
    async with open_door(limits, websocket=whose, proxies=Proxies(["127.0.0.1"])) as opened:
        crowd = []
        for name in (CLIENT, CLIENT, "2001:db8::1", "2001:db8::2", "198.51.100.1"):
            stream = await opened.connect()
            await stream.send_all(asking(name, UPGRADE))
            assert (await read_until(stream, b"\n")).decode() == f"{name}\n"
            crowd.append(stream)
        for name in (CLIENT, "2001:db8::3"):
            assert (await opened.talk(asking(name, UPGRADE))).startswith(b"HTTP/1.1 503 ")
        opened.door.close()
        for stream in crowd:
            await read_all(stream)
            await stream.aclose()
    assert opened.journal.drops[Drop.ADDRESS_FULL] == 2


STREAM = asking(CLIENT).replace(b"/ws", b"/stream")


@pytest.mark.parametrize("wanted", [STREAM, asking(CLIENT, UPGRADE)], ids=["stream", "websocket"])
async def test_who_stays_behind_a_proxy_is_bounded_on_any_connection_of_its(wanted: bytes) -> None:
    """A proxy that keeps its connections asks for a stream or a WebSocket behind the requests of others."""
    limits = DoorLimits(connections=50, connections_per_address=2)
    served: dict[str, Any] = {"streams": {"/stream": whose}, "proxies": Proxies(["127.0.0.1"]), "application": told}
    async with open_door(limits, websocket=whose, **served) as opened:
        crowd = []
        for before in (b"", asking("198.51.100.1")):
            stream = await opened.connect()
            await stream.send_all(before + wanted)
            await read_until(stream, f"{CLIENT}\n".encode())
            crowd.append(stream)
        for before in (b"", asking("198.51.100.1")):
            with trio.fail_after(10):
                assert b"HTTP/1.1 503 " in await opened.talk(before + wanted)
        opened.door.close()
        for stream in crowd:
            await read_all(stream)
            await stream.aclose()
    assert opened.journal.drops == {Drop.ADDRESS_FULL: 2}
