"""What a process writes of itself and of its libraries."""

from __future__ import annotations

import logging

import pytest

from scoreboard.server import process_log
from scoreboard.settings import Logs


def test_a_lost_postgres_is_told_once_and_not_at_each_attempt_of_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a traceback each: who looks for the reason would not find it between them. Errors of the pool are told."""
    pool = logging.getLogger("asyncpg.pool")
    monkeypatch.setattr(pool, "level", logging.NOTSET)
    monkeypatch.setattr(process_log, "adopt_library_logs", lambda *_: None)
    process_log.logger_for(Logs())
    assert [False, True] == [pool.isEnabledFor(level) for level in (logging.WARNING, logging.ERROR)]
    pool.setLevel(logging.NOTSET)
