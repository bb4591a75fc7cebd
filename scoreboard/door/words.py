"""What the door itself says to a request that it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Said = tuple[Sequence[tuple[bytes, bytes]], bytes]

#: Headers and body for a target, a status and a sentence; not their length, nor the end of the connection. The target
#: is empty where none was understood, and may lack its end.
Words = Callable[[bytes, int, str], Said]


def plain(_target: bytes, _status: int, sentence: str) -> Said:
    """A line of text, for whoever reads it."""
    return ((b"content-type", b"text/plain; charset=utf-8"),), sentence.encode() + b"\n"
