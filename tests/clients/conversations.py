"""The conversations of this folder: read, written out in full, and held against what a client did."""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "conversations"
CHANNEL = "leaderboard.top10"
ACTS = {
    "starts", "server accepts", "server says", "server closes", "server answers", "server keeps silent", "passes",
    "watches", "leaves", "retries now", "asks for a token", "increments", "scores", "signs in", "ends",
}  # fmt: skip
Step = tuple[str, Any]
Done = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One script: the acts, and after each what the client must do."""

    name: str
    client: Mapping[str, Any]
    acts: list[Step]
    expected: list[list[Done]]


def conversations() -> list[Conversation]:
    """All of them, by file and in order."""
    return [_read(path, one) for path in sorted(FOLDER.glob("*.json")) for one in json.loads(path.read_text())]


def compare(conversation: Conversation, played: list[list[Done]]) -> Iterator[str]:
    """Each step after which the client did something else. What is of one kind is in order; kinds may mix."""
    for step, expected, done in zip(conversation.acts, conversation.expected, played, strict=False):
        if _by_kind(expected) != _by_kind(done):
            after, wanted, was = json.dumps(dict([step]))[:200], json.dumps(expected), json.dumps(done)
            yield f"after {after}\n  expected {wanted}\n  done     {was}"
    if len(played) != len(conversation.acts):
        yield f"{len(conversation.acts)} steps, {len(played)} played: {played}"


def _by_kind(done: list[Done]) -> Mapping[str, list[Done]]:
    kinds: dict[str, list[Done]] = defaultdict(list)
    for one in done:
        kinds[next(iter(one))].append(one)
    return kinds


def _read(path: Path, found: Mapping[str, Any]) -> Conversation:
    acts: list[Step] = []
    expected: list[list[Done]] = []
    for step in found["steps"]:
        kind, argument = next(iter(step.items()))
        if kind in ACTS:
            acts.append((kind, _frame(argument) if kind.startswith("server ") else argument))
            expected.append([])
        else:
            expected[-1].append(_subscription(step))
    return Conversation(f"{path.stem}: {found['name']}", found.get("client", {}), acts, expected)


def _subscription(step: Done) -> Done:
    for short, event in (("subscribes", "subscribe"), ("unsubscribes", "unsubscribe")):
        if short in step:
            return {"says": {"event": event, "data": {"channel": step[short]}}}
    return step


def _frame(argument: Any) -> Any:
    """Boards in short are written out: rows, checksums, and what frames have in common."""
    if not isinstance(argument, dict):
        return argument
    if "update" in argument:
        rows = _rows(argument["update"])
        return _board_frame("leaderboard.update", argument, {"leaderboard": rows, "check": _check(rows)})
    if "diff" in argument:
        before, to = argument["diff"]
        data = {"from": before, "to": to, "changes": _rows(argument.get("changes", "")), "removed": []}
        return _board_frame("leaderboard.diff", argument, data)
    if isinstance(argument.get("table"), str):
        rows = _rows(argument["table"])
        return {
            "status": 200,
            "headers": argument.get("headers", {}),
            "body": {"leaderboard": rows, "totalUsers": len(rows)},
        }
    return argument


def _board_frame(event: str, argument: Mapping[str, Any], data: Done) -> Done:
    more = {key: value for key, value in argument.items() if key not in {"update", "diff", "changes", "after"}}
    common = {
        "channel": CHANNEL,
        "board": "all_time",
        "epoch": "e1",
        "totalUsers": 3,
        "timestamp": "2026-05-01T12:00:01Z",
    }
    proof = {"check": _check(_rows(argument["after"]))} if "after" in argument else {}
    return {"event": event, "data": common | data | proof | more}


def _rows(text: str) -> list[Done]:
    """`1 Ann 5, 2 Bob 3`."""
    return [_row(*one.split(" ")) for one in text.split(", ") if one]


def _row(rank: str, name: str, score: str) -> Done:
    when = "2026-05-01T12:00:00Z"
    return {"rank": int(rank), "userId": f"user_{name}", "username": name, "score": int(score), "lastUpdated": when}


def _check(rows: list[Done]) -> int:
    return zlib.crc32(";".join(f"{row['rank']}:{row['userId']}:{row['score']}" for row in rows).encode())
