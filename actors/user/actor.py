"""One player. The only place where a player's tokens and scores are decided, one message after the other."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from actors.ledger.messages import Commit, Recall, Receipt
from actors.ports import (
    BannedUser,
    Ids,
    KeyConflict,
    OperationId,
    ScoreWrite,
    TokenSpent,
    UnknownUser,
    UserId,
    WallClock,
)
from actors.runtime import Actor, ActorError, Ref, Refusal
from actors.user import token as tokens
from actors.user.limits import Limit, Window
from actors.user.messages import Increment, IssueToken, ScoreAnswer, TokenIssued
from actors.user.refusals import (
    KeyReused,
    RateLimited,
    TokenAlreadyUsed,
    Unavailable,
    UserBanned,
    UserNotFound,
)
from actors.user.token import ActionKeys

#: How many of a player's last answers stay in memory, so that a quick retry costs no look-up.
REMEMBERED = 16


@dataclass(frozen=True, slots=True)
class UserRules:
    """What holds for every player: age of tokens in seconds, points of an action, limits (None: no limit)."""

    token_age_s: int = 60
    action_type: str = "INCREMENT"
    points: int = 1
    tokens: Limit | None = field(default_factory=lambda: Limit(10))
    increments: Limit | None = field(default_factory=lambda: Limit(5))
    ledger_within_s: float = 10.0


@dataclass(frozen=True, slots=True)
class UserWorld:
    """What a user actor needs from outside."""

    clock: WallClock
    ids: Ids
    keys: ActionKeys
    rules: UserRules
    ledger: Ref


class UserActor(Actor):
    """Decides for one player. Holds nothing that may not be forgotten once its limit windows have run out."""

    def __init__(self, user_id: UserId, world: UserWorld) -> None:
        self._user_id = user_id
        self._world = world
        self._token_window = Window(world.rules.tokens)
        self._increment_window = Window(world.rules.increments)
        self._answers: OrderedDict[str, tuple[bytes, ScoreAnswer]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<UserActor {self._user_id}>"

    def may_passivate(self) -> bool:
        """Not while a limit is counting: forgetting it would reset it."""
        now_us = self._world.clock.now_us()
        return not (self._token_window.open_at(now_us) or self._increment_window.open_at(now_us))

    async def receive(self, message: Any) -> TokenIssued | ScoreAnswer:
        """Decide one wish."""
        match message:
            case IssueToken():
                return self._issue()
            case Increment():
                return await self._increment(message)
        raise TypeError(f"a user actor does not understand {message!r}")

    def _issue(self) -> TokenIssued:
        world = self._world
        now_us = world.clock.now_us()
        wait_s = self._token_window.take(now_us)
        if wait_s is not None:
            count = world.rules.tokens.count if world.rules.tokens else 0
            raise RateLimited(f"Maximum {count} token requests per minute", retry_after_s=wait_s)
        now_ms = now_us // 1000
        token = tokens.issue(self._user_id, now_ms=now_ms, nonce=world.ids.nonce(), keys=world.keys)
        age_s = world.rules.token_age_s
        return TokenIssued(token, now_ms + age_s * 1000, age_s)

    async def _increment(self, wish: Increment) -> ScoreAnswer:
        if not tokens.well_formed(wish.token):  # then it has no hash either
            raise self._judge(wish) or TypeError("a token that cannot be written was judged to be good")
        request_hash = hash_of(wish)
        known = self._remembered(wish.idempotency_key, request_hash)
        if known is not None:
            return known
        refusal = self._judge(wish)
        if refusal is not None:
            return await self._refuse_unless_known(wish, request_hash, refusal)
        outcome = await self._ask_ledger(Commit(self._write(wish, request_hash)))
        return self._conclude(wish, request_hash, outcome)

    def _remembered(self, key: str | None, request_hash: bytes) -> ScoreAnswer | None:
        if key is None or key not in self._answers:
            return None
        known_hash, answer = self._answers[key]
        if known_hash != request_hash:
            raise _key_reused()
        return answer

    def _judge(self, wish: Increment) -> Refusal | None:
        """Limits and everything that the token itself tells. Counts the attempt."""
        rules = self._world.rules
        now_us = self._world.clock.now_us()
        wait_s = self._increment_window.take(now_us)
        if wait_s is not None:
            count = rules.increments.count if rules.increments else 0
            return RateLimited(f"Maximum {count} score increments per minute", retry_after_s=wait_s)
        return tokens.judge(
            wish.token,
            owner=self._user_id,
            now_ms=now_us // 1000,
            age_ms=rules.token_age_s * 1000,
            keys=self._world.keys,
        )

    async def _refuse_unless_known(self, wish: Increment, request_hash: bytes, refusal: Refusal) -> ScoreAnswer:
        """A retry may come when its token has long expired: it still gets the first answer.

        Over the limit only memory is asked, so that a flood of invented keys costs the database nothing.
        """
        if wish.idempotency_key is None or isinstance(refusal, RateLimited):
            raise refusal
        found = await self._ask_ledger(Recall(self._user_id, wish.idempotency_key, request_hash))
        if found is None:
            raise refusal
        return self._conclude(wish, request_hash, found)

    async def _ask_ledger(self, question: Commit | Recall) -> Any:
        try:
            return await self._world.ledger.ask(question, within=self._world.rules.ledger_within_s)
        except ActorError as error:
            text = "The score could not be confirmed. Send the same request again with the same Idempotency-Key."
            raise Unavailable(text) from error

    def _write(self, wish: Increment, request_hash: bytes) -> ScoreWrite:
        world = self._world
        age_ms = world.rules.token_age_s * 1000
        return ScoreWrite(
            operation_id=OperationId(world.ids.uuid()),
            user_id=self._user_id,
            points=world.rules.points,
            action_type=world.rules.action_type,
            token_hash=wish.token.digest,
            # Another server's clock may be behind, and there the token lives longer: the row must outlive it there too.
            token_expires_us=(wish.token.timestamp_ms + age_ms + tokens.CLOCK_SKEW_MS) * 1000,
            idempotency_key=wish.idempotency_key,
            request_hash=request_hash,
            origin=wish.origin,
            occurred_us=min(wish.token.timestamp_ms * 1000, world.clock.now_us()),
        )

    def _conclude(self, wish: Increment, request_hash: bytes, outcome: object) -> ScoreAnswer:
        """Turn what the ledger said into the player's answer."""
        match outcome:
            case Receipt():
                return self._remember(wish.idempotency_key, request_hash, outcome)
            case TokenSpent():
                raise TokenAlreadyUsed("Action token has already been used")
            case KeyConflict():
                raise _key_reused()
            case BannedUser():
                raise UserBanned("This account may not score.")
            case UnknownUser():
                raise UserNotFound("This account does not exist any more.")
        raise TypeError(f"the ledger answered {outcome!r}")

    def _remember(self, key: str | None, request_hash: bytes, receipt: Receipt) -> ScoreAnswer:
        first = (receipt.fact.score, receipt.previous_rank, receipt.new_rank)
        if key is not None:
            self._answers[key] = (request_hash, ScoreAnswer(*first, repeated=True))
            if len(self._answers) > REMEMBERED:
                self._answers.popitem(last=False)
        return ScoreAnswer(*first, repeated=receipt.repeated)


def hash_of(wish: Increment) -> bytes:
    """What makes two increments the same request: the token, signature included."""
    return hashlib.sha256(f"increment:{wish.token.signed_text}:{wish.token.signature}".encode()).digest()


def _key_reused() -> KeyReused:
    return KeyReused("This Idempotency-Key came before with another request. Use a new key for a new action.")
