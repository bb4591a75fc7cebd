"""How a process ends: told by a signal, within its time, with a status and a sentence."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable

import trio

from actors.ports import StoreError
from scoreboard.door.tls import TlsFilesError
from scoreboard.observe.logs import Logger
from scoreboard.security.errors import SecurityError
from scoreboard.server.crew.errors import CrewError
from scoreboard.stores.embedded import EmbeddedError
from scoreboard.stores.migrate import MigrationError
from scoreboard.watch.errors import WatchError

STOP_WITHIN_S = 9.5
#: After so long the end in good order gives way to cancelling everything at once, which still ends what it began:
#: a query that is cancelled takes up to 1 s, closing the stores another, stopping an embedded Postgres that does not
#: answer 3 s.
ORDERLY_WITHIN_S = 4.0
#: What keeps a server from starting for a reason that a sentence explains; everything else shows its traceback.
EXPLAINED = (SecurityError, WatchError, TlsFilesError, EmbeddedError, StoreError, MigrationError, OSError, CrewError)


def signals_to_end() -> list[signal.Signals]:
    """Those that let a server end. A terminal that goes is one, unless somebody (`nohup`) has it ignored."""
    ends = [signal.SIGTERM, signal.SIGINT]
    return [*ends, signal.SIGHUP] if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL else ends


def status_of(run: Callable[[], None], log: Logger, tell: Callable[[str], None] = lambda _: None) -> int:
    """Run a server to its end; the status of its process. `tell` hears why it could not start or go on."""
    try:
        run()
    except EXPLAINED as error:
        tell(str(error) or repr(error))
        log.error("cannot_start", reason=str(error) or repr(error))  # noqa: TRY400 - the sentence is the whole story
        return 1
    except BaseExceptionGroup as errors:
        explained, other = errors.split(EXPLAINED)
        if other is not None:
            raise
        reasons = [str(error) for error in leaves(explained)]
        tell("; ".join(reasons))
        log.error("cannot_go_on", reasons=reasons)  # noqa: TRY400 - likewise
        return 1
    log.info("stopped")
    return 0


async def obey_signals(
    signals: AsyncIterator[int],
    ways_to_stop: list[Callable[[], None]],
    nursery: trio.Nursery,
    log: Logger,
    *,
    orderly_within_s: float = ORDERLY_WITHIN_S,
) -> None:
    """With each signal stop in the last of these ways and forget it; in the end cancel the nursery, or end at once."""
    async for number in signals:
        log.info("told_to_stop", signal=signal.Signals(number).name)
        root = trio.lowlevel.current_root_task()
        threading.Thread(target=exit_in_time, args=(log, root), daemon=True).start()
        nursery.start_soon(_lose_patience, nursery.cancel_scope, log, orderly_within_s)
        if ways_to_stop:
            ways_to_stop.pop()()


async def _lose_patience(scope: trio.CancelScope, log: Logger, after_s: float) -> None:
    await trio.sleep(after_s)
    log.warning("cancelling_what_is_left", after_s=after_s)
    scope.cancel()


def exit_in_time(log: Logger, root: trio.lowlevel.Task | None = None) -> None:
    """Whatever hangs, the process ends when it was promised to. What was answered is on disk already."""
    time.sleep(STOP_WITHIN_S)
    log.error("did_not_stop_in_time", within_s=STOP_WITHIN_S, waiting_for=_waits(root)[:20])
    os._exit(1)


def _waits(root: trio.lowlevel.Task | None) -> list[str]:
    """The tasks that wait for no other task, by name; as well as another thread can tell while they go on."""
    found, tasks = [], [] if root is None else [root]
    while tasks:
        task = tasks.pop()
        children = [child for nursery in list(task.child_nurseries) for child in list(nursery.child_tasks)]
        tasks += children
        if not children:
            found.append(task.name)
    return found


def leaves(errors: BaseException | None) -> list[BaseException]:
    """What is wrong, without the groups in which it came."""
    if isinstance(errors, BaseExceptionGroup):
        return [leaf for error in errors.exceptions for leaf in leaves(error)]
    return [errors] if errors is not None else []
