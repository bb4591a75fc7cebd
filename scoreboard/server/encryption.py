"""TLS by the settings, and certificates that are exchanged while the server runs."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from scoreboard.door.tls import Tls, TlsFiles, TlsFilesError
from scoreboard.observe.logs import Logger
from scoreboard.settings import Door

#: Who renews certificates writes new files; so long until they are looked at.
LOOK_EVERY_S = 60.0
#: That clients refuse a certificate, or soon will.
TOLD_AGAIN_S = 3600.0


async def open_tls(wanted: Door) -> Tls | None:
    """What the door speaks; None for the clear.

    Raises:
        TlsFilesError: the files cannot be used; the sentence says why.
    """
    if wanted.certificate is None or wanted.private_key is None:
        return None
    return await trio.to_thread.run_sync(Tls, TlsFiles(Path(wanted.certificate), Path(wanted.private_key)))


@asynccontextmanager
async def kept_fresh(tls: Tls | None, log: Logger, *, every_s: float = LOOK_EVERY_S) -> AsyncIterator[None]:
    """Take new certificates into use while the body runs. One that cannot be used is told, and the old one stays.

    So is one that clients refuse now or soon, and is served all the same: there is no better one.
    """
    if tls is None:
        yield
        return
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_look, tls, log, every_s)
        yield
        nursery.cancel_scope.cancel()


async def _look(tls: Tls, log: Logger, every_s: float) -> None:
    tell_at = 0.0
    while True:
        trouble = tls.trouble(time.time())
        if trouble is None:
            tell_at = 0.0
        elif trio.current_time() >= tell_at:
            log.error("certificate_not_well", reason=trouble)
            tell_at = trio.current_time() + TOLD_AGAIN_S
        await trio.sleep(every_s)
        try:
            if await trio.to_thread.run_sync(tls.refresh):
                log.info("certificate_changed")
        except TlsFilesError as error:
            meaning = "the one that was read before stays"
            log.error("certificate_not_read", reason=str(error), meaning=meaning)  # noqa: TRY400 - the sentence is enough
