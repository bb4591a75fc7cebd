"""Many short texts in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from itertools import accumulate

_LENGTH_BITS = 24
_LENGTH = (1 << _LENGTH_BITS) - 1
_ERRORS = "surrogatepass"  # any text comes back as it went in
_MOST_WASTE = 1 << 16


class Names:
    """A list of texts as UTF-8, end to end in one buffer.

    A text costs 8 bytes and its own; a `str` of 12 characters costs 72 with its place in a list (``scripts/bench
    ranking``). What was replaced stays in the buffer until it is half of it.
    """

    __slots__ = ("_buffer", "_spans", "_waste")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._spans = array("Q")  # offset, then length
        self._waste = 0

    def __len__(self) -> int:
        return len(self._spans)

    def append(self, name: str) -> None:
        """One more, at the end."""
        self._spans.append(self._store(name.encode("utf-8", _ERRORS)))

    def extend(self, names: Sequence[str]) -> None:
        """Many more."""
        text = "".join(names)
        if not text.isascii():
            for name in names:
                self.append(name)
            return
        lengths = list(map(len, names))
        if max(lengths, default=0) > _LENGTH:
            raise ValueError(f"a name of {max(lengths)} bytes is too long")
        offsets = accumulate(lengths, initial=len(self._buffer))
        self._spans.extend(offset << _LENGTH_BITS | length for offset, length in zip(offsets, lengths, strict=False))
        self._buffer += text.encode()

    def __getitem__(self, index: int) -> str:
        span = self._spans[index]
        offset = span >> _LENGTH_BITS
        return self._buffer[offset : offset + (span & _LENGTH)].decode("utf-8", _ERRORS)

    def __setitem__(self, index: int, name: str) -> None:
        """Replace a text; nothing is done when it is the same. The price of clearing up is amortised."""
        raw, span = name.encode("utf-8", _ERRORS), self._spans[index]
        if span & _LENGTH == len(raw) and self._buffer.startswith(raw, span >> _LENGTH_BITS):
            return
        self._spans[index] = self._store(raw)
        self._waste += span & _LENGTH
        if self._waste > max(_MOST_WASTE, len(self._buffer) // 2):
            self._clear_up()

    def _raw(self, index: int) -> bytes:
        span = self._spans[index]
        offset = span >> _LENGTH_BITS
        return bytes(self._buffer[offset : offset + (span & _LENGTH)])

    def _store(self, raw: bytes) -> int:
        if len(raw) > _LENGTH:
            raise ValueError(f"a name of {len(raw)} bytes is too long")
        offset = len(self._buffer)
        self._buffer += raw
        return offset << _LENGTH_BITS | len(raw)

    def _clear_up(self) -> None:
        texts = [self._raw(index) for index in range(len(self._spans))]
        self._buffer.clear()
        self._spans = array("Q", map(self._store, texts))
        self._waste = 0
