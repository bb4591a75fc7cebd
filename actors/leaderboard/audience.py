"""All who watch one channel. Takes each step of the board and offers the same bytes to every connection.

What the channel shows comes only by `Show`, in the board's order, also for the first who joins: an answer to a question
of ours might overtake a step that is still on its way, and then an old board would be shown as a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from actors.leaderboard.crowd import Crowd
from actors.leaderboard.messages import Join, Leave, Show, Subscriber, Unwatch, Update, Watch
from actors.runtime import ActorError, BatchActor, Ref, Request


class AudienceActor(BatchActor):
    """Gives the steps of one channel to those who watch it.

    Of steps that wait at the same time only the newest: when a board moves faster than its crowd can be told, all are
    shown where it stands, and nothing piles up.

    `crowd` outlives incarnations, and is `forgotten` with the last of them. While the board has shown nothing it is
    reminded every `retry_s` seconds.
    """

    max_batch = 100  # so many joins before others get a turn; each sends a board (``scripts/bench joins``)

    def __init__(
        self, board: Ref, crowd: Crowd, *, retry_s: float = 1.0, forgotten: Callable[[], object] = lambda: None
    ) -> None:
        self._board = board
        self._crowd = crowd
        self._retry_s = retry_s
        self._forgotten = forgotten
        self._wanted = False
        self._told = False  # the board has taken the last `Watch`, and no `Unwatch` since

    def __repr__(self) -> str:
        return f"<AudienceActor {self._crowd!r}>"

    def may_passivate(self) -> bool:
        """Not while somebody watches."""
        return not self._crowd

    async def started(self) -> None:
        """After a crash in the middle of a step, those who missed it must be shown where the board stands."""
        self._crowd.scatter()
        if self._crowd:
            self._want()

    async def stopped(self) -> None:
        """Who comes again finds another crowd: there are as many channels as somebody can think of."""
        if not self._crowd:
            self._forgotten()

    async def woken(self) -> None:
        """The board has shown nothing yet, or nothing that it will go on from."""
        if self._crowd and (self._crowd.current is None or not self._told):
            self._want()

    async def receive_batch(self, requests: Sequence[Request]) -> None:
        """Let join and leave in their order; then show the newest step."""
        steps = []
        for request in requests:
            match request.message:
                case Join(subscriber):
                    self._join(subscriber)
                    request.answer(None)
                case Leave(subscriber):
                    self._crowd.leave(subscriber)
                case Show(update):
                    steps.append(update)
                case _:
                    raise TypeError(f"an audience does not understand {request.message!r}")
        if steps:
            self._crowd.skip(len({(step.epoch, step.version) for step in steps}) - 1)
            await self._show(steps[-1])
        self._rest_if_empty()

    def _join(self, subscriber: Subscriber) -> None:
        self._crowd.join(subscriber)
        # One question is enough for all who come while the board is busy.
        if self._crowd.current is None and not self._wanted:
            self._want()

    def _want(self) -> None:
        """Ask the board to show the channel; the alarm asks again if it could not hear."""
        self._wanted = True
        self.wake_at = trio.current_time() + self._retry_s
        self._told = _tell(self._board, Watch(self._crowd.channel))

    def _rest_if_empty(self) -> None:
        """With nobody here the board need not compute steps. If it does not hear that, the next step says it again."""
        if not self._crowd:
            self._crowd.current, self._wanted, self._told = None, False, False
            _tell(self._board, Unwatch(self._crowd.channel))

    async def _show(self, update: Update) -> None:
        """A step that was on its way since before an `Unwatch` is shown, but does not mean that the board has heard."""
        self._wanted = not self._told
        known = self._crowd.current
        if known is None or (known.epoch, known.version) != (update.epoch, update.version):
            # In slices; nobody joins or leaves meanwhile, for this actor works on one message at a time.
            for _ in self._crowd.show(update):
                await trio.lowlevel.checkpoint()


def _tell(board: Ref, message: Watch | Unwatch) -> bool:
    """Whether it was taken; both are said again."""
    try:
        board.tell(message)
    except ActorError:
        return False
    return True
