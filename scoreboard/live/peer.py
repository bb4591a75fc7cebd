"""Whether the machine at the other end still answers, as the kernel knows it.

A client that does not answer a ping may be gone, or may only have stopped reading: then its kernel still
acknowledges, and what it does not read waits in front of a closed window. The first is cut, the second is not.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass

from scoreboard.live.endpoint import Endpoint

_TCP_INFO = getattr(socket, "TCP_INFO", None)  # Linux only
_UNACKED_AT = 24
_LAST_ACK_AT = 56
_SIZE = 60


@dataclass(frozen=True, slots=True)
class TcpInfo:
    """What of Linux' `struct tcp_info` matters here: segments in flight, and how long ago one was acknowledged."""

    unacked: int
    last_ack_ms: int

    @classmethod
    def parse(cls, data: bytes) -> TcpInfo:
        """From the first 60 bytes of the kernel's structure."""
        (unacked,) = struct.unpack_from("@I", data, _UNACKED_AT)
        (last_ack_ms,) = struct.unpack_from("@I", data, _LAST_ACK_AT)
        return cls(unacked, last_ack_ms)

    def is_gone(self, within_s: float) -> bool:
        """Bytes are in flight and nothing has been acknowledged for so long.

        In front of a closed window nothing is in flight: the kernel only asks now and then, and the peer's answers.
        """
        return self.unacked > 0 and self.last_ack_ms >= within_s * 1000


def is_gone(connection: Endpoint, within_s: float) -> bool:
    """Whether the peer's machine has been silent for so long although it owes an answer; False where unknown."""
    if _TCP_INFO is None:
        return False
    try:
        data = connection.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _SIZE)
    except OSError:
        return False  # no TCP, or closed: reading tells
    return len(data) >= _SIZE and TcpInfo.parse(data).is_gone(within_s)
