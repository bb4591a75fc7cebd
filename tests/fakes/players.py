"""The players that the fake stores share, as the real ones share a table."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from actors.ports import PlayerStanding, ScoreFact, UserId, WallClock


@dataclass(slots=True)
class Player:
    """One row."""

    user_id: UserId
    username: str
    username_key: str
    email_key: str
    password_hash: str
    reached_us: int
    role: str = "user"
    standing: PlayerStanding = field(default_factory=PlayerStanding)
    score: int = 0
    version: int = 0
    country: str | None = None
    avatar: str | None = None
    email: str = ""
    look: str | None = None
    created_us: int = field(init=False)
    last_active_us: int = field(init=False)

    def __post_init__(self) -> None:
        self.created_us = self.last_active_us = self.reached_us

    @property
    def banned(self) -> bool:
        """Whether the player may do nothing."""
        return self.standing.banned

    @banned.setter
    def banned(self, banned: bool) -> None:
        self.standing = replace(self.standing, banned=banned)

    def fact(self, points: int = 0, occurred_us: int = 0) -> ScoreFact:
        """The total as it stands; with what was added last, and when that was done."""
        total = (self.user_id, self.username, self.score, self.version, self.reached_us)
        return ScoreFact(*total, points, occurred_us, self.country, self.avatar, self.standing.hidden)


@dataclass(slots=True)
class Players:
    """All rows, and the moments that they are given: never the same twice, also while the clock stands."""

    clock: WallClock
    rows: dict[UserId, Player] = field(default_factory=dict)
    changes: list[UserId | None] = field(default_factory=list)  # who is new or looks another way, as that is committed
    timeline: int = 1  # one more with each promotion of a replica
    _last_us: int = 0

    def moment(self) -> int:
        """A moment later than all before it."""
        self._last_us = max(self.clock.now_us(), self._last_us + 1)
        return self._last_us

    def changed(self, user_id: UserId | None) -> None:
        """A player is new or looks another way; None: so many are that all should be read."""
        self.changes.append(user_id)

    def ban(self, user_id: UserId) -> None:
        """By hand."""
        self.rows[user_id].banned = True
        self.rows[user_id].version += 1
        self.changed(user_id)

    def add(self, name: str, *, user_id: str | None = None, score: int = 0, banned: bool = False) -> Player:
        """Put a player in, for tests that do not care how it came; the id is the name unless given."""
        key = UserId(user_id or name)
        row = Player(key, name, name.casefold(), f"{name}@example.org", "hash", self.moment(), score=score)
        row.banned = banned
        self.rows[key] = row
        self.changed(key)
        return row
