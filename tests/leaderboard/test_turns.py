from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from actors.leaderboard.scope import scope_of
from actors.leaderboard.turns import Turns
from actors.ports import BoardId


class Loads:
    """Boards that are loaded in turn, each until it is told to end."""

    def __init__(self, nursery: trio.Nursery, at_once: int) -> None:
        self.turns = Turns(at_once)
        self.now: list[str] = []
        self._nursery = nursery
        self._scopes: dict[str, trio.CancelScope] = {}

    async def begin(self, *boards: str) -> None:
        """These come one after the other."""
        for board in boards:
            self._nursery.start_soon(self._load, board)
            await wait_all_tasks_blocked()

    async def end(self, *boards: str) -> None:
        """These are done, or do not want to wait any longer."""
        for board in boards:
            self._scopes[board].cancel()
            await wait_all_tasks_blocked()

    async def _load(self, board: str) -> None:
        with trio.CancelScope() as self._scopes[board]:
            async with self.turns.of(scope_of(BoardId(board))):
                self.now.append(board)
                try:
                    await trio.sleep_forever()
                finally:
                    self.now.remove(board)


async def test_boards_of_all_players_are_loaded_before_those_of_countries() -> None:
    """However many of those wait; and whoever came first among equals."""
    async with trio.open_nursery() as nursery:
        loads = Loads(nursery, 2)
        await loads.begin("daily:US", "daily:DE", "daily:FR", "daily:IT", "daily", "weekly")
        seen = [list(loads.now)]
        for board in ("daily:DE", "daily:US", "daily", "weekly"):
            await loads.end(board)
            seen.append(list(loads.now))
        assert seen == [
            ["daily:US", "daily:DE"],
            ["daily:US", "daily"],
            ["daily", "weekly"],
            ["weekly", "daily:FR"],
            ["daily:FR", "daily:IT"],
        ]
        nursery.cancel_scope.cancel()


async def test_no_turn_is_lost_with_one_who_waits_no_longer() -> None:
    """Nor with one that fails while it has its turn."""
    async with trio.open_nursery() as nursery:
        loads = Loads(nursery, 1)
        await loads.begin("daily:US", "daily:DE", "daily")
        assert repr(loads.turns) == "<Turns, 0 free, 1 and 1 wait>"
        await loads.end("daily", "daily:DE", "daily:US")
        assert repr(loads.turns) == "<Turns, 1 free, 0 and 0 wait>"
        await loads.begin("monthly")
        assert loads.now == ["monthly"]
        nursery.cancel_scope.cancel()
