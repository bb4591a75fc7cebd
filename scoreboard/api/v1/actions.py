"""``/api/v1/actions``: what counts, and the token for what was proven."""

from __future__ import annotations

from dataclasses import replace

import msgspec
from msgspec import UNSET, Struct, UnsetType

from actors.actions.messages import Catalogue
from actors.ports import Source
from actors.user.messages import Complete, Proof
from scoreboard.api.answer import JSON, Answer
from scoreboard.api.bearer import scorer_of
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import invalid_input, no_timestamp
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.wire.texts import ActionType, Timestamp, Uuid
from scoreboard.wire.times import moment_of

CATALOGUE_PATH = "/api/v1/actions"
COMPLETE_PATH = "/api/v1/actions/complete"
SHARED_60_S = (b"cache-control", b"public, max-age=60")


class ProofBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What the game's server made; what it leaves out stands in the body around it."""

    signature: str
    action_type: ActionType | UnsetType = UNSET
    timestamp: Timestamp | UnsetType = UNSET


class CompleteBody(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """Something that a player did. `proof` as an object, or as ``actionType.timestamp.signature``, or the signature."""

    action_id: Uuid
    proof: ProofBody | str
    timestamp: Timestamp
    action_type: ActionType | UnsetType = UNSET


class ActionRoutes:
    """Both routes."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def catalogue(self, _: ApiRequest) -> Answer:
        """All that counts, and what it is worth; for everybody."""
        kinds = await self._world.actions.ask(Catalogue(), within=self._world.read_within_s)
        told = [
            {"actionType": kind.action_type, "points": kind.points, "description": kind.description} for kind in kinds
        ]
        body = msgspec.json.encode({"success": True, "data": {"actions": told}})
        return Answer(200, body, (JSON, SHARED_60_S))

    async def complete(self, request: ApiRequest) -> Answer:
        """A proof against a token."""
        world, user_id = self._world, scorer_of(request.caller)
        wish = wish_of(request.body, request.came_from())
        if world.captcha is not None and await world.captcha.shown(request):
            wish = replace(wish, person=True)
        earned = await world.users.ask(user_id, wish, within=world.write_within_s)
        told = {"actionToken": earned.token, "expiresIn": earned.expires_in_s, "scoreIncrement": earned.points}
        return succeeded(told, "Action verified successfully")


def wish_of(body: CompleteBody, source: Source) -> Complete:
    """What is asked for; raises ApiError (400) where the proof cannot be read, or says something else than the body."""
    proof = body.proof if isinstance(body.proof, ProofBody) else _spelt_out(body.proof)
    action_type = body.action_type if proof.action_type is UNSET else proof.action_type
    if action_type is UNSET:
        raise invalid_input("Neither the body nor its proof has an actionType.", field="actionType")
    if body.action_type not in (UNSET, action_type):
        raise invalid_input("The proof is for another actionType.", field="actionType")
    timestamp = body.timestamp if proof.timestamp is UNSET else proof.timestamp
    moment_us = moment_of(timestamp)
    if moment_us is None or moment_of(body.timestamp) is None:
        raise no_timestamp()
    return Complete(action_type, body.action_id.lower(), Proof(timestamp, moment_us, proof.signature), source)


def _spelt_out(text: str) -> ProofBody:
    """A proof in one text. A time may hold a point, the others do not."""
    action_type, first, rest = text.partition(".")
    if not first:
        return ProofBody(text)
    timestamp, last, signature = rest.rpartition(".")
    if not (action_type and last and timestamp):
        raise invalid_input("The proof must be a signature, or actionType.timestamp.signature.", field="proof")
    return ProofBody(signature, action_type, timestamp)
