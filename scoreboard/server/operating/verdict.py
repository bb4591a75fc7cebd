"""What is wrong with a server, by what it says of itself. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]

#: Boards of other workers are level within a second as a rule.
BEHIND_S = 5.0
#: As the log warns of.
LAG_S = 0.25
#: Of the room in a mailbox.
FULL = 0.5


def wrong(status: Json) -> list[str]:
    """A sentence for each thing that is not as it should be; nothing if all is well."""
    return [*_of_server(status), *(each for worker in status["workers"] for each in _of_worker(worker))]


def _of_server(status: Json) -> Iterator[str]:
    if status.get("under_way"):
        yield f"a {status['under_way']} is under way"
    ready = sum(worker["state"] == "ready" for worker in status["workers"])
    if ready < status["wanted"]:
        yield f"{ready} of {status['wanted']} workers are ready"
    yield from (f"the parent of the workers: {trouble}" for trouble in status.get("troubles", ()))


def _of_worker(worker: Json) -> Iterator[str]:
    name = f"worker {worker['worker']}" if worker["worker"] else "the server"
    if worker["state"] != "ready":
        yield f"{name}: {worker['state']}{_because(worker)}{_remedy(worker)}"
    if "loop" not in worker:
        return
    for store in ("postgres", "redis"):
        yield from _of_store(name, store, worker)
    if worker["postgres"]["waiting"]:
        yield f"{name}: {worker['postgres']['waiting']} wait for a connection to postgres"
    yield from (f"{name}: {trouble}" for trouble in worker.get("troubles", ()))
    if worker["behind"]["seconds"] > BEHIND_S:
        yield f"{name}: {worker['behind']['seconds']:.0f} s behind other workers"
    lag_s = worker["loop"]["p99_s"]
    if lag_s is None or lag_s > LAG_S:
        yield f"{name}: one turn of its event loop in a hundred takes more than {LAG_S * 1000:g} ms"
    for mailbox, backlog in worker["mailboxes"].items():
        if backlog["waiting"] > FULL * backlog["capacity"]:
            yield f"{name}: {backlog['waiting']} messages wait for {mailbox}, of which one takes {backlog['capacity']}"


def _of_store(name: str, store: str, worker: Json) -> Iterator[str]:
    if worker[store]["away_s"]:
        why = f" ({worker[store]['why']})" if worker[store].get("why") else ""
        yield f"{name}: {store} has been away for {worker[store]['away_s']:.0f} s{why}"
    elif store in worker.get("unanswered", ()):
        yield f"{name}: {store} does not answer"


def _because(worker: Json) -> str:
    """How the one before it ended; that one is silent is another story."""
    return f" ({worker['last']})" if worker.get("last") and worker["state"] != "silent" else ""


def _remedy(worker: Json) -> str:
    again = f"scoreboard reload --worker {worker['worker']}"
    return {
        "starting": "; how far it is stands in the log; if it gets no further for 300 s it is killed and replaced",
        "away": f"; it comes back with {again}",
        "left alone": f"; it failed too often, and is tried again within a minute, or at once by {again}",
        "silent": "; it is stopped, or its event loop hangs; after 30 s of that it is killed and replaced",
    }.get(worker["state"], "")
