"""``GET /api/v1/leaderboard/around/{userId}``: a player's line with its neighbours."""

from __future__ import annotations

from actors.leaderboard.messages import MOST_AROUND, Around
from actors.ports import ALL_TIME, UserId
from scoreboard.api import query
from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.query import Whole
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.wire.rows import row_json
from scoreboard.wire.times import iso

PATH = "/api/v1/leaderboard/around/{userId}"
PARAMETERS = {
    "above": Whole(default=5, least=0, most=MOST_AROUND),
    "below": Whole(default=5, least=0, most=MOST_AROUND),
}


class AroundRoute:
    """Answers in document B's envelope."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def around(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document B spells it
        """Up to `above` rows, the player's, up to `below` rows."""
        asked = query.numbers(request, PARAMETERS)
        world = self._world
        question = Around(UserId(userId), asked["above"], asked["below"])
        found = await world.ask_board(ALL_TIME, question)
        own = row_json(found.row)
        return json_answer(
            {
                "success": True,
                "data": {
                    "leaderboard": [own if row is found.row else row_json(row) for row in found.rows],
                    "currentUser": own,
                    "totalUsers": found.total,
                    "period": "ALL_TIME",
                    "generatedAt": iso(world.clock.now_us()),
                },
            }
        )
