"""The rules that hold for every player, and what a user actor needs from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from actors.fraud.messages import Action
from actors.ports import Ids, PlayerLimits, Quota, UserId, WallClock
from actors.runtime import Ref
from actors.user.token import ActionKeys

#: What a player's limits are of, as they are named wherever they are counted.
TOKENS, INCREMENTS, UPDATES = "tokens", "increments", "score"


@dataclass(frozen=True, slots=True)
class UserRules:
    """What holds for every player: age of tokens in seconds, points of an action, limits (None: no limit).

    Tokens that were `earned` by a proof live longer, and each says what it is worth.
    """

    token_age_s: int = 60
    earned_age_s: int = 300
    action_type: str = "INCREMENT"
    points: int = 1
    tokens: Quota | None = field(default_factory=lambda: Quota(10))
    increments: Quota | None = field(default_factory=lambda: Quota(5))
    updates: Quota | None = field(default_factory=lambda: Quota(10))
    ledger_within_s: float = 10.0


@dataclass(frozen=True, slots=True)
class UserWorld:
    """What a user actor needs from outside. `watched` is told of each attempt to score, and is quick.

    `limits` keeps what a player has used, so that it outlives the actor. `challenged` says whether a
    player must show to be a person before another token is given. `history` names the one that the store goes on with:
    what was answered in another may be lost.
    """

    clock: WallClock
    ids: Ids
    keys: Callable[[], ActionKeys]
    rules: UserRules
    ledger: Ref
    actions: Ref
    limits: PlayerLimits
    watched: Callable[[Action], None] = lambda _: None
    challenged: Callable[[UserId], bool] = lambda _: False
    history: Callable[[], str] = lambda: ""
