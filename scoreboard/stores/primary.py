"""Which of several servers is the one that takes writes, as long as nothing else than asking them tells it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

Each = TypeVar("Each")
Claim = TypeVar("Claim")

#: For those that stand before one that has said that it does.
PATIENCE_S = 0.5


class Host(NamedTuple):
    """Where a server is; without a port where such servers usually are."""

    name: str
    port: int | None


def hosts_in(netloc: str) -> list[Host]:
    """All that a URL names, ``user:password@one:1,two:2``; raises ValueError if one has no good port."""
    listed = netloc.rpartition("@")[2]
    return [_host(each) for each in listed.split(",") if each]


def _host(text: str) -> Host:
    parts = urlsplit(f"//{text}")
    return Host(parts.hostname or "", parts.port)


async def find_primary(hosts: Sequence[Each], ask: Callable[[Each], Awaitable[None]]) -> Each:
    """The first of them that is one. `ask` returns if it is, and raises within a bounded time if not. For asyncio.

    All are asked at once, so one that does not answer delays this by `PATIENCE_S` at most. The order decides between
    two that both say so, in the same way for everybody. Raises what the last one said, if there is none.
    """
    asking = [asyncio.ensure_future(ask(host)) for host in hosts]
    patient_until = asyncio.get_running_loop().time() + PATIENCE_S
    try:
        while True:
            left = patient_until - asyncio.get_running_loop().time()
            found = _first(asking, patient=left > 0)
            if found is not None:
                return hosts[found]
            waiting = [each for each in asking if not each.done()]
            if not waiting:
                await asking[-1]  # raises
            await asyncio.wait(waiting, timeout=max(left, 0) or None, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def all_primaries(
    hosts: Sequence[Each], ask: Callable[[Each], Awaitable[Claim]], patience_s: float = PATIENCE_S
) -> dict[Each, Claim]:
    """Those of them that are one, in their order, with what they say of it. For asyncio.

    `ask` as for `find_primary`, and likewise all are asked at once: when `patience_s` are over, who has not said
    anything is left out, but for the first that is to be found. Raises what the last one said, if there is none.
    """
    asking = {host: asyncio.ensure_future(ask(host)) for host in hosts}
    try:
        await asyncio.wait(asking.values(), timeout=patience_s)
        while not (said := _said(asking)) and (waiting := [each for each in asking.values() if not each.done()]):
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if not said:
            await asking[hosts[-1]]  # raises
        return said
    finally:
        for each in asking.values():
            each.cancel()
        await asyncio.gather(*asking.values(), return_exceptions=True)


def _said(asking: Mapping[Each, asyncio.Future[Claim]]) -> dict[Each, Claim]:
    return {host: each.result() for host, each in asking.items() if each.done() and each.exception() is None}


def _first(asking: Sequence[asyncio.Future[None]], *, patient: bool) -> int | None:
    """The first that is one; with patience only if all before it have said that they are not."""
    for position, each in enumerate(asking):
        if not each.done():
            if patient:
                return None
        elif each.exception() is None:
            return position
    return None
