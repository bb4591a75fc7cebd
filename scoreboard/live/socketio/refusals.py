"""How requests are refused: Engine.IO's own codes, in the JSON that its clients print."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

import msgspec

from scoreboard.wire.browsers import GUARDED_TEXT


@dataclass(frozen=True, slots=True)
class EngineRefusal:
    """An answer to a request that is not served."""

    status: int
    code: int
    message: str

    @property
    def body(self) -> bytes:
        """As Engine.IO writes it."""
        return msgspec.json.encode({"code": self.code, "message": self.message})

    def response(self) -> bytes:
        """The whole response to the handshake of a WebSocket; the connection closes behind it."""
        phrase, body = HTTPStatus(self.status).phrase, self.body
        lines = (
            f"HTTP/1.1 {self.status} {phrase}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "connection: close",
            *(f"{name}: {value}" for name, value in GUARDED_TEXT),
        )
        return "\r\n".join([*lines, "", ""]).encode("ascii") + body


UNKNOWN_TRANSPORT = EngineRefusal(400, 0, "Transport unknown: there are polling and websocket.")
UNKNOWN_SID = EngineRefusal(400, 1, "Session ID unknown: it is over, or the server was restarted. Begin a new one.")
BAD_METHOD = EngineRefusal(400, 2, "A session begins with a GET.")
FORBIDDEN = EngineRefusal(403, 4, "Pages of this origin may not use the live feed.")
UNSUPPORTED_VERSION = EngineRefusal(400, 5, "The version of Engine.IO here is 4, which socket.io-client 3 and 4 speak.")
TOO_LARGE = EngineRefusal(413, 3, "The body of the request is too large.")
TOO_SLOW = EngineRefusal(408, 3, "The body of the request did not come in time.")
FULL = EngineRefusal(503, 3, "Too many sessions. Come back in a moment.")
CLOSING = EngineRefusal(503, 3, "The server is going down. Come back in a moment.")


def bad_request(sentence: str) -> EngineRefusal:
    """For all else that a client should not do."""
    return EngineRefusal(400, 3, sentence)
