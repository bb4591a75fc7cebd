"""Action tokens and scores in document A's form: what a client presents, and what it is answered.

Decoding is strict: a field that is not named here, or not of its type, is an error of msgspec's.
"""

from __future__ import annotations

import re
from typing import Annotated

import msgspec

from actors.ports import UserId
from actors.user.messages import ScoreAnswer, TokenIssued
from actors.user.token import ActionToken

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=2**53)]

_VISIBLE = re.compile(r"[\x21-\x7e]{1,255}")


class TokenJson(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An action token, handed out and presented alike."""

    userId: Text  # noqa: N815 - as document A spells it
    timestamp: Milliseconds
    nonce: Text
    signature: Text

    @classmethod
    def of(cls, token: ActionToken) -> TokenJson:
        """As it is handed out."""
        return cls(token.user_id, token.timestamp_ms, token.nonce, token.signature)

    def token(self) -> ActionToken:
        """As it is judged; nothing of it has been yet."""
        return ActionToken(UserId(self.userId), self.timestamp, self.nonce, self.signature)


class IssuedJson(msgspec.Struct, frozen=True):
    """The right to score once: until when in milliseconds since the epoch, and for how many seconds."""

    actionToken: TokenJson  # noqa: N815 - as document A spells it
    expiresAt: int  # noqa: N815
    expiresIn: int  # noqa: N815

    @classmethod
    def of(cls, issued: TokenIssued) -> IssuedJson:
        """As it is handed out."""
        return cls(TokenJson.of(issued.token), issued.expires_at_ms, issued.expires_in_s)


class ScoreJson(msgspec.Struct, frozen=True):
    """A score that is on disk. Ranks are null where the board could not be asked."""

    success: bool
    newScore: int  # noqa: N815 - as document A spells it
    previousRank: int | None  # noqa: N815
    newRank: int | None  # noqa: N815
    rankChanged: bool  # noqa: N815

    @classmethod
    def of(cls, answer: ScoreAnswer) -> ScoreJson:
        """As it is told."""
        return cls(*_told(answer))


class RepeatableScoreJson(ScoreJson, frozen=True):
    """A score with the word whether it had been told before, for who has no header to say so."""

    repeated: bool

    @classmethod
    def of(cls, answer: ScoreAnswer) -> RepeatableScoreJson:
        """As it is told."""
        return cls(*_told(answer), answer.repeated)


def _told(answer: ScoreAnswer) -> tuple[bool, int, int | None, int | None, bool]:
    changed = answer.new_rank is not None and answer.new_rank != answer.previous_rank
    return True, answer.new_score, answer.previous_rank, answer.new_rank, changed


def is_key(text: str) -> bool:
    """Whether it can be an idempotency key: 1 to 255 visible ASCII characters."""
    return _VISIBLE.fullmatch(text) is not None
