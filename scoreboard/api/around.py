"""``GET /api/v1/leaderboard/around/{userId}``: a player's line with its neighbours."""

from __future__ import annotations

from actors.leaderboard.messages import MOST_AROUND, Around
from actors.ports import UserId
from scoreboard.api.answer import Answer
from scoreboard.api.dialects import succeeded
from scoreboard.api.query import Whole
from scoreboard.api.request import ApiRequest
from scoreboard.api.v1.scopes import SCOPE, board_in, told_of
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import full_row_json
from scoreboard.wire.times import iso

PATH = "/api/v1/leaderboard/around/{userId}"
PARAMETERS = {
    "above": Whole(default=5, least=0, most=MOST_AROUND),
    "below": Whole(default=5, least=0, most=MOST_AROUND),
    **SCOPE,
}


class AroundRoute:
    """Answers in document B's envelope."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def around(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document B spells it
        """Up to `above` rows, the player's, up to `below` rows."""
        asked, world = request.asked, self._world
        board = board_in(asked)
        question = Around(UserId(userId.lower()), asked["above"], asked["below"], request.is_of(userId))
        found = await world.ask_board(board, question)
        own = full_row_json(found.row)
        return succeeded(
            {
                "leaderboard": [own if row is found.row else full_row_json(row) for row in found.rows],
                "currentUser": own,
                "totalUsers": found.total,
                **told_of(world, board),
                "generatedAt": iso(world.clock.now_us()),
            }
        )
