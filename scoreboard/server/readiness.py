"""Whether the parts of a server are there, as its operators hear it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from actors.leaderboard.published import PublishedBoards
from actors.ports import ALL_TIME
from scoreboard.api.world import Part
from scoreboard.server.one_look import OneLook
from scoreboard.server.progress import progress_of
from scoreboard.stores.opening import Stores

#: Anybody may ask as often as they like, and the stores shall hear of that once a second.
FRESH_S = 1.0


def readiness_of(
    stores: Stores, published: PublishedBoards, ending: Callable[[], bool]
) -> Callable[[], Awaitable[Sequence[Part]]]:
    """Asks the stores, and looks whether the board of all time has been loaded, and whether the server stays.

    What the stores answered is told to all who ask within a second; the rest is as it is now.
    """
    look = OneLook(stores.ping, FRESH_S)

    async def readiness() -> Sequence[Part]:
        answers = await look()
        loaded = published.get(ALL_TIME) is not None
        return (
            Part("postgres", None if answers.postgres else "does not answer"),
            Part("board", None if loaded else progress_of(published.loading(ALL_TIME))),
            *([Part("server", "is going to end")] if ending() else []),
            # Without it scores are still kept, ranked and shown.
            Part("redis", None if answers.redis else "does not answer", needed=False),
        )

    return readiness
