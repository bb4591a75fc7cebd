"""``POST /api/v1/scores/update``: points for an action that was proven."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from actors.ports import UserId
from actors.user.messages import Update, UpdateAnswer
from scoreboard.api.answer import Answer
from scoreboard.api.bearer import scorer_of
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import forbidden, no_timestamp
from scoreboard.api.idempotency import REPLAYED
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.client_secret import client_secret
from scoreboard.security.tokens import Caller
from scoreboard.wire.texts import ActionType, Signature, Timestamp, Uuid
from scoreboard.wire.times import iso, moment_of

PATH = "/api/v1/scores/update"


class UpdateBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """As document B has it."""

    user_id: Uuid
    action_type: ActionType
    action_id: Uuid
    score_increment: Annotated[int, Meta(ge=1, le=1000)]
    timestamp: Timestamp
    client_signature: Signature


class UpdateRoute:
    """The player's actor judges, from the token on; see ``actors.user.updates``."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def update(self, request: ApiRequest) -> Answer:
        """What is answered 200 is on disk; the same key again hears the same again."""
        world, caller = self._world, request.caller
        wish = self._wish(request, request.body, caller, request.key)
        answer = await world.users.ask(UserId(caller.user_id), wish, within=world.write_within_s)
        return _told(caller.user_id, answer)

    def _wish(self, request: ApiRequest, body: UpdateBody, caller: Caller, key: str | None) -> Update:
        world, moment_us = self._world, moment_of(body.timestamp)
        if moment_us is None:
            raise no_timestamp()
        if body.user_id.lower() != caller.user_id:
            raise forbidden("Everybody may update their own score only.", reason="userId")
        scorer_of(caller)
        return Update(
            token=_action_token(request),
            user_text=body.user_id,
            action_type=body.action_type,
            action_id=body.action_id,
            points=body.score_increment,
            timestamp=body.timestamp,
            moment_us=moment_us,
            signature=body.client_signature,
            secrets=tuple(client_secret(caller.session_id, each).encode() for each in world.client_keys()),
            idempotency_key=key,
            source=request.came_from(),
        )


def _action_token(request: ApiRequest) -> str | None:
    """The header's value; of two it is not said which is meant, so there is none."""
    values = request.header_values(b"x-action-token")
    return values[0].strip() if len(values) == 1 and values[0].strip() else None


def _told(user_id: str, answer: UpdateAnswer) -> Answer:
    data = {
        "userId": user_id,
        "newScore": answer.new_score,
        "scoreIncrement": answer.points,
        "rank": answer.new_rank,
        "previousRank": answer.previous_rank,
        "timestamp": iso(answer.reached_us),
    }
    return succeeded(data, "Score updated successfully", headers=REPLAYED if answer.repeated else ())
