"""The server with parts of its guard left out, or with a clock at each: takes what `scoreboard` takes.

BENCH_WITHOUT names what is left out: `signatures`, `evidence`. With BENCH_CLOCKS each step's time is taken, from
SIGUSR1 on, and SIGUSR2 writes microseconds and counts into the file of that name. For the bench alone: a server without
its guard counts whatever anybody sends.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

import scoreboard.api.v1.updates as api_updates
from actors.actions import actor as actions
from actors.actions.docket import Docket
from actors.actions.proof import HmacVerifier
from actors.fraud.actor import FraudActor
from actors.ports import Earlier, Evidence, Grant
from actors.user import actor as user
from actors.user import earned, updates
from actors.user.token import ActionKeys
from actors.user.watch import Watch
from scoreboard.__main__ import main
from scoreboard.stores.postgres_evidence import PostgresEvidenceStore

#: What is timed, by the name in the table: where it is looked up, and what it is called there.
STEPS: dict[str, tuple[Any, str]] = {
    "proof of the action": (actions, "judge"),
    "pace, of all that wait": (Docket, "grant"),
    "token made": (user, "issue"),
    "token and signature judged": (updates, "judge"),
    "client's secret made": (api_updates, "client_secret"),
    "the watch told": (Watch, "scored"),
    "fraud rules": (FraudActor, "_judge"),
}


def without_signatures() -> None:
    """Whatever is signed is taken to be; nothing is computed for it."""
    nothing = "0" * 64
    _put(HmacVerifier, "__call__", lambda *_: "game")
    _put(ActionKeys, "maker", lambda keys, *_: keys.current)
    _put(earned, "sign", lambda *_: nothing)
    _put(updates, "signature", lambda wish, _: wish.signature.encode())
    _put(api_updates, "client_secret", lambda *_: nothing)


def without_evidence() -> None:
    """Nothing is asked about earlier actions, and nothing is kept of this one."""

    async def settle(_: object, proofs: Sequence[Evidence], __: object, grant: Grant) -> None:
        grant([Earlier() for _ in proofs])

    _put(PostgresEvidenceStore, "settle", settle)


STUBS = {"signatures": without_signatures, "evidence": without_evidence}


class Clocks:
    """How long each call of each step took, in nanoseconds."""

    def __init__(self) -> None:
        self._took: dict[str, list[int]] = {name: [] for name in STEPS}

    def wind(self) -> None:
        """Put a clock at each step."""
        for name, (where, called) in STEPS.items():
            _put(where, called, self._timed(getattr(where, called), self._took[name]))

    def begin(self, *_: object) -> None:
        """Forget what was so far."""
        for took in self._took.values():
            took.clear()

    def write(self, path: Path) -> None:
        """The median in microseconds and the count of each; whoever waits for the file finds it whole."""
        told = {name: {"us": median(took) / 1000, "times": len(took)} for name, took in self._took.items() if took}
        part = path.with_suffix(".part")
        part.write_text(json.dumps(told))
        part.rename(path)

    def _timed(self, step: Callable[..., Any], took: list[int]) -> Callable[..., Any]:
        @wraps(step)
        def timed(*given: Any, **named: Any) -> Any:
            began = perf_counter_ns()
            try:
                return step(*given, **named)
            finally:
                took.append(perf_counter_ns() - began)

        return timed


def _put(where: Any, called: str, what: object) -> None:
    """In the place of what is there, which must be there: nothing may be measured that is called otherwise by now."""
    if not hasattr(where, called):
        raise AttributeError(f"{where!r} has no {called}")
    setattr(where, called, what)


def _serve() -> None:
    for name in os.environ.get("BENCH_WITHOUT", "").split():
        STUBS[name]()
    path = os.environ.get("BENCH_CLOCKS")
    if path:
        clocks = Clocks()
        clocks.wind()
        signal.signal(signal.SIGUSR1, clocks.begin)
        signal.signal(signal.SIGUSR2, lambda *_: clocks.write(Path(path)))
    main()


if __name__ == "__main__":
    _serve()
