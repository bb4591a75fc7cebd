"""The codecs of python-engineio and python-socketio, and of those packages nothing else.

Whoever imports a module of a package runs first what the package begins with, and these begin with their servers and
clients: 200 modules of which nothing is run here, a tenth of what a process of the server took to start.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, module_from_spec


@contextmanager
def _modules_alone(*packages: str) -> Iterator[None]:
    """In the block their modules are imported without what the packages begin with.

    What was imported so is forgotten behind it: others who want those packages get them whole.
    """
    known = set(sys.modules)
    for package in packages:
        if package not in known and (spec := find_spec(package)) is not None:
            sys.modules[package] = module_from_spec(spec)
    try:
        yield
    finally:
        for name in set(sys.modules) - known:
            if name.partition(".")[0] in packages:
                del sys.modules[name]


with _modules_alone("engineio", "socketio"):
    from engineio.packet import CLOSE, MESSAGE, NOOP, OPEN, PING, PONG, UPGRADE
    from engineio.packet import Packet as AnyEnginePacket
    from engineio.payload import Payload as AnyPayload
    from socketio.packet import (
        ACK,
        BINARY_ACK,
        BINARY_EVENT,
        CONNECT,
        CONNECT_ERROR,
        DISCONNECT,
        EVENT,
    )
    from socketio.packet import Packet as AnySocketPacket

__all__ = [
    "ACK",
    "BINARY_ACK",
    "BINARY_EVENT",
    "CLOSE",
    "CONNECT",
    "CONNECT_ERROR",
    "DISCONNECT",
    "EVENT",
    "MESSAGE",
    "NOOP",
    "OPEN",
    "PING",
    "PONG",
    "UPGRADE",
    "AnyEnginePacket",
    "AnyPayload",
    "AnySocketPacket",
]
