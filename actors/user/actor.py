"""One player. The only place where a player's tokens and scores are decided, one message after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import trio

from actors.actions.messages import Prove
from actors.ledger.messages import Commit, Recall, Receipt
from actors.ports import (
    CLOCK_SKEW_US,
    ActionKind,
    BannedUser,
    KeyConflict,
    OperationId,
    Quota,
    ScoreWrite,
    Taken,
    TokenSpent,
    UnknownUser,
    UserId,
)
from actors.runtime import ActorError, AskTimeout, Promise, PromptActor, Refusal, Request
from actors.user import token as tokens
from actors.user import updates
from actors.user.answers import Answer, Answers, Wish, hash_of, key_reused
from actors.user.earned import Earned, action_name, issue
from actors.user.messages import (
    Complete,
    Increment,
    IssueToken,
    TokenEarned,
    TokenIssued,
    Update,
)
from actors.user.refusals import (
    ActionTokenRefused,
    CaptchaRequired,
    RateLimited,
    TokenAlreadyUsed,
    Unavailable,
    UserBanned,
    UserNotFound,
)
from actors.user.right import Right
from actors.user.watch import Watch
from actors.user.world import INCREMENTS, TOKENS, UPDATES, UserWorld

#: So many increments of one player may be undecided; one more is told so.
MOST_UNDER_WAY = 100

TOO_MANY_UPDATES = "Too many score update requests. Please wait before trying again."
UNCONFIRMED = "The score could not be confirmed. Send the same request again with the same Idempotency-Key."


@dataclass(slots=True)
class _UnderWay:
    """A score that the ledger was asked about, until `until` on Trio's clock.

    `refusal` is what it hears unless its key is known.
    """

    request: Request
    request_hash: bytes
    refusal: Refusal | None
    until: float = math.inf

    @property
    def wish(self) -> Wish:
        """What was asked for."""
        wish: Wish = self.request.message
        return wish


class UserActor(PromptActor):
    """Decides for one player. Holds nothing that may not be forgotten.

    Scores go to the ledger as they come, which commits them in this order, many in one transaction. Only what comes
    with a key that is under way waits, until it is known what has become of the first.
    """

    def __init__(self, user_id: UserId, world: UserWorld) -> None:
        self._user_id = user_id
        self._world = world
        self._answers = Answers()
        self._history = world.history()  # of the store, as those answers were given
        self._watch = Watch(user_id, world.watched)
        self._under_way: dict[Promise[Any], _UnderWay] = {}  # the oldest stands first
        self._behind: dict[str, list[Request]] = {}  # by each key under way
        self._fault: Exception | None = None
        self._heard: trio.Event | None = None  # when the ledger has said something, for who waits for that

    def __repr__(self) -> str:
        return f"<UserActor {self._user_id}>"

    def decide(self, request: Request) -> None:
        """Decide one wish. A score is answered when the ledger has made it durable; nothing waits here."""
        if self._fault is not None:
            raise self._fault
        match request.message:
            case IssueToken():
                self._require_person(request.message.person)
                request.answer(self._issue())
            case Increment() | Update():
                self._score(request)
            case Complete():
                self._require_person(request.message.person)
                self._complete(request)
            case message:
                raise TypeError(f"a user actor does not understand {message!r}")

    async def stopped(self) -> None:
        """Who waits for the ledger hears what it says, if it says so in time."""
        while any(each.request.open for each in self._under_way.values()):
            self._heard = trio.Event()
            await self._heard.wait()

    async def woken(self) -> None:
        """Give up what the ledger has not answered in time."""
        now = trio.current_time()
        for promise in [promise for promise, each in self._under_way.items() if each.until <= now]:
            promise.withdraw()
            self._end(self._under_way.pop(promise), AskTimeout("the ledger did not answer in time"))
        self.wake_at = min((each.until for each in self._under_way.values()), default=math.inf)

    def _issue(self) -> TokenIssued:
        world = self._world
        self._count_token()
        now_ms = world.clock.now_us() // 1000
        token = tokens.issue(self._user_id, now_ms=now_ms, nonce=world.ids.nonce(), keys=world.keys())
        age_s = world.rules.token_age_s
        return TokenIssued(token, now_ms + age_s * 1000, age_s)

    def _require_person(self, shown: bool) -> None:  # noqa: FBT001 - as the message says it
        if not shown and self._world.challenged(self._user_id):
            raise CaptchaRequired("Solve a captcha first, and send its answer along with this request.")

    def _count_token(self) -> None:
        if (refused := self._take(TOKENS, self._world.rules.tokens)) is not None:
            raise RateLimited(f"Maximum {refused.limit} token requests per minute", retry_after_s=refused.reset_s)

    def _take(self, name: str, quota: Quota | None) -> Taken | None:
        """Use one. None if it was allowed."""
        if quota is None:
            return None
        taken = self._world.limits.take(self._user_id, name, quota)
        return None if taken.allowed else taken

    def _complete(self, request: Request) -> None:
        """Who keeps the catalogue answers, with a token that is made here."""
        world, wish = self._world, request.message
        self._count_token()
        name = action_name(wish.action_id)
        asked: Prove[TokenEarned] = Prove(
            self._user_id,
            wish.action_type,
            wish.action_id,
            wish.proof,
            name,
            wish.source,
            partial(self._earned, wish.action_id),
        )
        try:
            world.actions.forward(request, asked)
        except ActorError as error:
            raise Unavailable("The proof cannot be judged just now. Nothing was done; try again.") from error

    def _earned(self, action_id: str, kind: ActionKind) -> TokenEarned:
        world, now_us = self._world, self._world.clock.now_us()
        expires_us = now_us + world.rules.earned_age_s * 1_000_000
        earned = Earned(self._user_id, kind.action_type, action_id, kind.points, now_us, expires_us)
        return TokenEarned(issue(earned, world.keys()), world.rules.earned_age_s, kind.points)

    def _score(self, request: Request) -> None:
        wish: Wish = request.message
        if isinstance(wish, Increment) and not tokens.well_formed(wish.token):  # then it has no hash either
            refusal = self._judge(wish)
            raise refusal if isinstance(refusal, Refusal) else TypeError("a token that is no text was taken for good")
        key = wish.idempotency_key
        if key is not None and key in self._behind:
            self._require_room()
            self._behind[key].append(request)
            return
        request_hash = b"" if key is None else hash_of(wish)  # only a key is ever compared
        self._forget_the_lost()
        known = self._answers.find(key, request_hash)
        if known is not None:
            request.answer(known)
            return
        judged = self._judge_update(wish) if isinstance(wish, Update) else self._judge(wish)
        if isinstance(judged, Right):
            self._ask_ledger(Commit(self._write(wish, judged, request_hash)), _UnderWay(request, request_hash, None))
            return
        self._refused(wish, judged)
        if key is None or isinstance(judged, RateLimited):
            # Over the limit only memory is asked, so that a flood of invented keys costs the database nothing.
            raise judged
        # a retry may come when its token has long expired: it still gets the first answer
        question = Recall(self._user_id, key, request_hash)
        self._ask_ledger(question, _UnderWay(request, request_hash, judged))

    def _forget_the_lost(self) -> None:
        """What was answered in another history of the store it may not have any more; what it has it is asked for."""
        if self._history != self._world.history():
            self._history, self._answers = self._world.history(), Answers()

    def _refused(self, wish: Wish, refusal: Refusal) -> None:
        rules = self._world.rules
        age_s = rules.earned_age_s if isinstance(wish, Update) else rules.token_age_s
        self._watch.refused(wish, refusal, self._world.clock.now_us(), age_s, self._world.keys())

    def _judge(self, wish: Increment) -> Right | Refusal:
        """Limits and everything that the token itself tells. Counts the attempt."""
        rules, token = self._world.rules, wish.token
        now_us = self._world.clock.now_us()
        if (refused := self._take(INCREMENTS, rules.increments)) is not None:
            return RateLimited(f"Maximum {refused.limit} score increments per minute", retry_after_s=refused.reset_s)
        age_ms = rules.token_age_s * 1000
        keys = self._world.keys()
        refusal = tokens.judge(token, owner=self._user_id, now_ms=now_us // 1000, age_ms=age_ms, keys=keys)
        if refusal is not None:
            return refusal
        # Another server's clock may be behind, and there the token lives longer: the row must outlive it there too.
        expires_us = (token.timestamp_ms + age_ms) * 1000 + CLOCK_SKEW_US
        return Right(rules.points, rules.action_type, token.digest, expires_us, token.timestamp_ms * 1000, token.nonce)

    def _judge_update(self, wish: Update) -> Right | Refusal:
        """The token, what is said of it, and last the limit, which counts what the ledger would be asked about."""
        now_us = self._world.clock.now_us()
        judged = updates.judge(wish, owner=self._user_id, now_us=now_us, keys=self._world.keys())
        if isinstance(judged, Refusal) and wish.idempotency_key is None:
            return judged
        refused = self._take(UPDATES, self._world.rules.updates)
        if refused is None:
            return judged
        if isinstance(judged, Refusal):
            raise judged
        return RateLimited(TOO_MANY_UPDATES, retry_after_s=refused.reset_s)

    # --- the ledger's answers, in the task of who gives them ---

    def _ask_ledger(self, question: Commit | Recall, asked: _UnderWay) -> None:
        self._require_room()
        # No longer than its sender waits: what is not begun by then the ledger drops without a word.
        asked.until = min(trio.current_time() + self._world.rules.ledger_within_s, asked.request.deadline)
        try:
            promise = self._world.ledger.promise(question, deadline=asked.until, settled=self._settled)
        except ActorError as error:
            raise Unavailable(UNCONFIRMED) from error
        self._under_way[promise] = asked
        if asked.wish.idempotency_key is not None:
            self._behind[asked.wish.idempotency_key] = []
        self.wake_at = min(self.wake_at, asked.until)

    def _require_room(self) -> None:
        if len(self._under_way) + sum(map(len, self._behind.values())) >= MOST_UNDER_WAY:
            raise Unavailable("Too many scores of this player are under way. Nothing was done; try again in a moment.")

    def _settled(self, promise: Promise[Any]) -> None:
        """Pass an outcome on. Never raises: what is wrong here is no fault of the ledger's; it ends this life."""
        asked = self._under_way.pop(promise, None)
        if asked is None:
            return
        if self._heard is not None:
            self._heard.set()
        try:
            self._end(asked, promise.outcome)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is raised again with the next message
            self._fault = fault
            asked.request.fail(Unavailable(UNCONFIRMED))

    def _end(self, asked: _UnderWay, outcome: object) -> None:
        """Answer, and decide what came with the same key meanwhile."""
        wish = asked.wish
        try:
            asked.request.answer(self._conclude(asked, outcome))
        except Refusal as refusal:
            asked.request.fail(refusal)
        if wish.idempotency_key is None:
            return
        for request in self._behind.pop(wish.idempotency_key):
            if request.expired(trio.current_time()):
                continue  # or whoever came next would wait behind one for whom nobody waits
            try:
                self._score(request)
            except Refusal as refusal:
                request.fail(refusal)

    def _write(self, wish: Wish, right: Right, request_hash: bytes) -> ScoreWrite:
        world = self._world
        return ScoreWrite(
            OperationId(world.ids.uuid()),
            self._user_id,
            right.points,
            right.action_type,
            right.name,
            right.expires_us,
            idempotency_key=wish.idempotency_key,
            request_hash=request_hash,
            source=wish.source,
            occurred_us=min(right.occurred_us, world.clock.now_us()),
            action_id=right.action_id,
        )

    def _conclude(self, asked: _UnderWay, outcome: object) -> Answer:
        """Turn what the ledger said into the player's answer."""
        world, wish = self._world, asked.wish
        match outcome:
            case Receipt():
                if not outcome.repeated:
                    action_type = wish.action_type if isinstance(wish, Update) else world.rules.action_type
                    self._watch.scored(wish, world.clock.now_us(), action_type, outcome.points)
                return self._answers.tell(wish, asked.request_hash, outcome)
            case None if asked.refusal is not None:
                raise asked.refusal
            case ActorError():
                raise Unavailable(UNCONFIRMED) from outcome
            case TokenSpent() if isinstance(wish, Update):
                raise ActionTokenRefused("Action token is invalid or already used", reason="used")
            case TokenSpent():
                raise TokenAlreadyUsed("Action token has already been used")
            case KeyConflict():
                raise key_reused()
            case BannedUser():
                raise UserBanned("This account may not score.")
            case UnknownUser():
                raise UserNotFound("This account does not exist any more.")
        raise TypeError(f"the ledger answered {outcome!r}")
