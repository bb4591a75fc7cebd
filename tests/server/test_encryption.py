"""Certificates of a server that runs, as its operator hears of them."""

from __future__ import annotations

from typing import Any, cast

import trio
from structlog.testing import CapturingLogger
from trio.testing import MockClock

from scoreboard.door.tls import Tls
from scoreboard.server.encryption import LOOK_EVERY_S, TOLD_AGAIN_S, kept_fresh


class PlayedTls:
    """With a certificate that has ended at some looks, of which there is one a minute."""

    def __init__(self) -> None:
        self.looks = 0
        self.enough = trio.Event()

    def trouble(self, _now_s: float) -> str | None:
        """It ends, is renewed two hours later, and ends again."""
        self.looks += 1
        if self.looks == 200:
            self.enough.set()
        return f"look {self.looks}" if 3 <= self.looks < 150 or self.looks >= 160 else None

    def refresh(self) -> bool:
        """Said otherwise."""
        return False


async def test_a_certificate_that_ends_while_the_server_runs_is_told_and_told_again(autojump_clock: MockClock) -> None:
    """Within a minute, and every hour; also when another one ends."""
    log: Any = CapturingLogger()
    tls = PlayedTls()
    async with kept_fresh(cast(Tls, tls), log):
        await tls.enough.wait()
    assert 60 * LOOK_EVERY_S == TOLD_AGAIN_S
    told = [(call.method_name, call.kwargs["reason"]) for call in log.calls]
    assert [("error", f"look {number}") for number in (3, 63, 123, 160)] == told
