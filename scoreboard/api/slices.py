"""Pages of boards as they are sent: slices of published views are encoded once, deeper pages as they are asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from actors.leaderboard.messages import Page, PageAnswer
from actors.leaderboard.published import BoardView
from actors.ports import BoardId
from scoreboard.api.answer import JSON, Answer, Headers, matches
from scoreboard.api.compression import LEAST_BYTES, VARIES, Packed
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld

#: So many slices are kept, of all boards; the one that was made longest ago makes room.
KEPT_SLICES = 256


@dataclass(frozen=True, slots=True)
class Slice:
    """What an answer says, but for the moment at which it says so.

    The entity tag is a weak one and covers what is `said`, and the `more` that is said to one client: two answers that
    differ only in what follows say the same.
    """

    said: bytes
    etag: bytes
    more: bytes = b""
    packed: list[Packed] = field(default_factory=list)

    @classmethod
    def of(cls, said: bytes) -> Slice:
        """What is said, which is a JSON object without its end."""
        return cls(said, _tag(said))

    def with_more(self, more: bytes) -> Slice:
        """The same, and more fields; what was said before is not compressed again."""
        return Slice(self.said, _tag(self.said + more), more, self.packed)

    def answer(self, request: ApiRequest, end: bytes, headers: Headers) -> Answer:
        """The whole answer with its `end`, or the short one for who has it already."""
        headers = ((b"etag", self.etag), *headers)
        if matches(request.header(b"if-none-match"), self.etag):
            return Answer(304, b"", (*headers, VARIES))
        end = self.more + end
        small = len(self.said) < LEAST_BYTES
        return Answer(200, self.said + end, (JSON, *headers), None if small else lambda: self._pack().ending(end))

    def _pack(self) -> Packed:
        """Compressed when somebody first asks for it so."""
        if not self.packed:
            self.packed.append(Packed.of(self.said))
        return self.packed[0]


def _tag(said: bytes) -> bytes:
    return b'W/"%s"' % hashlib.blake2b(said, digest_size=12).hexdigest().encode()


class Which(NamedTuple):
    """A slice: so many rows of a board behind the first `offset`."""

    board: BoardId
    limit: int
    offset: int


class Slices:
    """Slices of views are encoded when first asked for and kept until the next view of their board.

    Args:
        world: Where boards are published and asked.
        encode: What is said of these rows of a board, a JSON object without its end; of a view always the same.
    """

    def __init__(self, world: ApiWorld, encode: Callable[[BoardId, PageAnswer], bytes]) -> None:
        self._world = world
        self._encode = encode
        self._kept: dict[Which, tuple[BoardView, Slice]] = {}

    async def find(self, which: Which) -> tuple[Slice, bool]:
        """The slice, and whether it comes from a view. Raises what `ApiWorld.ask_board` raises."""
        view = self._world.published.get(which.board)
        if view is not None and not which.offset + which.limit > len(view.rows) < view.total:
            return self._of_view(which, view), True
        page = await self._world.ask_board(which.board, Page(which.limit, which.offset))
        return Slice.of(self._encode(which.board, page)), False

    def _of_view(self, which: Which, view: BoardView) -> Slice:
        of, found = self._kept.get(which, (None, None))
        if found is None or of is not view:
            rows = view.rows[which.offset : which.offset + which.limit]
            found = Slice.of(self._encode(which.board, PageAnswer(rows, view.total)))
            self._keep(which, view, found)
        return found

    def _keep(self, which: Which, view: BoardView, made: Slice) -> None:
        self._kept.pop(which, None)
        if len(self._kept) >= KEPT_SLICES:
            del self._kept[next(iter(self._kept))]
        self._kept[which] = view, made
