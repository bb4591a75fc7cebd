"""The ASGI application: finds the route, runs it, and turns every error into an answer of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, cast

from quart_trio import QuartTrio
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from actors.audit.messages import Denied
from actors.ports import UserId
from scoreboard.api.answer import Answer, Headers
from scoreboard.api.bearer import service_of
from scoreboard.api.dialects import error_answer
from scoreboard.api.errors import ApiError, known, method_not_allowed, not_found, unexpected
from scoreboard.api.exchange import Exchange
from scoreboard.api.gate import API
from scoreboard.api.request import ApiRequest
from scoreboard.api.route import Access, Route
from scoreboard.api.sharing import Sharing
from scoreboard.api.world import ApiWorld
from scoreboard.security.errors import TokenRefused, WrongKind

#: With this the ids of the game's own servers begin.
SERVICE = "service:"

#: What probes and scrapers ask all day long; at info they would bury the rest.
QUIET = frozenset({"/health", "/ready", "/metrics"})


class Application(QuartTrio):
    """Quart's routing, lifespan and test client, with a dispatch of our own.

    A route's declaration reads the request, its view returns an `Answer`. Quart's requests, contexts,
    signals, sessions and responses are passed by: no view needs them, every request would pay for them (``scripts/bench
    top`` has a plain Quart beside it), and its error pages are not our shape.
    """

    asgi_http_class = Exchange

    def __init__(self, world: ApiWorld) -> None:
        super().__init__("scoreboard.api", static_folder=None)
        self.world = world
        self.sharing = Sharing(world.origins)
        self.config["MAX_CONTENT_LENGTH"] = None  # the exchange bounds bodies
        self.url_map.merge_slashes = False  # an address has one spelling; redirects would be pages of the framework
        self._urls = self.url_map.bind("scoreboard")
        self.routes: dict[str, Route] = {}  # by the router's name for it
        self._plain: dict[tuple[str, str], Route] = {}
        self._ending: dict[tuple[str, str], Route] = {}  # by what stands before a last part that varies
        self._metrics = world.metrics
        self._logger = world.logger
        self._large: dict[str, Callable[[ApiRequest], int]] = {}

    def __repr__(self) -> str:
        return f"<Application, {len(self.routes)} routes>"

    def add(self, route: Route) -> None:
        """Serve a route; there is no other way to be served.

        A path without variables is found by itself, and one that varies in its last part by what stands before it. The
        router, which has to weigh all rules and leaves garbage for the collector, is left to the others.
        """
        method, path = route.method, route.path
        methods = (method, "HEAD") if method == "GET" else (method,)
        start, _, last = path.rpartition("/")
        if "{" not in path:
            self._plain |= {(each, path): route for each in methods}
        elif "{" not in start and last[0] == "{" and ":" not in last:
            self._ending |= {(each, start): route for each in methods}
        if route.most_bytes is not None:
            self._large[path] = route.most_bytes
        rule = path.replace("{name:path}", "<path:name>").replace("{", "<").replace("}", ">")
        endpoint = path if method == "GET" else f"{method} {path}"  # one address may have several views
        self.routes[endpoint] = route
        self.add_url_rule(rule, endpoint=endpoint, view_func=cast(Any, route.view), methods=[method])

    def most_bytes(self, request: ApiRequest) -> int:
        """How long the body of a request may be."""
        asked = self._large.get(request.path)
        return self.world.body_bytes if asked is None else asked(request)

    def enter(self, request: ApiRequest) -> None:
        """Count a request of the API, before anything of it is read but its head.

        Services of a game have limits of their own. Raises ApiError: too many.
        """
        gate = self.world.gate
        if gate is None or not request.path.startswith(API) or self._is_of_service(request):
            return
        try:
            gate.enter(request)
        except ApiError as error:
            self._tell_audit(error, request)
            raise

    def limits_of(self, request: ApiRequest) -> Headers:
        """What is told of them with the answer."""
        return () if self.world.gate is None else self.world.gate.headers(request)

    def _is_of_service(self, request: ApiRequest) -> bool:
        route = self._plain.get((request.method, request.path))
        if route is None or route.access is not Access.SERVICE:
            return False
        try:
            service_of(request, self.world.tokens)
        except (ApiError, TokenRefused, WrongKind):
            return False
        return True

    def error_answer(self, error: ApiError, request: ApiRequest) -> Answer:
        """An error in the shape of the document that the address belongs to."""
        return error_answer(error, request.path, request.request_id, self.world.clock.now_us())

    async def answer(self, request: ApiRequest) -> Answer:
        """The answer to a request, whatever happens."""
        try:
            if (begun := self._begun(request)) is not None:
                return await begun
            if request.path.startswith("//"):
                raise not_found()  # the router takes all these slashes for one; a proxy that guards a path does not
            rule, variables = self._urls.match(request.path, request.method, return_rule=True)
            request.route = rule.endpoint.rpartition(" ")[2]
            if request.method == "OPTIONS":
                return self._options(request)
            return await self._begin(self.routes[rule.endpoint], request, *variables.values())
        except HTTPException as error:  # only the router raises these
            return self._refusal(_unmatched(error), request)
        except Exception as error:  # noqa: BLE001 - the barrier: each request is answered, and what is wrong is logged
            return self._refusal(error, request)

    def _begun(self, request: ApiRequest) -> Awaitable[Answer] | None:
        """The view at work on the request, if its path can be found without the router."""
        if (plain := self._plain.get((request.method, request.path))) is not None:
            return self._begin(plain, request)
        start, _, last = request.path.rpartition("/")
        if not last or (ending := self._ending.get((request.method, start))) is None:
            return None
        return self._begin(ending, request, last)

    def _begin(self, route: Route, request: ApiRequest, *variables: str) -> Awaitable[Answer]:
        request.route = route.path
        route.read(request, self.world)
        return route.view(request, *variables)

    def record(self, **facts: Any) -> None:
        """A request has been served: one observation and one line."""
        seconds: float = facts.pop("seconds")
        self._metrics.request(facts["method"], facts["route"], facts["status"], seconds)
        say = self._logger.debug if facts["route"] in QUIET else self._logger.info
        say("request", **facts, duration_ms=round(seconds * 1000, 2))

    def _options(self, request: ApiRequest) -> Answer:
        methods = self._allowed(request.path).encode("ascii")
        return Answer(204, b"", ((b"allow", methods), *self.sharing.preflight(request, methods)))

    def _allowed(self, path: str) -> str:
        return ", ".join(sorted(self._urls.allowed_methods(path)))

    def _refusal(self, error: Exception, request: ApiRequest) -> Answer:
        answer = known(error)
        if answer is None:
            self._logger.error("request_failed", route=request.route, exc_info=error)
            answer = unexpected(request.request_id)
        elif answer.status >= 500 and answer is not error:  # noqa: PLR2004
            self._logger.warning("request_not_served", route=request.route, reason=f"{type(error).__name__}: {error}")
        if answer.status < 500:  # noqa: PLR2004
            self._tell_audit(answer, request)
        return self.error_answer(answer, request)

    def _tell_audit(self, error: ApiError, request: ApiRequest) -> None:
        who = request.user_id
        service = who if who is not None and who.startswith(SERVICE) else None
        user_id = None if who is None or service is not None else UserId(who)
        site, now_us = f"{request.method} {request.route}", self.world.clock.now_us()
        source, request_id = request.came_from(), request.request_id
        self.world.denied(Denied(error.code, site, now_us, user_id, source, str(error), request_id, service))


def _unmatched(error: HTTPException) -> ApiError:
    if isinstance(error, MethodNotAllowed):
        return method_not_allowed(", ".join(sorted(error.valid_methods or ())))
    return not_found()
