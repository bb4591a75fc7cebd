"""Where Redis is, if its URL names more than one place: nodes, one of which is the primary, or Sentinels."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from redis.asyncio.connection import AbstractConnection, Connection, parse_url
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection

from scoreboard.stores.primary import Host, find_primary, hosts_in
from scoreboard.stores.redis_connections import Connections

PORT, SENTINEL_PORT = 6379, 26379
#: For one node, or Sentinel, to say what it knows: several must have been asked within the bound of a command.
ASK_WITHIN_S = 0.4
OF_SENTINELS = {"sentinel_username": "username", "sentinel_password": "password"}


@dataclass(frozen=True, slots=True)
class Nodes:
    """What a URL says: hosts, how to connect to a node, with Sentinels also the service, and how to connect to them.

    `redis://:password@one:6379,two:6379/0` are nodes; the first that is a primary is the one.
    `redis+sentinel://:password@one:26379,two:26379/service/0` are Sentinels; `?sentinel_username=` and
    `?sentinel_password=` are for themselves. With `rediss` all speak TLS.
    """

    hosts: tuple[Host, ...]
    options: Mapping[str, Any]
    service: str | None = None
    of_sentinels: Mapping[str, Any] | None = None


def nodes_in(url: str) -> Nodes | None:
    """None if there is one place only; raises ValueError."""
    parts = urlsplit(url)
    scheme, _, sentinel = parts.scheme.partition("+")
    hosts = hosts_in(parts.netloc)
    if sentinel == "sentinel":
        return _sentinels(scheme, url, hosts)
    if scheme not in ("redis", "rediss") or not hosts[1:]:
        return None
    return Nodes(_with_port(hosts, PORT), _options(parts.scheme, parts.netloc, parts.path, parts.query))


def _sentinels(scheme: str, url: str, hosts: list[Host]) -> Nodes:
    parts = urlsplit(url)
    service, _, database = parts.path.strip("/").partition("/")
    given = dict(parse_qsl(parts.query))
    own = {OF_SENTINELS[name]: given.pop(name) for name in OF_SENTINELS if name in given}
    options = _options(scheme, parts.netloc, f"/{database}", urlencode(given))
    tls = {name: value for name, value in options.items() if name.startswith("ssl")}
    of_sentinels = {**own, **tls, **({"ssl": True} if scheme == "rediss" else {})}
    return Nodes(_with_port(hosts, SENTINEL_PORT), options, unquote(service), of_sentinels)


def _with_port(hosts: list[Host], usual: int) -> tuple[Host, ...]:
    return tuple(Host(host.name, host.port or usual) for host in hosts)


def _options(scheme: str, netloc: str, path: str, query: str) -> dict[str, Any]:
    """How to connect to a node, whichever it is."""
    login = "".join(netloc.rpartition("@")[:2])
    return dict(parse_url(f"{scheme}://{login}node{path}?{query}"))


class PrimaryPool(Connections):
    """Connections to whichever node is the primary when they are made. For asyncio."""

    def __init__(self, nodes: Nodes, **bounds: Any) -> None:
        self._find, self._sentinel = _finder(nodes)
        super().__init__(**{**nodes.options, **bounds})

    async def ensure_connection(self, connection: AbstractConnection) -> None:
        """Where it is not connected, look where to."""
        if not connection.is_connected:
            host = await self._find()
            vars(connection).update(host=host.name, port=host.port)
        await super().ensure_connection(connection)

    async def aclose(self) -> None:
        """Close all, also those to the Sentinels."""
        try:
            await super().aclose()
        finally:
            if self._sentinel is not None:
                await self._sentinel.aclose()


def _finder(nodes: Nodes) -> tuple[Callable[[], Awaitable[Host]], Sentinel | None]:
    bounds = {"socket_timeout": ASK_WITHIN_S, "socket_connect_timeout": ASK_WITHIN_S, "retry": Retry(NoBackoff(), 0)}
    service = nodes.service
    if service is None:
        options = {**nodes.options, **bounds}

        async def among_nodes() -> Host:
            return await find_primary(nodes.hosts, lambda host: _be_primary(host, options))

        return among_nodes, None
    own = {**(nodes.of_sentinels or {}), **bounds}
    sentinel = Sentinel(nodes.hosts, sentinel_kwargs=own)  # type: ignore[no-untyped-call]

    async def known_to_sentinels() -> Host:
        return Host(*await sentinel.discover_master(service))

    return known_to_sentinels, sentinel


async def _be_primary(host: Host, options: Mapping[str, Any]) -> None:
    """Raises NoConnection if it is none.

    A client would close its connection in a task of its own, which never begins if this one is cancelled just then.
    """
    settings = {"connection_class": Connection, **options, "host": host.name, "port": host.port}
    connection: AbstractConnection = settings.pop("connection_class")(**settings)
    try:
        await connection.connect()  # type: ignore[no-untyped-call]
        await connection.send_command("ROLE")
        role: list[Any] = await connection.read_response()
    finally:
        await connection.disconnect(nowait=True)
    if role[0] != b"master":
        raise NoConnection(f"{host.name}:{host.port} is a replica")
