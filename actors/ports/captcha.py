"""Who says whether a person has solved a captcha."""

from __future__ import annotations

from typing import Protocol


class CaptchaAway(Exception):
    """Nobody can say it just now; the sentence says why, for an operator."""


class CaptchaVerifier(Protocol):
    """Judges answers that clients bring; each is good once."""

    async def verify(self, answer: str, address: str | None) -> bool:
        """Whether that is the answer of a person, who is at that address. Raises CaptchaAway, within a bound."""
        ...
