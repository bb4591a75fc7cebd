"""Asks a provider of captchas whether an answer is a person's: by the request that all the usual ones understand."""

from __future__ import annotations

import ssl

import httpx
import msgspec
import trio

from actors.ports import CaptchaAway

#: So many are asked for at once, so many wait behind them; an answer has so many bytes at most.
AT_ONCE, MOST_WAITING, MOST_BYTES = 8, 64, 64 * 1024


class _Told(msgspec.Struct):
    success: bool


class HttpCaptcha:
    """`CaptchaVerifier` by HTTP: a form with `secret`, `response` and `remoteip`; JSON with `success` comes back.

    Args:
        url: Where the provider answers.
        secret: By which it knows us.
        within_s: For the whole of it, waiting for a turn included.
    """

    def __init__(self, url: str, secret: str, *, within_s: float = 5.0) -> None:
        self._url = url
        self._secret = secret
        self._within_s = within_s
        self._tls = ssl.create_default_context()  # once: it takes a while
        self._turns = trio.CapacityLimiter(AT_ONCE)

    def __repr__(self) -> str:
        return f"<HttpCaptcha of {self._url}>"

    async def verify(self, answer: str, address: str | None) -> bool:
        """See `CaptchaVerifier.verify`."""
        if self._turns.statistics().tasks_waiting >= MOST_WAITING:
            raise CaptchaAway("too many answers wait for the provider of captchas")
        form = {"secret": self._secret, "response": answer}
        try:
            with trio.fail_after(self._within_s):
                async with self._turns:
                    said = await self._asked(form if address is None else {**form, "remoteip": address})
        except (httpx.HTTPError, trio.TooSlowError) as error:
            raise CaptchaAway(f"the provider of captchas does not answer: {error!r}") from error
        try:
            return msgspec.json.decode(said, type=_Told).success
        except msgspec.DecodeError as error:
            raise CaptchaAway("the provider of captchas answers with something else than it should") from error

    async def _asked(self, form: dict[str, str]) -> bytes:
        """What the provider says. What is too long is read to its end, within the time there is, and kept nowhere."""
        said = b""
        async with httpx.AsyncClient(verify=self._tls, trust_env=False) as client:
            async with client.stream("POST", self._url, data=form) as answer:
                answer.raise_for_status()
                async for chunk in answer.aiter_bytes():
                    if len(said) <= MOST_BYTES:
                        said += chunk
        if len(said) > MOST_BYTES:
            raise CaptchaAway("the provider of captchas says more than it should")
        return said
