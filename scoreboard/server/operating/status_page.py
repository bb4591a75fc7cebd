"""A server's status as its operator reads it on a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Json = Mapping[str, Any]

_HEAD = ("worker", "state", "pid", "up", "restarts", "failed", "conns", "live", "loop p99/worst", "behind", "postgres")


def page(status: Json, wrong: Sequence[str]) -> Iterator[str]:
    """Line by line: the whole, its workers, what waits, and what is wrong."""
    verdict = "NOT WELL" if wrong else "well"
    where = status["url"] or "not listening yet"
    yield f"{verdict}: {where}, up {spoken(status['up_s'])}, version {status['version']}, data {status['data']}"
    for sentence in wrong:
        yield f"  ! {sentence}"
    yield ""
    yield from _table([_HEAD, *map(_row, [*status["workers"], *status.get("beside", ())])])
    told = [worker for worker in status["workers"] if "loop" in worker]
    yield ""
    yield f"redis     {_redis(told)}"
    yield f"actors    {_sums(told, 'actors')}"
    yield f"waiting   {_waiting(told)}"


def spoken(seconds: float) -> str:
    """A duration in its two largest units."""
    units = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    for at, (name, size) in enumerate(units):
        if seconds >= size:
            whole, rest = divmod(int(seconds), size)
            small = f" {rest // units[at + 1][1]} {units[at + 1][0]}" if at + 1 < len(units) else ""
            return f"{whole} {name}{small}"
    return f"{seconds:.1f} s"


def _row(worker: Json) -> Sequence[str]:
    first = (
        str(worker["worker"] or "-"),
        worker["state"],
        str(worker.get("pid") or "-"),
        spoken(worker["up_s"]) if worker.get("up_s") is not None else "-",
        str(worker.get("restarts", "-")),
        str(worker.get("failures", "-")),
    )
    if "loop" not in worker:
        return (*first, *("-" * 5))
    loop, postgres = worker["loop"], worker["postgres"]
    pool = f"{postgres['open'] - postgres['idle']}/{postgres['most']} used, {postgres['waiting']} wait"
    return (
        *first,
        str(worker["connections"]),
        str(worker["live"]),
        f"{_ms(loop['p99_s'])}/{_ms(loop['worst_s'])} ms",
        f"{worker['behind']['batches']} ({worker['behind']['seconds']:g} s)",
        f"away {spoken(postgres['away_s'])}" if postgres["away_s"] else pool,
    )


def _ms(seconds: float | None) -> str:
    return ">1000" if seconds is None else f"{seconds * 1000:g}"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _redis(workers: Sequence[Json]) -> str:
    away = [worker["redis"]["away_s"] for worker in workers if worker["redis"]["away_s"]]
    return f"away for {spoken(max(away))}" if away else "there" if workers else "not known"


def _sums(workers: Sequence[Json], what: str) -> str:
    sums: dict[str, int] = {}
    for worker in workers:
        for name, count in worker[what].items():
            sums[name] = sums.get(name, 0) + count
    several = {name: count for name, count in sorted(sums.items()) if count > len(workers)}
    single = len(sums) - len(several)
    return ", ".join([*(f"{name} {count}" for name, count in several.items()), f"{single} single ones in each worker"])


def _waiting(workers: Sequence[Json]) -> str:
    found = [
        f"{name} {backlog['waiting']} of {backlog['capacity']}"
        for worker in workers
        for name, backlog in worker["mailboxes"].items()
        if backlog["waiting"]
    ]
    return ", ".join(found) or "nothing in any mailbox"
