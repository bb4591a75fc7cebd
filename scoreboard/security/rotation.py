"""Which keys of a kind sign, are believed, or are rotated out, by when their files were made. Pure.

No worker tells another: all read the same folder, and the same files and times lead all to the same answer. So a new
key signs only after `settle_s`, when everybody has read it, and one that signs no more is believed until the last
token under it has expired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from scoreboard.security.keyfiles import KeyFile

#: So much may the clocks of workers differ, and that of who serves the folder.
CLOCK_SKEW_S = 60
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """How long a new key waits before it signs, and how long what is signed is good for, by kind. In seconds."""

    settle_s: float = 30.0
    action_s: float = 300.0
    access_s: float = DAY_S


class Standing(NamedTuple):
    """The keys of one kind: all that are believed, of which the first signs, and those that were once."""

    believed: tuple[KeyFile, ...]
    rotated_out: tuple[KeyFile, ...]


def standing(files: Sequence[KeyFile], *, now_s: float, settle_s: float, lives_s: float) -> Standing:
    """How the keys stand at this moment; `files` with the newest (highest number) first.

    The newest key that has settled signs, or the oldest if none has. An older one is believed as long as what it
    signed last may live.
    """
    if not files:
        return Standing((), ())
    settled = [place for place, file in enumerate(files) if file.made_s + settle_s <= now_s]
    signer = settled[0] if settled else len(files) - 1
    older = files[signer + 1 :]
    # Each of them signed until the next newer one had settled; one that was made late counts for all before it.
    ends, last_s = [], files[signer].made_s
    for file in older:
        ends.append(last_s + settle_s + lives_s + CLOCK_SKEW_S)
        last_s = min(last_s, file.made_s)
    living = tuple(file for file, end_s in zip(older, ends, strict=True) if now_s < end_s)
    gone = tuple(file for file, end_s in zip(older, ends, strict=True) if now_s >= end_s)
    return Standing((files[signer], *files[:signer], *living), gone)
