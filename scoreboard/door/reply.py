"""An answer as bytes; synchronous, no socket."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from http import HTTPStatus

Field = tuple[bytes, bytes]

_FIRST_FINAL = 200
_STATUS_LINES = {
    each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode("ascii")
    for each in HTTPStatus
    if each >= _FIRST_FINAL
}
#: All fields of a head at once: what fits and has as many line ends as fields cannot be read as anything else.
_FIELDS = re.compile(rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+: [\t -~\x80-\xff]*\r\n)*")
_CLOSE = b"connection: close\r\n"
_CHUNKED = b"transfer-encoding: chunked\r\n"
WITHOUT_BODY = frozenset({204, 304})
INVITATION = b"HTTP/1.1 100 Continue\r\n\r\n"


class ReplyError(Exception):
    """The application said what cannot be an answer; the connection cannot go on."""


class Reply:
    """Makes the bytes of one answer. The head goes out together with the first piece of the body: one write, not two.

    An application that wants its head to be seen early begins its body early.

    Args:
        to_head: Whether the request was a HEAD, whose answer has no body.
        to_http10: Whether it was of HTTP/1.0, which knows no chunks.
        constant: Makes the lines that every answer has.
    """

    def __init__(self, *, to_head: bool, to_http10: bool, constant: Callable[[], bytes]) -> None:
        self._to_head = to_head
        self._to_http10 = to_http10
        self._constant = constant
        self._head = b""
        self._missing: int | None = None  # bytes of a body whose length was told
        self._chunked = False
        self.begun = False
        self.complete = False
        self.last = False

    def head(self, status: int, fields: Iterable[Field], *, last: bool) -> None:
        """The head; after the `last` answer the connection closes, which the application's own fields may also say."""
        if self.begun:
            raise ReplyError("An answer has one head.")
        lines = [b"%b: %b\r\n" % field for field in fields]
        block = b"".join(lines)
        if not _FIELDS.fullmatch(block) or block.count(b"\n") != len(lines):
            raise ReplyError("The head of the answer has a field that HTTP does not allow.")
        line, framing = _status_line(status), self._frame(status, fields, last=last)
        self._head = b"%b%b%b%b\r\n" % (line, block, framing, self._constant())
        self.begun = True

    def body(self, data: bytes) -> bytes:
        """The bytes to write for one piece of the body."""
        if not self.begun or self.complete:
            raise ReplyError("A body stands between its head and its end.")
        if self._missing is not None:
            self._missing -= len(data)
            if self._missing < 0:
                raise ReplyError("The body is longer than was told.")
        if self._chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        head, self._head = self._head, b""
        return head + data

    def end(self) -> bytes:
        """The bytes to write at the end."""
        if not self.begun or self.complete:
            raise ReplyError("An answer has one end.")
        if self._missing:
            raise ReplyError("The body is shorter than was told.")
        self.complete = True
        head, self._head = self._head, b""
        return head + b"0\r\n\r\n" if self._chunked else head

    def _frame(self, status: int, fields: Iterable[Field], *, last: bool) -> bytes:
        """How the client finds the end of the body, and whether the connection closes behind it."""
        told_length, told_close = None, False
        for name, value in fields:
            match name.lower():
                case b"content-length" if value.isdigit():
                    told_length = int(value)
                case b"content-length" | b"transfer-encoding":
                    raise ReplyError("The body's length must be a number; the server sends it in chunks by itself.")
                case b"connection":
                    told_close = told_close or value.lower() == b"close"
        self.last, framing = last, b""
        if self._to_head or status in WITHOUT_BODY:
            self._missing = 0
        elif told_length is not None:
            self._missing = told_length
        elif self._to_http10:
            self.last = True
        else:
            self._chunked, framing = True, _CHUNKED
        if self.last and not told_close:
            framing += _CLOSE
        self.last = self.last or told_close
        return framing


def _status_line(status: int) -> bytes:
    line = _STATUS_LINES.get(status)
    if line is not None:
        return line
    if not _FIRST_FINAL <= status <= 999:  # noqa: PLR2004 - all with three digits
        raise ReplyError(f"{status} is no status.")
    return b"HTTP/1.1 %d \r\n" % status
