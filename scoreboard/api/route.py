"""One declaration for each route: the dispatch serves from it, and the description of the API is made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import msgspec

from scoreboard.api import query
from scoreboard.api.answer import Answer
from scoreboard.api.bearer import caller_of, permitted, service_of, spectator_of
from scoreboard.api.body import decode, require_nothing
from scoreboard.api.idempotency import idempotency_key
from scoreboard.api.query import Rule
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.roles import MANAGE, MODERATE

JSON_TYPE = "application/json"


#: Answers a request that keeps to the declaration; behind it come the variables of its path, in their order.
View = Callable[..., Awaitable[Answer]]


class Access(Enum):
    """Who may ask: everybody; everybody while boards are public; players; services of a game; those in charge."""

    ANYBODY = auto()
    SPECTATOR = auto()
    PLAYER = auto()
    SERVICE = auto()
    MODERATOR = auto()
    ADMIN = auto()


@dataclass(frozen=True, slots=True)
class Link:
    """What an answer may be used for: the route, and where in the answer stands what it takes.

    `given` names its parameters with JSON pointers into the answer, `body` is a body in which texts that begin with
    ``/`` are such pointers.
    """

    method: str
    path: str
    given: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that is no error: its shape, its headers, and where one may go from there.

    There may be several shapes in a tuple; None is said where there is no body, or one that is not JSON.
    """

    shape: Any
    status: int = 200
    media: str | None = JSON_TYPE
    headers: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()

    @property
    def shapes(self) -> tuple[Any, ...]:
        """All that it may look like."""
        return self.shape if isinstance(self.shape, tuple) else () if self.shape is None else (self.shape,)


@dataclass(frozen=True, slots=True)
class Route:
    """A route, whole.

    Attributes:
        method: GET also means HEAD.
        path: With variables like ``{userId}``, or ``{name:path}`` for what may hold slashes.
        view: Finds in the request what was read by this declaration: `asked`, `caller`, `key`, `body`.
        says: What it does, in one sentence.
        answers: All that is no error, and what each is good for.
        faults: Codes of errors beyond those that follow from the rest of the declaration.
        query: Its parameters; None: they are not looked at.
        body: The shape of its body; None: it takes none.
        read_body: In place of the decoder of `body`, where that would not do.
        example: A body that is one.
        idempotent: Whether it understands `Idempotency-Key`.
        headers: Other headers that it reads, with what each is for.
        most_bytes: How long a body may be, where that is not the same for all; asked before it is read.
        shown: Whether it is part of the API, and not a page or a file.
        access: Who may ask; there is no route of which that is not said.
    """

    method: str
    path: str
    view: View
    says: str
    answers: tuple[Told, ...] = ()
    faults: tuple[str, ...] = ()
    query: Mapping[str, Rule] | None = field(default_factory=dict)
    body: type[msgspec.Struct] | None = None
    read_body: Callable[[ApiRequest], Any] | None = None
    example: Any = None
    idempotent: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    most_bytes: Callable[[ApiRequest], int] | None = None
    shown: bool = True
    access: Access = field(kw_only=True)

    def read(self, request: ApiRequest, world: ApiWorld) -> None:
        """Judge a request and keep what was read of it: first who asks, then its query, its key and its body.

        So who may not ask learns nothing of what could be asked.

        Raises:
            ApiError, TokenRefused: it is not as declared.
        """
        if self.access is not Access.ANYBODY:
            request.caller = _CALLERS[self.access](request, world)
        if self.query is not None and (self.query or request.query_string):
            request.asked = query.values(request, self.query)
        if self.idempotent:
            request.key = idempotency_key(request)
        if self.read_body is not None:
            request.body = self.read_body(request)
        elif self.body is not None:
            request.body = decode(request, self.body)
        elif self.method != "GET":
            require_nothing(request)


_CALLERS: Mapping[Access, Callable[[ApiRequest, ApiWorld], Any]] = {
    Access.SPECTATOR: spectator_of,
    Access.PLAYER: lambda request, world: caller_of(request, world.tokens),
    Access.SERVICE: lambda request, world: service_of(request, world.tokens),
    Access.MODERATOR: lambda request, world: permitted(request, world.tokens, MODERATE),
    Access.ADMIN: lambda request, world: permitted(request, world.tokens, MANAGE),
}
