"""Answers about players."""

from __future__ import annotations

from scoreboard.api.shapes.parts import Id, Moment, Name, Percent, Points, Rank, Seconds, Shape, Token


class Player(Shape):
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


class TicketToLive(Shape):
    """A ticket for one connection to the live feed."""

    ticket: Token
    expires_in: Seconds
