"""Action tokens and scores: what a player may do."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec

from actors.leaderboard.messages import Standing
from actors.ports import ALL_TIME, UserId
from actors.user.messages import Increment, IssueToken, ScoreAnswer
from actors.user.token import ActionToken
from scoreboard.api import query
from scoreboard.api.answer import Answer, json_answer
from scoreboard.api.bearer import caller_of
from scoreboard.api.body import decode, require_nothing
from scoreboard.api.errors import invalid_input
from scoreboard.api.request import ApiRequest
from scoreboard.api.services import Services
from scoreboard.api.times import iso

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

REPLAYED = ((b"idempotency-replayed", b"true"),)
_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


class TokenBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action token in document A's form."""

    userId: Text  # noqa: N815 - as document A spells it
    timestamp: Milliseconds
    nonce: Text
    signature: Text


class IncrementBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token to spend."""

    actionToken: TokenBody  # noqa: N815 - as document A spells it


class ScoreRoutes:
    """``/api/actions/token``, ``/api/scores/increment``, ``/api/scores/user/{userId}``."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def issue_token(self, request: ApiRequest) -> Answer:
        """The right to score once."""
        query.require_none(request)
        services = self._services
        user_id = UserId(caller_of(request, services.tokens).user_id)
        require_nothing(request)
        issued = await services.users.ask(user_id, IssueToken(), within=services.read_within_s)
        return json_answer(
            {
                "actionToken": _token_json(issued.token),
                "expiresAt": issued.expires_at_ms,
                "expiresIn": issued.expires_in_s,
            }
        )

    async def increment(self, request: ApiRequest) -> Answer:
        """One point. What is answered 200 is on disk; the same key again hears the same again."""
        query.require_none(request)
        services = self._services
        user_id = UserId(caller_of(request, services.tokens).user_id)
        key = idempotency_key(request)
        token = _token_of(decode(request, IncrementBody).actionToken)
        wish = Increment(token, key, request.came_from())
        answer = await services.users.ask(user_id, wish, within=services.write_within_s)
        if not answer.repeated:
            services.metrics.scored()
        return json_answer(_score_json(answer), headers=REPLAYED if answer.repeated else ())

    async def standing(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document A spells it
        """Where one player stands."""
        query.require_none(request)
        within = self._services.read_within_s
        found = await self._services.boards.ask(ALL_TIME, Standing(UserId(userId)), within=within)
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


def idempotency_key(request: ApiRequest) -> str | None:
    """The request's `Idempotency-Key`, None without one; raises ApiError (400) unless it is 1 to 255 visible ASCII."""
    values = request.header_values(b"idempotency-key")
    if not values:
        return None
    if len(values) > 1 or not _VISIBLE.fullmatch(values[0]):
        raise invalid_input("The header Idempotency-Key must hold 1 to 255 visible ASCII characters, once.")
    return values[0]


def _token_json(token: ActionToken) -> dict[str, Any]:
    return {
        "userId": token.user_id,
        "timestamp": token.timestamp_ms,
        "nonce": token.nonce,
        "signature": token.signature,
    }


def _token_of(body: TokenBody) -> ActionToken:
    return ActionToken(UserId(body.userId), body.timestamp, body.nonce, body.signature)


def _score_json(answer: ScoreAnswer) -> dict[str, Any]:
    return {
        "success": True,
        "newScore": answer.new_score,
        "previousRank": answer.previous_rank,
        "newRank": answer.new_rank,
        "rankChanged": answer.new_rank is not None and answer.new_rank != answer.previous_rank,
    }
