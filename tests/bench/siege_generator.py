"""A load generator: clients that hold on to the server in every way that its bounds are for (`tests.edge.siege`).

python -m tests.bench.siege_generator       (spoken to by `tests.bench.generator`)
"""

from __future__ import annotations

import trio

from tests.bench.generator import Command, obey
from tests.edge.siege import WAYS, Siege


class Besiegers:
    """Answers `{"each", "seconds", "ways"}`: so many of each of these ways (null: of all) for so long."""

    def __init__(self, config: Command) -> None:
        self._port: int = config["port"]

    def __call__(self, command: Command) -> Command:
        return trio.run(self._besiege, command)

    async def _besiege(self, command: Command) -> Command:
        ways = tuple(way for way in WAYS if command["ways"] is None or way.__name__ in command["ways"])
        with trio.move_on_after(command["seconds"]):
            await Siege(self._port, command["each"], ways).run()
        return {"ways": len(ways)}


if __name__ == "__main__":
    obey(Besiegers)
