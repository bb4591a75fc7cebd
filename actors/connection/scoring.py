"""The scoring commands of one client: given to the player's actor in their order, answered when they are durable.

They hold up nothing else of the client, and no task waits for an answer: it is said in the task of who decides, if the
socket takes it. Only a client that scores has any of this. A task of its own looks after what the socket did not take
and after what has waited too long; it ends when nothing is owed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import trio

from actors.connection.commands import ScoringCommand, SpendToken
from actors.connection.events import Answered, ErrorEvent, PersonalEvent, Refused, SignedIn
from actors.ports import Source, UserId
from actors.runtime import ActorError, AskTimeout, Directory, Promise, Refusal
from actors.user.messages import Increment, IssueToken

#: So many commands of one client may be unanswered. What it sends beyond is not read until one of them is answered.
MOST_UNANSWERED = 32

#: What is no refusal: it was done, or it is our own fault that it was not.
SERVED = frozenset({"ok", "SERVICE_UNAVAILABLE"})

_NOBODY = ErrorEvent(
    "UNAUTHORIZED", "Sign in first: send authenticate with an access token, or connect with Authorization: Bearer."
)
_NO_SCORER = ErrorEvent("FORBIDDEN", "This account may not update scores.")


@dataclass(frozen=True, slots=True)
class ScoringWorld:
    """What scoring needs from outside.

    `refusal` judges, without waiting, whether one who signed in may still act (None: yes). `answered` counts, by a
    command's name and its outcome: ``ok`` or a code. `denied` hears of each command that was refused: its code and
    name, whose it was, where from.
    """

    users: Directory[UserId]
    refusal: Callable[[SignedIn], ErrorEvent | None]
    answered: Callable[[str, str], None]
    within_s: float = 15.0
    denied: Callable[[str, str, SignedIn | None, Source], None] = lambda _code, _name, _user, _source: None


class Outlet(Protocol):
    """The way to the client: see `actors.connection.connection.Transport`."""

    def write_now(self, frames: bytes) -> bool:
        """Take ready frames, or nothing."""
        ...

    async def send(self, frames: bytes) -> None:
        """Send ready frames; waits."""
        ...


class _Asked(NamedTuple):
    """A command, and whose it is."""

    command: ScoringCommand
    user: SignedIn | None


class Scoring:
    """Made with a client's first scoring command.

    Args:
        outlet: The way to the client.
        encode: An event as a ready frame.
        world: What it needs from outside.
        source: Where the client is, for the audit.
        start: Runs a task for as long as the connection lives; what it raises ends the connection.
    """

    __slots__ = (
        "_attended",
        "_broken",
        "_encode",
        "_open",
        "_outlet",
        "_room",
        "_source",
        "_start",
        "_stirred",
        "_unsaid",
        "_world",
    )

    def __init__(
        self,
        outlet: Outlet,
        encode: Callable[[PersonalEvent], bytes],
        world: ScoringWorld,
        source: Source,
        start: Callable[[Callable[[], Awaitable[Any]]], None],
    ) -> None:
        self._outlet = outlet
        self._encode = encode
        self._world = world
        self._source = source
        self._start = start
        self._open: dict[Promise[Any], _Asked] = {}  # the oldest stands first
        self._unsaid: deque[bytes] = deque()
        self._room = trio.Event()
        self._stirred = trio.Event()
        self._attended = False
        self._broken: Exception | None = None

    def __repr__(self) -> str:
        return f"<Scoring, {len(self._open)} undecided, {len(self._unsaid)} unsaid>"

    async def take(self, command: ScoringCommand, user: SignedIn | None) -> None:
        """Let the player's actor decide; the answer is said when it is there. Waits only where there is no room."""
        while len(self._open) + len(self._unsaid) >= MOST_UNANSWERED:
            self._room = trio.Event()
            await self._room.wait()
        if not self._attended:
            self._attended = True
            self._start(self._attend)
        refusal = _NOBODY if user is None else self._world.refusal(user)
        if user is not None and refusal is None and not user.may_score:
            refusal = _NO_SCORER
        if user is None or refusal is not None:
            self._say(_Asked(command, user), replace(refusal or _NOBODY, id=command.id))
            return
        asked = _Asked(command, user)
        try:
            promise = self._world.users.promise(
                user.user_id, self._question(command), within=self._world.within_s, settled=self._settled
            )
        except ActorError as error:
            self._say(asked, Refused(command.id, error))
            return
        if promise.open:
            self._open[promise] = asked
        else:  # decided at once
            self._conclude(asked, promise.outcome)

    def close(self) -> None:
        """The client has gone. What was taken is decided all the same, and nobody is told."""
        self._open.clear()
        self._unsaid.clear()

    def _question(self, command: ScoringCommand) -> IssueToken | Increment:
        if isinstance(command, SpendToken):
            return Increment(command.token, command.idempotency_key, self._source)
        return IssueToken()

    # --- in the task of who answers ---

    def _settled(self, promise: Promise[Any]) -> None:
        """Say an outcome. Never raises: what goes wrong on the way to this client is not the fault of who answered."""
        asked = self._open.pop(promise, None)
        if asked is None:
            return  # the client has gone, or `take` has not gone on yet
        try:
            self._conclude(asked, promise.outcome)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised again where it belongs
            self._broken = error
            self._stirred.set()

    def _conclude(self, asked: _Asked, outcome: Any) -> None:
        failed, name = isinstance(outcome, Exception), asked.command.id
        self._say(asked, Refused(name, outcome) if failed else Answered(name, outcome))

    def _say(self, asked: _Asked, event: Answered | Refused | ErrorEvent) -> None:
        code = _outcome_of(event)
        self._world.answered(asked.command.name, code)
        if code not in SERVED:
            self._world.denied(code, asked.command.name, asked.user, self._source)
        frame = self._encode(event)
        if self._unsaid or not self._outlet.write_now(frame):
            self._unsaid.append(frame)
            self._stirred.set()
        else:
            self._room.set()

    # --- in the task of its own ---

    async def _attend(self) -> None:
        """Until nothing was owed for a while: say what the socket did not take, give up what has waited too long."""
        quiet = False
        while self._open or self._unsaid or not quiet:
            oldest = next(iter(self._open), None)
            until = oldest.deadline if oldest else trio.current_time() + self._world.within_s
            with trio.CancelScope(deadline=until) as patience:
                await self._stirred.wait()
            quiet = patience.cancelled_caught
            self._stirred = trio.Event()
            if self._broken is not None:
                raise self._broken
            await self._say_all()
            self._give_up(trio.current_time())
        self._attended = False

    async def _say_all(self) -> None:
        while self._unsaid:
            await self._outlet.send(self._unsaid[0])
            if self._unsaid:  # the client may have gone meanwhile, and all with it
                self._unsaid.popleft()
                self._room.set()

    def _give_up(self, now: float) -> None:
        for promise in [each for each in self._open if each.deadline <= now]:
            promise.withdraw()
            self._conclude(self._open.pop(promise), AskTimeout("no answer in time"))


def _outcome_of(event: Answered | Refused | ErrorEvent) -> str:
    match event:
        case Answered():
            return "ok"
        case ErrorEvent(code):
            return code
        case Refused(_, Refusal() as refusal):
            return refusal.code
    return "SERVICE_UNAVAILABLE"
