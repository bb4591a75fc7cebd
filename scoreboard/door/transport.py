"""What a connection is behind the door: a socket's stream, or one through TLS with the same methods."""

from __future__ import annotations

import trio

from scoreboard.door.tls_stream import TlsStream

Transport = trio.SocketStream | TlsStream
