"""Who plays: somebody with a session, which is renewed when a server says that it is of no more use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.faults.line import Cut, Line

#: Codes that say that the session, and not what it asks for, is refused: of document A, and of document B.
SIGN_IN_AGAIN = frozenset(
    {"UNAUTHORIZED", "ACCESS_TOKEN_INVALID", "ACCESS_TOKEN_EXPIRED", "ACCESS_TOKEN_REVOKED", "TOKEN_REVOKED"}
)


@dataclass(slots=True)
class Player:
    """Somebody who is signed in, for now, since a moment of a clock that is right."""

    user_id: str
    name: str
    token: str
    refresh: str
    renewed: int = 0
    since_s: float = 0.0

    @property
    def password(self) -> str:
        """What was chosen at registration."""
        return f"{self.name}-Passw0rd!"

    async def renew(self, line: Line) -> bool:
        """Get another token at the worker of this line, by signing in if need be; whether there is one. Raises Cut."""
        answer = await line.ask("POST", "/api/auth/refresh", {"refreshToken": self.refresh})
        if answer.status in (400, 401, 403):
            answer = await line.ask("POST", "/api/auth/login", {"username": self.name, "password": self.password})
        if answer.status != 200:
            return False
        self._take(answer.json())
        self.renewed += 1
        return True

    def _take(self, told: dict[str, Any]) -> None:
        self.token, self.refresh = told["accessToken"], told["refreshToken"]


async def registered(line: Line, name: str) -> Player:
    """A new player. Raises Cut where that fails."""
    player = Player("", name, "", "")
    body = {"username": name, "email": f"{name}@example.com", "password": player.password}
    answer = await line.ask("POST", "/api/auth/register", body)
    if answer.status != 201:
        raise Cut(f"{name} is not registered: {answer}")
    told = answer.json()
    return Player(told["userId"], name, told["accessToken"], told["refreshToken"])
