"""Whose turn it is: requests of one address, however many connections it has, do not keep those of others waiting."""

from __future__ import annotations

from collections import Counter

import trio

from scoreboard.door.pace import Pace
from scoreboard.ends import Ends

#: So many requests of one address are begun in one turn of the event loop, and so many of all addresses.
OF_ONE, OF_ALL = 8, 64
#: So many of one address while there are others; and so many turns in which something began they are remembered.
IN_COMPANY, COMPANY_TURNS = 2, 1000


class Rounds(trio.abc.Instrument):
    """Lets requests begin while it runs: some at once, the others when their address has its turn again.

    Trio lets every task that can run take a step before it looks for input again. So whoever has two thousand
    connections, as one address may, and asks on all of them would have two thousand answers made before anybody else is
    as much as heard. Here each address begins so many in a turn of the loop; those that wait go round, address by
    address. Nobody waits where there is no crowd, and no request is refused. An answer takes several turns, so who is
    not alone has fewer of its requests begun in each: others wait for short turns, and a crowd for more of them.

    No more wait than there are connections. `pieces` holds those to turns who go on piece by piece, and
    `ends` gives those deadlines who do not go on.
    """

    def __init__(
        self, of_one: int = OF_ONE, of_all: int = OF_ALL, pieces: Pace | None = None, ends: Ends | None = None
    ) -> None:
        self._of_one, self._of_all = of_one, of_all
        self._begun = Counter[str]()  # in this turn of the loop
        self._total = 0
        self._latest = ""  # where the last request was from
        self._company = 0  # turns for which several addresses are reckoned with
        self._waiting: dict[str, trio.lowlevel.ParkingLot] = {}  # the address whose turn is next stands first
        self._crowd: trio.Event | None = None  # None: it does not run
        self.pieces = pieces or Pace()
        self.ends = ends or Ends()

    def __repr__(self) -> str:
        return f"<Rounds, {sum(map(len, self._waiting.values()))} wait from {len(self._waiting)} addresses>"

    async def begin(self, site: str) -> None:
        """Wait until a request from there may begin; returns at once, without a checkpoint, where there is no crowd."""
        if self._crowd is None:
            return
        if site != self._latest:
            self._company = COMPANY_TURNS if self._latest else 0
            self._latest = site
        if self._total < self._of_all and self._begun[site] < self._share and site not in self._waiting:
            self._begun[site] += 1
            self._total += 1
            return
        self._crowd.set()
        await self._waiting.setdefault(site, trio.lowlevel.ParkingLot()).park()

    def after_io_wait(self, timeout: float) -> None:
        """Trio says that a turn begins."""
        del timeout
        if self._total:
            self._begun.clear()
            self._total = 0
            if self._company:
                self._company -= 1

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Hold requests to their turns until it is cancelled; then nobody waits any more."""
        trio.lowlevel.add_instrument(self)
        self._crowd = trio.Event()
        task_status.started()
        try:
            while True:
                await self._crowd.wait()
                self._crowd = trio.Event()
                while self._waiting:
                    await trio.lowlevel.checkpoint()
                    self._let_some_begin()
        finally:
            self._crowd = None
            trio.lowlevel.remove_instrument(self)
            for lot in self._waiting.values():
                lot.unpark_all()
            self._waiting.clear()

    @property
    def _share(self) -> int:
        return min(self._of_one, IN_COMPANY) if self._company else self._of_one

    def _let_some_begin(self) -> None:
        if self._company:
            self._company -= 1
        for site in list(self._waiting)[: self._of_all // self._of_one]:
            lot = self._waiting.pop(site)
            lot.unpark(count=self._share)
            if lot:
                self._waiting[site] = lot


async def no_turn() -> None:
    """Where nobody else is."""
