"""What a player's standing makes of a limit, and how players stand, as far as one worker knows. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from actors.ports import PlayerStanding, Quota, UserId

EVERYBODY = PlayerStanding()
#: So many points of reputation are the most that count, for or against somebody.
MOST_REPUTATION = 100


@dataclass(frozen=True, slots=True)
class Adapting:
    """How standing changes limits.

    Who is restricted has `restricted` a window, whatever else is true. Tiers multiply; so does reputation, a hundred
    points of which multiply or divide by `reputation`, and none do more than that.
    """

    restricted: int = 1
    tiers: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({"premium": 2.0}))
    reputation: float = 2.0

    def factor(self, standing: PlayerStanding) -> float:
        """What tier and reputation multiply a limit by."""
        points = max(-MOST_REPUTATION, min(MOST_REPUTATION, standing.reputation))
        return float(self.tiers.get(standing.tier, 1.0) * self.reputation ** (points / MOST_REPUTATION))


@dataclass(slots=True)
class _Known:
    factor: float
    until_s: float


class Standings:
    """Who is restricted, all of them; and what tier and reputation make of up to `most` others, for `keep_s`.

    What this worker changed itself it knows at once, also while somebody reads how it was before.
    """

    def __init__(self, adapting: Adapting, *, most: int = 50_000, keep_s: float = 60.0) -> None:
        self._adapting = adapting
        self._most = most
        self._keep_s = keep_s
        self._restricted: dict[UserId, int] = {}  # until when, by the clock on the wall
        self._changed: dict[UserId, tuple[int | None, float]] = {}  # here, since the last reading began; and when
        self._known: OrderedDict[UserId, _Known] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Standings, {len(self._restricted)} restricted, {len(self._known)} known>"

    def quota(self, user_id: UserId, quota: Quota, now_us: int) -> Quota:
        """The limit of that player; at least one a window. What is not known is as it was, or as everybody's."""
        until_us = self._restricted.get(user_id)
        if until_us is not None and now_us < until_us:
            return replace(quota, count=min(quota.count, self._adapting.restricted))
        known = self._known.get(user_id)
        if known is None or known.factor == 1:
            return quota
        return replace(quota, count=max(1, round(quota.count * known.factor)))

    def ask_for(self, user_id: UserId, now_s: float) -> bool:
        """Whether tier and reputation should be looked up now; who asks does so."""
        known = self._known.get(user_id)
        if known is None:
            self._keep(user_id, _Known(1.0, now_s + self._keep_s))
            return True
        if now_s < known.until_s:
            return False
        known.until_s = now_s + self._keep_s
        return True

    def found(self, user_ids: Iterable[UserId], standings: Mapping[UserId, PlayerStanding], now_s: float) -> None:
        """How these stand; who was not found stands as everybody."""
        for user_id in user_ids:
            factor = self._adapting.factor(standings.get(user_id, EVERYBODY))
            self._keep(user_id, _Known(factor, now_s + self._keep_s))

    def restrict_all(self, restricted: Mapping[UserId, int], read_at: float) -> None:
        """All who are restricted, as it was then; what was changed here since then stays."""
        self._restricted = dict(restricted)
        self._changed = {user_id: each for user_id, each in self._changed.items() if each[1] >= read_at}
        for user_id, (until_us, _) in self._changed.items():
            self._restrict(user_id, until_us)

    def stood(self, user_id: UserId, standing: PlayerStanding, now_s: float) -> None:
        """This worker changed how somebody stands."""
        self._changed[user_id] = (standing.restricted_until_us, now_s)
        self._restrict(user_id, standing.restricted_until_us)
        self.found((user_id,), {user_id: standing}, now_s)

    def _restrict(self, user_id: UserId, until_us: int | None) -> None:
        if until_us is None:
            self._restricted.pop(user_id, None)
        else:
            self._restricted[user_id] = until_us

    def _keep(self, user_id: UserId, known: _Known) -> None:
        self._known[user_id] = known
        self._known.move_to_end(user_id)
        while len(self._known) > self._most:
            self._known.popitem(last=False)
