"""The public API as the replay uses it: every request bounded in time, repeated until it has a definite answer."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

import httpx
import trio

from scoreboard.replay.errors import InputError, ServerGone, ServerRefused
from scoreboard.replay.retry import Verdict, backoff_s, judge, limited_s

REQUEST_WITHIN_S = 20.0  # longer than the server lets itself wait for its store
SIGN_IN_WITHIN_S = 60.0  # passwords are hashed behind a limiter, and all teams come at once
HICCUP_S = 0.3

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Answer:
    """A definite answer: neither a fault of the server nor a limit."""

    status: int
    body: Mapping[str, object]
    request: str

    @property
    def code(self) -> str:
        """The code of a refusal, or nothing."""
        return str(self.body.get("code", ""))

    @property
    def ok(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300  # noqa: PLR2004  # the meaning of 2xx

    def text(self, name: str) -> str:
        """A string that the answer must hold; raises ServerRefused if it does not."""
        value = self.body.get(name)
        if not isinstance(value, str):
            raise self.unexpected(f"without the text {name!r}")
        return value

    def number(self, name: str) -> int:
        """An integer that the answer must hold."""
        return whole_number(self, self.body, name)

    def mapping(self, name: str) -> Mapping[str, object]:
        """An object that the answer must hold."""
        value = self.body.get(name)
        if not isinstance(value, dict):
            raise self.unexpected(f"without the object {name!r}")
        return cast("dict[str, object]", value)

    def rows(self, name: str) -> list[Mapping[str, object]]:
        """A list of objects that the answer must hold."""
        value = self.body.get(name)
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self.unexpected(f"without the list {name!r}")
        return value

    def refusal(self, doing: str) -> ServerRefused:
        """The error for an answer that says no."""
        said = self.body.get("message") or self.body.get("error") or "no reason given"
        return ServerRefused(
            f"The server refused {doing}: {said} ({self.request}: {self.status} {self.code}".rstrip() + ")."
        )

    def unexpected(self, how: str) -> ServerRefused:
        """The error for an answer that is not of the API."""
        return ServerRefused(
            f"{self.request} was answered {self.status} {how}. Is a scoreboard server listening at that --url?"
        )


def whole_number(answer: Answer, row: Mapping[str, object], name: str) -> int:
    """An integer in an object of an answer; raises ServerRefused if it is anything else."""
    value = row.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise answer.unexpected(f"without the number {name!r}")
    return value


@dataclass(slots=True)
class Outage:
    """Tells the person once that the server is away, and once that it is back. A hiccup is not worth a word."""

    say: Say
    patience_s: float
    since: float | None = None
    told: bool = False

    def failed(self, why: str, now: float) -> None:
        """A request failed."""
        if self.since is None:
            self.since = now
        if not self.told and now - self.since >= HICCUP_S:
            self.told = True
            self.say(f"The server does not answer ({why}): waiting up to {self.patience_s:g} s for it to come back.")

    def worked(self, now: float) -> None:
        """A request was answered."""
        if self.told and self.since is not None:
            self.say(f"The server is back after {now - self.since:.1f} s.")
        self.since, self.told = None, False


@dataclass(slots=True)
class Api:
    """Sends requests, at most `concurrency` at a time, and repeats them until they are answered.

    Repeating is safe only because every request that changes something is safe to repeat: an increment carries its
    idempotency key, a registration that happened answers 409, an unused action token costs nothing.
    """

    http: httpx.AsyncClient
    concurrency: int
    patience_s: float
    say: Say
    rng: random.Random
    _slots: trio.CapacityLimiter = field(init=False)
    _outage: Outage = field(init=False)
    _hinted: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        self._slots = trio.CapacityLimiter(self.concurrency)
        self._outage = Outage(self.say, self.patience_s)

    async def get(self, path: str, *, access: str | None = None, params: Mapping[str, int] | None = None) -> Answer:
        """Read something."""
        return await self._settled(self._request("GET", path, access, params=params), REQUEST_WITHIN_S)

    async def post(
        self,
        path: str,
        body: Mapping[str, object] | None,
        *,
        access: str | None = None,
        key: str | None = None,
        within_s: float = REQUEST_WITHIN_S,
    ) -> Answer:
        """Ask for a change.

        Raises:
            ServerGone: no answer for as long as we may wait.
            ServerRefused: an answer that is not of this API.
        """
        return await self._settled(self._request("POST", path, access, body=body, key=key), within_s)

    def _request(
        self,
        method: str,
        path: str,
        access: str | None,
        *,
        body: Mapping[str, object] | None = None,
        key: str | None = None,
        params: Mapping[str, int] | None = None,
    ) -> httpx.Request:
        headers = {"Accept": "application/json"}
        if access is not None:
            headers["Authorization"] = f"Bearer {access}"
        if key is not None:
            headers["Idempotency-Key"] = key
        return self.http.build_request(method, path, headers=headers, json=body, params=params)

    async def _settled(self, request: httpx.Request, within_s: float) -> Answer:
        failures, first_failure = 0, 0.0
        while True:
            response, why = await self._once(request, within_s)
            verdict = Verdict.AGAIN if response is None else judge(response.status_code)
            if response is not None and verdict is not Verdict.AGAIN:
                self._outage.worked(trio.current_time())
                answer = _answer(request, response)
                if verdict is Verdict.ANSWERED:
                    return answer
                failures = 0
                await self._obey(answer, response.headers.get("Retry-After"))
                continue
            now = trio.current_time()
            failures, first_failure = failures + 1, first_failure if failures else now
            self._outage.failed(why, now)
            if now - first_failure > self.patience_s:
                raise ServerGone(
                    f"{_name(request)} had no answer for {self.patience_s:g} s ({why}). "
                    "When the server is back, the same command goes on from here."
                )
            await trio.sleep(backoff_s(failures, self.rng))

    async def _once(self, request: httpx.Request, within_s: float) -> tuple[httpx.Response | None, str]:
        """One try: a response, or none; and what failed if something did."""
        request.extensions["timeout"] = httpx.Timeout(within_s).as_dict()
        async with self._slots:
            try:
                with trio.fail_after(within_s):  # httpx bounds each read, not all of them together
                    response = await self.http.send(request)
            except trio.TooSlowError:
                return None, f"nothing within {within_s:g} s"
            except httpx.TransportError as error:
                return None, f"{type(error).__name__}: {error}".rstrip(": ")
        return response, f"status {response.status_code}"

    async def _obey(self, answer: Answer, retry_after: str | None) -> None:
        pause_s = limited_s(answer.body, retry_after, self.rng)
        if not self._hinted:
            self._hinted = True
            self.say(
                f"The server limits how fast one may score and asks for {pause_s:.0f} s: obeying. "
                "A server for a replay is started with --limits off."
            )
        await trio.sleep(pause_s)


@asynccontextmanager
async def open_http(url: str, concurrency: int) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client whose connections are kept and shared, one for each request at a time."""
    limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
    headers = {"User-Agent": "scoreboard-replay"}
    # Proxies from the environment are for the world outside; a request to this very machine never needs one.
    outside = urlsplit(url).hostname not in {"localhost", "127.0.0.1", "::1"}
    async with httpx.AsyncClient(base_url=url, limits=limits, headers=headers, trust_env=outside) as http:
        yield http


def checked_url(text: str) -> str:
    """The address of a server without a trailing slash; raises InputError if it cannot be one."""
    url = text.strip().rstrip("/")
    if not _is_server_address(url):
        raise InputError(f"{text!r} is not an address of a server: write it like http://127.0.0.1:8000.")
    return url


def _is_server_address(url: str) -> bool:
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and not parts.query + parts.fragment


def _answer(request: httpx.Request, response: httpx.Response) -> Answer:
    try:
        body = json.loads(response.content)
    except (ValueError, RecursionError):
        body = None
    answer = Answer(response.status_code, body if isinstance(body, dict) else {}, _name(request))
    if not isinstance(body, dict) and judge(response.status_code) is Verdict.ANSWERED:
        raise answer.unexpected("and not with a JSON object")
    return answer


def _name(request: httpx.Request) -> str:
    return f"{request.method} {request.url.copy_with(query=None)}"
