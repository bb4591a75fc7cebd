"""What the routes know of the world: given by the composition root."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import trio

from actors.audit.messages import Denied
from actors.leaderboard.published import PublishedBoards
from actors.ports import Archive, AuditLog, BoardId, FraudStore, Ids, StoreError, UserId, WallClock
from actors.runtime import Directory, Question, Ref
from scoreboard.api.captcha import Captcha
from scoreboard.api.errors import store_away
from scoreboard.api.gate import Gate
from scoreboard.api.kept import KeptAnswers
from scoreboard.api.request import ApiRequest
from scoreboard.ends import Ends
from scoreboard.observe.logs import Logger
from scoreboard.observe.metrics import Metrics
from scoreboard.security.common import Judge
from scoreboard.security.familiar import Familiar
from scoreboard.security.passwords import Passwords
from scoreboard.security.tickets import Tickets
from scoreboard.security.tokens import AccessTokens
from scoreboard.security.turns import Asker
from scoreboard.wire.origins import Origins

R = TypeVar("R")


class Part(NamedTuple):
    """A part of the server, and what is wrong with it (None: nothing). Without one that is `needed` nothing works."""

    name: str
    problem: str | None
    needed: bool = True


@dataclass(frozen=True, slots=True)
class ApiWorld:
    """The parts that requests are translated to, and the values of settings that concern them.

    `services` are the game's own servers that send batches, by name. `accounts` understands its messages of
    ``actors.ledger.messages``, `actions` those of ``actors.actions``, `boards` those of ``actors.leaderboard``.
    With `public_boards` who has not signed in sees boards and players too. Pages of `origins` may use what is answered.
    `captcha` judges who must show to be a person. `unguessable` judges new passwords, `site_of` says what shares the
    limits of one address, `familiar` who has signed in from there before. `denied` hears of each request that was
    refused. `gate` counts them, if there is one. `live_feed` describes what is not REST. `readiness` names every part
    that an operator should hear of. `all_metrics` adds to the numbers of this worker those of the others. Durations are
    seconds, `body_bytes` bounds a request's body.
    """

    users: Directory[UserId]
    services: Directory[str]
    accounts: Ref
    actions: Ref
    standing: Ref
    audit: Ref
    audit_log: AuditLog
    fraud: FraudStore
    boards: Directory[BoardId]
    archive: Archive
    published: PublishedBoards
    tokens: AccessTokens
    tickets: Tickets
    kept: KeptAnswers
    passwords: Passwords
    refresh_key: bytes = field(repr=False)
    client_keys: Callable[[], Sequence[bytes]]
    clock: WallClock
    ids: Ids
    metrics: Metrics
    logger: Logger
    readiness: Callable[[], Awaitable[Sequence[Part]]]
    page_dir: Path
    docs_dir: Path
    unguessable: Judge
    refresh_lifetime_s: int
    refresh_grace_s: int
    live_feed: Mapping[str, Any] = field(default_factory=dict, repr=False)
    denied: Callable[[Denied], None] = lambda _: None
    all_metrics: Callable[[bytes], Awaitable[bytes]] | None = None
    gate: Gate | None = None
    captcha: Captcha | None = None
    public_boards: bool = True
    site_of: Callable[[str], str] = str
    familiar: Familiar = field(default_factory=lambda: Familiar(b""))
    origins: Origins = field(default_factory=Origins)
    body_bytes: int = 16 * 1024
    body_within_s: float = 10.0
    ends: Ends = field(default_factory=Ends)
    read_within_s: float = 5.0
    write_within_s: float = 15.0

    def asker_of(self, request: ApiRequest, account: str, player: UserId | None = None) -> Asker:
        """By what a request takes its place among those whose passwords are hashed.

        A `player` who is signed in shares no place with those who would like to be that.
        """
        site = self.site_of(request.came_from().address or "")
        return Asker((f"site {site}", f"account {player or account}"), self.familiar.known(site, account))

    def signed_in(self, request: ApiRequest, account: str) -> None:
        """Who made this request knows the password of this account."""
        self.familiar.signed_in(self.site_of(request.came_from().address or ""), account)

    async def read(self, reading: Awaitable[R]) -> R:
        """What is read of a store beside all actors, within a bound; raises the ApiError of a store that is away."""
        try:
            with trio.fail_after(self.read_within_s):
                return await reading
        except (StoreError, trio.TooSlowError) as error:
            raise store_away() from error

    async def ask_board(self, board: BoardId, question: Question[R]) -> R:
        """From what is published, without waiting; of the board's actor only when that cannot tell. Raises as `ask`."""
        found = self.published.answer(board, question)
        return await self.boards.ask(board, question, within=self.read_within_s) if found is None else found
