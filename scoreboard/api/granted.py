"""What somebody who has signed in is told, as each document shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from scoreboard.api.answer import Answer, Headers, json_answer
from scoreboard.api.dialects import succeeded


@dataclass(frozen=True, slots=True)
class Granted:
    """A session and its tokens; `secret` is for signing requests."""

    user_id: str
    username: str
    access: str
    refresh: str
    expires_in_s: int
    secret: str

    def tokens(self) -> dict[str, Any]:
        """What both documents call alike."""
        return {"accessToken": self.access, "refreshToken": self.refresh, "expiresIn": self.expires_in_s}


class SessionAnswers(Protocol):
    """One document's answers to who signs in and out."""

    def registered(self, granted: Granted, headers: Headers = ()) -> Answer:
        """There is an account now."""
        ...

    def signed_in(self, granted: Granted) -> Answer:
        """By a password or a refresh token."""
        ...

    def signed_out(self) -> Answer:
        """The session has ended."""
        ...


class SessionsOfA:
    """Document A's: plain objects."""

    def registered(self, granted: Granted, headers: Headers = ()) -> Answer:
        """See `SessionAnswers.registered`."""
        who = {"userId": granted.user_id, "username": granted.username}
        return json_answer({**who, **granted.tokens()}, status=201, headers=headers)

    def signed_in(self, granted: Granted) -> Answer:
        """See `SessionAnswers.signed_in`."""
        return json_answer(granted.tokens())

    def signed_out(self) -> Answer:
        """See `SessionAnswers.signed_out`."""
        return json_answer({"success": True})


class SessionsOfB:
    """Document B's: the envelope, who it is, and the secret for the client's signatures."""

    def registered(self, granted: Granted, headers: Headers = ()) -> Answer:
        """See `SessionAnswers.registered`."""
        return succeeded(self._told(granted), "Registered successfully", status=201, headers=headers)

    def signed_in(self, granted: Granted) -> Answer:
        """See `SessionAnswers.signed_in`."""
        return succeeded(self._told(granted), "Signed in successfully")

    def signed_out(self) -> Answer:
        """See `SessionAnswers.signed_out`."""
        return succeeded(None, "Signed out successfully")

    def _told(self, granted: Granted) -> dict[str, Any]:
        who = {"userId": granted.user_id, "username": granted.username}
        return {**who, **granted.tokens(), "clientSecret": granted.secret}
