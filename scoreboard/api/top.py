"""The board as a page: from the published view, whose slices are kept; deeper pages are made as they are asked for."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

import msgspec

from actors.leaderboard.events import Row
from actors.leaderboard.messages import Page
from actors.leaderboard.published import BoardView
from actors.ports import ALL_TIME
from scoreboard.api.answer import JSON, Answer, matches
from scoreboard.api.compression import LEAST_BYTES, VARIES, Packed
from scoreboard.api.query import Whole
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import row_json

PARAMETERS = {"limit": Whole(default=10, least=1, most=100), "offset": Whole(default=0, least=0, most=2**53)}
#: So many different slices of one view are kept; the one asked for longest ago makes room.
KEPT_SLICES = 64
SHARED_5_S = (b"cache-control", b"public, max-age=5")


@dataclass(frozen=True, slots=True)
class Slice:
    """An answer but for its timestamp.

    The entity tag is a weak one and covers the rows and the number of players: two answers that differ only in the
    moment when they were made say the same.
    """

    start: bytes
    etag: bytes
    packed: list[Packed] = field(default_factory=list)

    @classmethod
    def of(cls, rows: tuple[Row, ...], total: int, *, cache_hit: bool) -> Slice:
        """Encode rows in document A's form."""
        board = [row_json(row) for row in rows]
        start = msgspec.json.encode({"leaderboard": board, "totalUsers": total, "cacheHit": cache_hit})[:-1]
        said = start.rpartition(b',"cacheHit"')[0]
        return cls(start, b'W/"%s"' % hashlib.blake2b(said, digest_size=12).hexdigest().encode())

    def answer(self, if_none_match: str | None, now_ms: int) -> Answer:
        """The whole answer, or the short one for who has it already."""
        headers = ((b"etag", self.etag), SHARED_5_S)
        if matches(if_none_match, self.etag):
            return Answer(304, b"", (*headers, VARIES))
        end = b',"timestamp":%d}' % now_ms
        small = len(self.start) < LEAST_BYTES
        return Answer(200, self.start + end, (JSON, *headers), None if small else lambda: self._pack().ending(end))

    def _pack(self) -> Packed:
        """Compressed when somebody first asks for it so."""
        if not self.packed:
            self.packed.append(Packed.of(self.start))
        return self.packed[0]


class TopRoute:
    """``GET /api/scores/top``. Slices of the view are encoded when first asked for and kept until the next view."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world
        self._view: BoardView | None = None
        self._slices: dict[tuple[int, int], Slice] = {}

    async def top(self, request: ApiRequest) -> Answer:
        """`limit` rows behind the first `offset`."""
        asked = request.asked
        found = self._published(asked["limit"], asked["offset"])
        if found is None:
            found = await self._deeper(asked["limit"], asked["offset"])
        return found.answer(request.header(b"if-none-match"), self._world.clock.now_us() // 1000)

    def _published(self, limit: int, offset: int) -> Slice | None:
        view = self._world.published.get(ALL_TIME)
        if view is None or offset + limit > len(view.rows) < view.total:
            return None
        if view is not self._view:
            self._view, self._slices = view, {}
        found = self._slices.get((limit, offset))
        if found is None:
            found = Slice.of(view.rows[offset : offset + limit], view.total, cache_hit=True)
            if len(self._slices) >= KEPT_SLICES:
                del self._slices[next(iter(self._slices))]
            self._slices[limit, offset] = found
        return found

    async def _deeper(self, limit: int, offset: int) -> Slice:
        page = await self._world.ask_board(ALL_TIME, Page(limit, offset))
        return Slice.of(page.rows, page.total, cache_hit=False)
