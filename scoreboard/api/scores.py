"""Action tokens and scores: what a player may do."""

from __future__ import annotations

import msgspec

from actors.leaderboard.messages import RankOf
from actors.ports import ALL_TIME, UserId
from actors.user.messages import Increment, IssueToken
from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.bearer import scorer_of
from scoreboard.api.idempotency import REPLAYED
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.wire.scores import IssuedJson, ScoreJson, TokenJson
from scoreboard.wire.times import iso


class IncrementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token to spend."""

    actionToken: TokenJson  # noqa: N815 - as document A spells it


class ScoreRoutes:
    """``/api/actions/token``, ``/api/scores/increment``, ``/api/scores/user/{userId}``."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def issue_token(self, request: ApiRequest) -> Answer:
        """The right to score once."""
        world, user_id = self._world, scorer_of(request.caller)
        person = world.captcha is not None and await world.captcha.shown(request)
        issued = await world.users.ask(user_id, IssueToken(person), within=world.read_within_s)
        return json_answer(IssuedJson.of(issued))

    async def increment(self, request: ApiRequest) -> Answer:
        """One point. What is answered 200 is on disk; the same key again hears the same again."""
        world, user_id = self._world, scorer_of(request.caller)
        body: IncrementBody = request.body
        wish = Increment(body.actionToken.token(), request.key, request.came_from())
        answer = await world.users.ask(user_id, wish, within=world.write_within_s)
        return json_answer(ScoreJson.of(answer), headers=REPLAYED if answer.repeated else ())

    async def standing(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document A spells it
        """Where one player stands."""
        found = await self._world.ask_board(ALL_TIME, RankOf(UserId(userId.lower()), own=request.is_of(userId)))
        return json_answer(
            {
                "userId": found.row.user_id,
                "username": found.row.username,
                "score": found.row.score,
                "rank": found.row.rank,
                "percentile": found.percentile,
                "lastUpdated": iso(found.row.reached_us),
            }
        )
