"""Whether who asks for an action token has shown to be a person, where that is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from actors.ports import CaptchaAway, CaptchaVerifier, UserId
from scoreboard.api.errors import ApiError
from scoreboard.api.request import ApiRequest

HEADER = "X-Captcha-Answer"
#: Of any provider, and twice as much.
LONGEST = 8192


@dataclass(frozen=True, slots=True)
class Captcha:
    """`asked` says whether a player must bring an answer; `away` hears why none could be judged."""

    verifier: CaptchaVerifier
    asked: Callable[[UserId], bool]
    away: Callable[[CaptchaAway], None] = lambda _: None

    async def shown(self, request: ApiRequest) -> bool:
        """Whether a request brings a good answer; one of somebody who need not is not looked at.

        Raises:
            ApiError: the answer is wrong (403), or nobody can say (503).
        """
        answer = request.header(HEADER.lower().encode())
        if answer is None or not self.asked(UserId(request.caller.user_id)):
            return False
        if len(answer) > LONGEST:
            raise wrong()
        try:
            good = await self.verifier.verify(answer, request.came_from().address)
        except CaptchaAway as error:
            self.away(error)
            message = "The answer to the captcha cannot be judged just now. Nothing was done; try again in a moment."
            raise ApiError(503, "Service unavailable", "SERVICE_UNAVAILABLE", message, retry_after_s=5.0) from error
        if not good:
            raise wrong()
        return True


def wrong() -> ApiError:
    """It is no person's answer, or one that was used before."""
    message = "The answer to the captcha is wrong, or was used before. Solve another one."
    return ApiError(403, "Forbidden", "CAPTCHA_REQUIRED", message, details={"reason": "wrong"})
