"""The parser of one connection's requests."""

from __future__ import annotations

import h11


class Http1Parser(h11.Connection):
    """h11's, but deaf behind the last request of a connection: one with `Connection: close`, or of HTTP/1.0.

    RFC 9112, section 9.6, lets a server throw away what follows. The original makes an error of it, and Hypercorn
    answers that with 400 while the application is still at work: the client would take for refused what is done.
    """

    def receive_data(self, data: bytes) -> None:
        """As the original; what nobody will look at is not kept."""
        if not (data and self._is_deaf):
            super().receive_data(data)

    def next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        """As the original; never an error behind the last request."""
        return h11.NEED_DATA if self._is_deaf else super().next_event()

    @property
    def _is_deaf(self) -> bool:
        return self.their_state is h11.MUST_CLOSE
