"""Actions and the scores that they bring."""

from __future__ import annotations

from collections.abc import Iterator

from scoreboard.api import batch, batch_body
from scoreboard.api.captcha import HEADER
from scoreboard.api.kept import OF_TOKENS_S
from scoreboard.api.route import Access, Link, Route, Told
from scoreboard.api.scores import IncrementBody, ScoreRoutes
from scoreboard.api.shapes import scores as shapes
from scoreboard.api.shapes.parts import Enveloped
from scoreboard.api.table.accounts import KEPT
from scoreboard.api.v1 import actions, updates
from scoreboard.api.world import ApiWorld
from scoreboard.wire.scores import IssuedJson, ScoreJson

PLAYER = "9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f"
ACTION = "11111111-2222-4333-8444-555555555555"
NOON = "2026-01-31T12:00:00.000Z"
CAPTCHA = {HEADER: "The answer to a captcha, of whoever was told CAPTCHA_REQUIRED"}
OF_A_TOKEN = ("TOKEN_EXPIRED", "TOKEN_ALREADY_USED", "TOKEN_INVALID", "RATE_LIMITED", "USER_BANNED", "USER_NOT_FOUND")
UPDATE_REFUSED = ("INVALID_ACTION_TOKEN", "FORBIDDEN", "RATE_LIMITED", "USER_BANNED", "USER_NOT_FOUND")
COMPLETE_REFUSED = ("ACTION_NOT_FOUND", "ACTION_ALREADY_COMPLETED", "RATE_LIMITED", "USER_BANNED", "USER_NOT_FOUND")
ONE_ROW = {"userId": PLAYER, "actionId": "match-17/goal-1", "actionType": "INCREMENT", "scoreIncrement": 1}


def routes(world: ApiWorld) -> Iterator[Route]:
    """Of both documents, and batches."""
    yield from _of_a(world)
    yield from _of_b(world)
    many = batch.BatchRoute(world)
    yield Route(
        *("POST", batch.PATH, many.submit),
        says="Send up to 1,000 scores at once, each with a result of its own.",
        answers=(Told(Enveloped[shapes.BatchResults]),),
        faults=("RATE_LIMITED",),
        access=Access.SERVICE,
        body=batch_body.Batch,
        read_body=many.read,
        most_bytes=many.most_bytes,
        example={"scores": [ONE_ROW]},
    )


def _of_a(world: ApiWorld) -> Iterator[Route]:
    scores = ScoreRoutes(world)
    spent = Link("POST", "/api/scores/increment", body={"actionToken": "/actionToken"})
    token = {"userId": PLAYER, "timestamp": 1769860800000, "nonce": "00ff…", "signature": "5d41…"}
    yield Route(
        *("POST", "/api/actions/token", world.kept.around(scores.issue_token, OF_TOKENS_S)),
        says="Get the right to score once.",
        answers=(Told(IssuedJson, headers=KEPT, links=(spent,)),),
        faults=("RATE_LIMITED", "CAPTCHA_REQUIRED", "USER_BANNED", "USER_NOT_FOUND", "IDEMPOTENCY_KEY_REUSED"),
        access=Access.PLAYER,
        headers=CAPTCHA,
        idempotent=True,
    )
    yield Route(
        *("POST", "/api/scores/increment", scores.increment),
        says="Spend an action token for one point.",
        answers=(Told(ScoreJson, headers=KEPT),),
        faults=(*OF_A_TOKEN, "IDEMPOTENCY_KEY_REUSED"),
        access=Access.PLAYER,
        body=IncrementBody,
        example={"actionToken": token},
        idempotent=True,
    )


def _of_b(world: ApiWorld) -> Iterator[Route]:
    done = actions.ActionRoutes(world)
    earned = Link("POST", updates.PATH, {"X-Action-Token": "/data/actionToken"})
    proof = {"actionType": "WIN_GAME", "timestamp": NOON, "signature": "0" * 64}
    yield Route(
        *("GET", actions.CATALOGUE_PATH, done.catalogue),
        says="What counts, and what it is worth.",
        access=Access.ANYBODY,
        answers=(Told(Enveloped[shapes.Catalogue], headers=("Cache-Control",)),),
    )
    yield Route(
        *("POST", actions.COMPLETE_PATH, world.kept.around(done.complete, OF_TOKENS_S)),
        says="Exchange the game's proof of an action for an action token.",
        answers=(Told(Enveloped[shapes.Proven], headers=KEPT, links=(earned,)),),
        faults=("FORBIDDEN", "CAPTCHA_REQUIRED", *COMPLETE_REFUSED, "IDEMPOTENCY_KEY_REUSED"),
        headers=CAPTCHA,
        idempotent=True,
        access=Access.PLAYER,
        body=actions.CompleteBody,
        example={"actionId": ACTION, "proof": proof, "timestamp": NOON},
    )
    yield Route(
        *("POST", updates.PATH, updates.UpdateRoute(world).update),
        says="Score with the action token of a proven action.",
        answers=(Told(Enveloped[shapes.Updated], headers=KEPT),),
        faults=(*UPDATE_REFUSED, "IDEMPOTENCY_KEY_REUSED"),
        access=Access.PLAYER,
        body=updates.UpdateBody,
        example={
            "userId": PLAYER,
            "actionType": "WIN_GAME",
            "actionId": ACTION,
            "scoreIncrement": 10,
            "timestamp": NOON,
            "clientSignature": "0" * 64,
        },
        idempotent=True,
        headers={"X-Action-Token": "What actions/complete gave; without it INVALID_ACTION_TOKEN is answered."},
    )
