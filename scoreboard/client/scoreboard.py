"""What `connect` gives: boards to loop over, scores, sign-ins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import trio

from scoreboard.client.account import Account, Tokens
from scoreboard.client.commands import Commands
from scoreboard.client.errors import Retry, ScoreboardError
from scoreboard.client.pace import COMMAND_WITHIN_S
from scoreboard.client.records import ActionToken, Score, Status
from scoreboard.client.requests import Requests
from scoreboard.client.transport import Answer
from scoreboard.client.upkeep import Upkeep
from scoreboard.client.watch import Channel, Listener, Watch
from scoreboard.client.world import World


class Scoreboard:
    """A scoreboard that stays connected until it is closed; made by `connect`."""

    def __init__(
        self,
        account: Account,
        requests: Requests,
        world: World,
        debounce_s: float,
        on_status: Callable[[Status], None],
        on_error: Callable[[ScoreboardError], None],
    ) -> None:
        self._account = account
        self._requests = requests
        self._key = world.key
        self._debounce_s = debounce_s
        self._upkeep = Upkeep(requests, account, world.chance, on_status, on_error)
        self._commands = Commands(self._upkeep.way, self._write, self._upkeep.renew, world.chance)
        self._closed = False

    def __repr__(self) -> str:
        return f"<Scoreboard {self.status.state}, watching {', '.join(self._upkeep.channels) or 'nothing'}>"

    @property
    def status(self) -> Status:
        """How the way to the server is now."""
        return Status("closed") if self._closed else self._upkeep.status

    # --- boards ---

    def watch(self, channel: str, *, radius: int | None = None, debounce_s: float | None = None) -> Watch:
        """Views of a channel for ``async for``: one now, then the newest whenever it has changed.

        Args:
            channel: Such as ``leaderboard.top10``, ``leaderboard.weekly.US.top100``, ``leaderboard.around_me``.
            radius: Of ``around_me``: how many rows on either side, 1 to 25; 5 unless given. Of several who watch the
                same channel it is the one that was given last.
            debounce_s: At most one view in so many seconds; that of `connect` unless given.

        Raises:
            ScoreboardError: from the loop, when the channel cannot be watched; such as ``UNKNOWN_CHANNEL``.
        """
        debounce_s = self._debounce_s if debounce_s is None else debounce_s
        known = self._channel(channel)
        anew = radius is not None and radius != known.radius
        known.radius = radius if anew else known.radius
        watch = Watch(known, self._left, debounce_s)
        self._watched(known, anew=anew)
        return watch

    def listen(self, channel: str) -> Listener:
        """News of a channel for ``async for``: what it tells beside boards, such as rank changes or one's own score."""
        known = self._channel(channel)
        listener = Listener(known, self._left)
        self._watched(known)
        return listener

    def retry_now(self) -> None:
        """The network may be back: do not wait out the pause."""
        self._upkeep.retry_now()

    def _channel(self, name: str) -> Channel:
        if self._closed:
            raise ScoreboardError("CLOSED", "The client is closed.")
        return self._upkeep.channels.get(name) or Channel(name)

    def _watched(self, channel: Channel, *, anew: bool = False) -> None:
        if anew or channel.name not in self._upkeep.channels:
            self._upkeep.watched(channel)

    def _left(self, channel: Channel) -> None:
        # The last reference to a loop may go anywhere, also after the end of the run.
        if not self._closed and not channel.watches and trio.lowlevel.in_trio_run():
            self._upkeep.left(channel)

    # --- scores ---

    async def action_token(self, *, within: float = COMMAND_WITHIN_S) -> ActionToken:
        """The right to score once, to be asked for when the player begins the action.

        Raises:
            ScoreboardError: such as ``UNAUTHORIZED``, ``RATE_LIMITED``; ``NO_ANSWER`` after `within` seconds.
        """
        self._must_be_signed_in()
        return ActionToken.of(await self._commands.ask("action.token", None, within=within))

    async def increment(
        self,
        action_token: ActionToken | Mapping[str, Any],
        *,
        idempotency_key: str | None = None,
        within: float = COMMAND_WITHIN_S,
    ) -> Score:
        """Spend an action token. Sent again by itself, with the same key, when the line was lost before the answer.

        Raises:
            ScoreboardError: it did not count; but with ``NO_ANSWER``, after `within` seconds, it may have: hand its
                `retry` in, and it counts once.
        """
        self._must_be_signed_in()
        token = action_token.token if isinstance(action_token, ActionToken) else action_token
        retry = Retry(token, idempotency_key or self._key())
        data = {"actionToken": retry.action_token, "idempotencyKey": retry.idempotency_key}
        return Score.of(await self._commands.ask("score.increment", data, within=within, retry=retry))

    async def score(self, *, idempotency_key: str | None = None, within: float = COMMAND_WITHIN_S) -> Score:
        """Both: ask for an action token and spend it at once."""
        token = await self.action_token(within=within)
        return await self.increment(token, idempotency_key=idempotency_key, within=within)

    def _must_be_signed_in(self) -> None:
        if self._closed:
            raise ScoreboardError("CLOSED", "The client is closed.")
        if not self._account.signed_in:
            raise ScoreboardError("UNAUTHORIZED", "Nobody is signed in.")

    async def _write(self, path: str, body: Mapping[str, Any] | None, headers: Mapping[str, str]) -> Answer:
        return await self._requests.write(path, await self._account.access(), body, headers)

    # --- accounts ---

    async def sign_in(self, username: str, password: str) -> Tokens:
        """Sign in with a name and a password; from now on this client may score.

        Raises:
            ScoreboardError: such as ``INVALID_CREDENTIALS``.
            NoAnswer: the server did not answer.
        """
        return self._entered(await self._account.enter("/api/auth/login", {"username": username, "password": password}))

    async def register(self, username: str, email: str, password: str) -> Tokens:
        """Make an account and sign in to it; raises as `sign_in` does, such as ``USERNAME_TAKEN``."""
        wish = {"username": username, "email": email, "password": password}
        return self._entered(await self._account.enter("/api/auth/register", wish))

    async def refresh(self) -> str:
        """A new access token now; done by itself when the server says that it is time. Raises as `sign_in` does."""
        token = await self._account.renew()
        self._upkeep.introduce(token)
        return token

    def _entered(self, tokens: Tokens) -> Tokens:
        self._upkeep.introduce(tokens.access_token)
        return tokens

    # --- for `connect` ---

    async def run(self) -> None:
        """Stay connected; never ends by itself."""
        await self._upkeep.run()

    def close(self) -> None:
        """Loops over boards end."""
        self._closed = True
        for channel in list(self._upkeep.channels.values()):
            channel.end(None)
