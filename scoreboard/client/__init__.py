"""A client of the live scoreboard, for programs on Trio.

    async with connect("https://scores.example.org", token=token) as scoreboard:
        async for view in scoreboard.watch("leaderboard.top10"):
            show(view.rows)

It needs trio, trio-websocket and httpx, and nothing else of this repository: the folder can be copied.
"""

from __future__ import annotations

from scoreboard.client.account import Tokens, TokenSource
from scoreboard.client.board import Row, View
from scoreboard.client.connecting import connect
from scoreboard.client.errors import ClientError, NoAnswer, Retry, ScoreboardError
from scoreboard.client.records import ActionToken, Score, Status
from scoreboard.client.scoreboard import Scoreboard
from scoreboard.client.watch import Listener, News, Watch

__all__ = [
    "ActionToken",
    "ClientError",
    "Listener",
    "News",
    "NoAnswer",
    "Retry",
    "Row",
    "Score",
    "Scoreboard",
    "ScoreboardError",
    "Status",
    "TokenSource",
    "Tokens",
    "View",
    "Watch",
    "connect",
]
