"""Seeds that have shown a defect, and what it was. A change of the simulator may have such a seed play something else.

So each of them has a small test of its own too, in the room of the defect, as have those whose seeds play something
else by now: a board of a period told a sum that lacked what another worker had just committed; who changed country
while a board was still in the day before lost what was gained since; a key was never answered to a client that had
asked again and again while the store was frozen.
"""

from __future__ import annotations

from typing import NamedTuple


class Found(NamedTuple):
    """A seed, with the kinds of harm, the tight bounds and the habits that it had, None for those that it draws."""

    seed: int
    what: str
    kinds: tuple[str, ...] | None = None
    tight: tuple[str, ...] | None = None
    habits: tuple[str, ...] | None = ()


FOUND = [
    Found(5, "two workers asked with one key at once each told its own ranks as the first answer", ("mangle",), ()),
    Found(180, "who was hidden did not see itself come to a board, nor leave it", ("kill", "cut", "failover")),
    Found(
        30621,
        "a screen stood still: its board had no room to hear that somebody watches again",
        ("lossy", "slow", "screens"),
    ),
    Found(
        90371,
        "a worker whose lost write never stood told its own ranks of another worker's write with the same key",
        ("stop", "postgres", "cut", "breakage"),
    ),
    Found(
        3070,
        "an actor that crashed while it was wanted to rest never began again, and its screens stood still",
        ("failover", "failover", "postgres", "redis", "slow", "breakage", "lossy"),
        (),
    ),
    Found(
        203147,
        "a board that was read before the follower could begin kept what the store had lost until then",
        ("stop", "postgres", "redis", "failover"),
    ),
    Found(
        4033,
        "a write in doubt that was rejected the second time stood, and its worker's board never heard of it",
        ("reject", "reject", "lossy", "doubt"),
        (),
        ("months", "careless", "seldom"),
    ),
]
