"""For those who run the server and for programs that check its tokens."""

from __future__ import annotations

import msgspec
import trio

from scoreboard.api.answer import JSON, NO_STORE, Answer, json_answer
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld, Part
from scoreboard.observe.metrics import CONTENT_TYPE

METRICS_TYPE = (b"content-type", CONTENT_TYPE.encode("ascii"))
JWKS_CACHE = (b"cache-control", b"public, max-age=300")


class OperatorRoutes:
    """``/health``, ``/ready``, ``/metrics`` and ``/.well-known/jwks.json``."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def health(self, _: ApiRequest) -> Answer:
        """The process lives; nothing else is looked at."""
        return json_answer({"status": "ok"})

    async def ready(self, _: ApiRequest) -> Answer:
        """Whether everything that the server needs is there, part by part; what it can do without is only told."""
        parts = await self._parts()
        problems = [part.name for part in parts if part.needed and part.problem is not None]
        told = {part.name: part.problem or "ok" for part in parts}
        if not problems:
            return json_answer({"status": "ready", "parts": told})
        body = {
            "error": "Service unavailable",
            "message": f"Not ready: {', '.join(problems)}.",
            "code": "NOT_READY",
            "status": "not ready",
            "parts": told,
        }
        return json_answer(body, status=503, headers=((b"retry-after", b"1"),))

    async def metrics(self, _: ApiRequest) -> Answer:
        """Everything that is counted, for Prometheus; by all workers, whichever of them is asked."""
        own, add_others = self._world.metrics.render(), self._world.all_metrics
        return Answer(200, own if add_others is None else await add_others(own), (METRICS_TYPE, NO_STORE))

    async def jwks(self, _: ApiRequest) -> Answer:
        """The public keys of access tokens."""
        return Answer(200, msgspec.json.encode(self._world.tokens.jwks()), (JSON, JWKS_CACHE))

    async def _parts(self) -> list[Part]:
        within_s = self._world.read_within_s
        with trio.move_on_after(within_s):
            return list(await self._world.readiness())
        return [Part("readiness", f"no answer within {within_s:g} s")]
