"""What a connection may tell its own client, beside the steps of the boards."""

from __future__ import annotations

from dataclasses import dataclass

from actors.connection.commands import CommandId
from actors.leaderboard.events import Channel
from actors.ports import UserId
from actors.user.messages import ScoreAnswer, TokenIssued

#: The close code of who was signed in by a session that has ended.
SESSION_ENDED = 4001


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who the client is, from now on; by which session, until when (seconds since the epoch), whether it may score."""

    user_id: UserId
    username: str
    session_id: str = ""
    expires_s: int = 0
    may_score: bool = True


@dataclass(frozen=True, slots=True)
class Unsubscribed:
    """No more of this channel will come."""

    channel: Channel


@dataclass(frozen=True, slots=True)
class Pong:
    """I am here."""

    echo: bytes


@dataclass(frozen=True, slots=True)
class ErrorEvent:
    """A command was refused, and nothing has changed. It was about that channel, as it was called if there is none."""

    code: str
    message: str
    id: CommandId | None = None
    channel: Channel | str | None = None


@dataclass(frozen=True, slots=True)
class SignedOut:
    """The sign-in is over. No command is answered by this."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The command of this id was done; a score is on disk."""

    id: CommandId
    answer: TokenIssued | ScoreAnswer


@dataclass(frozen=True, slots=True)
class Refused:
    """The command of this id was not done, or perhaps not: `reason` is the actor's, of `actors.runtime.ActorError`."""

    id: CommandId
    reason: Exception


PersonalEvent = SignedIn | SignedOut | Unsubscribed | Pong | ErrorEvent | Answered | Refused
