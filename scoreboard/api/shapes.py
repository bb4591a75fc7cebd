"""The shapes of answers, as they are described; that the answers have them is held by every test of a route.

Document B's stand in an envelope: ``Enveloped[...]``.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from scoreboard.wire.rows import FullRowJson, RowJson

T = TypeVar("T")

Id = Annotated[str, Meta(examples=["9f3c1d2e-4b5a-4c6d-8e7f-0a1b2c3d4e5f"])]
Name = Annotated[str, Meta(examples=["Ada"])]
Token = Annotated[str, Meta(examples=["eyJhbGciOi…"])]
Seconds = Annotated[int, Meta(ge=0, description="Seconds", examples=[300])]
Moment = Annotated[str, Meta(description="ISO 8601 in UTC", examples=["2026-01-31T12:00:00.000Z"])]
Rank = Annotated[int, Meta(ge=1, examples=[4])]
Points = Annotated[int, Meta(ge=0, examples=[120])]
Percent = Annotated[float, Meta(ge=0, le=100, description="The share of players who stand no higher")]
Period = Literal["ALL_TIME", "DAILY", "WEEKLY", "MONTHLY"]
Yes = Annotated[bool, Meta(extra_json_schema={"const": True})]
No = Annotated[bool, Meta(extra_json_schema={"const": False})]


class _Shape(Struct, forbid_unknown_fields=True, rename="camel"):
    pass


class ErrorOfA(_Shape):
    """An error under /api."""

    error: str
    message: str
    code: str
    retry_after: Annotated[int, Meta(ge=1, description="Seconds")] | UnsetType = UNSET


class FaultOfB(_Shape):
    """What is wrong; `details` say more to programs where there is more to say."""

    code: str
    message: str
    timestamp: Moment
    request_id: str
    retry_after: Annotated[int, Meta(ge=1, description="Seconds")] | UnsetType = UNSET
    details: dict[str, Any] | UnsetType = UNSET


class ErrorOfB(_Shape):
    """An error under /api/v1."""

    success: No
    error: FaultOfB


class Enveloped(_Shape, Generic[T]):
    """An answer under /api/v1."""

    success: Yes
    data: T
    message: str | UnsetType = UNSET


class Tokens(_Shape):
    """The tokens of a session."""

    access_token: Token
    refresh_token: Token
    expires_in: Seconds


class Registered(_Shape):
    """A new player, signed in."""

    user_id: Id
    username: Name
    access_token: Token
    refresh_token: Token
    expires_in: Seconds


class Session(Registered):
    """A session, with the secret for signatures."""

    client_secret: Annotated[str, Meta(pattern="^[0-9a-f]{64}$", examples=["0" * 64])]


class OpenSession(_Shape):
    """A session that is open; `lastUsedAt` is when its tokens were renewed."""

    id: Id
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    address: str | None
    agent: str | None
    current: bool


class OpenSessions(_Shape):
    """Open sessions, the newest first."""

    sessions: list[OpenSession]


class SessionsEnded(_Shape):
    """How many sessions have ended by this."""

    ended: Annotated[int, Meta(ge=0)]


class Done(_Shape):
    """It is done."""

    success: Yes


class TopOfA(_Shape):
    """A page of the board."""

    leaderboard: list[RowJson]
    total_users: int
    cache_hit: bool
    timestamp: Annotated[int, Meta(description="Milliseconds since 1970")]


class StandingOfA(_Shape):
    """Where a player stands."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points
    last_updated: Moment
    percentile: Percent


class Action(_Shape):
    """A kind of action, and what it is worth."""

    action_type: Annotated[str, Meta(examples=["WIN_GAME"])]
    points: Points
    description: str | None


class Catalogue(_Shape):
    """All kinds of actions."""

    actions: list[Action]


class Proven(_Shape):
    """The token for an action that was proven."""

    action_token: Token
    expires_in: Seconds
    score_increment: Points


class Updated(_Shape):
    """A score that is on disk; ranks are null where the board could not be asked."""

    user_id: Id
    new_score: Points
    score_increment: Points
    rank: Rank | None
    previous_rank: Rank | None
    timestamp: Moment


class Own(_Shape):
    """One's own line."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points


class TopOfB(_Shape):
    """A page of a board; `currentUser` is there for who is signed in."""

    leaderboard: list[FullRowJson]
    total_users: int
    period: Period
    generated_at: Moment
    current_user: Own | UnsetType | None = UNSET
    country: str | UnsetType = UNSET
    resets_at: Moment | UnsetType = UNSET


class AroundPlayer(_Shape):
    """A player's line and its neighbours."""

    leaderboard: list[FullRowJson]
    current_user: FullRowJson
    total_users: int
    period: Period
    generated_at: Moment
    country: str | UnsetType = UNSET
    resets_at: Moment | UnsetType = UNSET


class RankOfPlayer(_Shape):
    """Where one player stands on a board."""

    rank: Rank
    user_id: Id
    username: Name
    score: Points
    avatar: str | None
    country: str | None
    last_updated: Moment
    percentile: Percent
    total_users: int
    period: Period
    resets_at: Moment | UnsetType = UNSET


class ClosedPeriod(_Shape):
    """A period that is over."""

    period: Period
    label: Annotated[str, Meta(examples=["2026-W05"])]
    starts_at: Moment
    ends_at: Moment
    final: bool
    players: int


class ClosedPeriods(_Shape):
    """Periods that are over, the newest first."""

    periods: list[ClosedPeriod]
    period: Period


class ArchivedPage(ClosedPeriod):
    """A page of a period that is over."""

    leaderboard: list[FullRowJson]
    total_users: int
    country: str | UnsetType = UNSET


class Player(_Shape):
    """A player, as everybody may see them; score and rank are null for who is on no board."""

    id: Id
    username: Name
    score: Points | None
    rank: Rank | None
    percentile: Percent | None
    country: str | None
    avatar: str | None
    created_at: Moment
    last_active: Moment
    is_active: bool


class Oneself(Player):
    """A player, as only they may see it."""

    email: str
    role: str
    permissions: list[str]


class TicketToLive(_Shape):
    """A ticket for one connection to the live feed."""

    ticket: Token
    expires_in: Seconds


class RowCounted(_Shape):
    """A row that counts; ranks are null where they are not known."""

    action_id: str
    user_id: Id
    success: Yes
    new_score: Points
    previous_rank: Rank | None
    new_rank: Rank | None
    repeated: bool


class RowFault(_Shape):
    """Why a row does not count."""

    code: str
    message: str


class RowRefused(_Shape):
    """A row that does not count."""

    action_id: str | None
    user_id: str | None
    success: No
    error: RowFault


_ROWS = {"items": {"oneOf": [{"$ref": f"#/components/schemas/{each.__name__}"} for each in (RowCounted, RowRefused)]}}


class BatchResults(_Shape):
    """What became of each row, in their order."""

    results: Annotated[list[dict[str, Any]], Meta(extra_json_schema=_ROWS)]
    counted: int
    repeated: int
    refused: int
    timestamp: Moment


class Health(_Shape):
    """The process lives."""

    status: Literal["ok"]


class Readiness(_Shape):
    """What each part says."""

    status: str
    parts: dict[str, str]


class NotReady(_Shape):
    """Which part is missing."""

    error: str
    message: str
    code: Literal["NOT_READY"]
    status: str
    parts: dict[str, str]


class KeySet(_Shape):
    """Public keys of access tokens: RFC 7517."""

    keys: list[dict[str, Any]]
