"""What the door tells about its work, and the plain way to note it."""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import Any, Protocol


class Drop(Enum):
    """Why a connection was turned away, or ended otherwise than in good order."""

    FULL = "full"
    ADDRESS_FULL = "address_full"
    NO_TLS = "no_tls"
    SILENT = "silent"
    SLOW_HEAD = "slow_head"
    BAD_HEAD = "bad_head"
    LARGE_HEAD = "large_head"
    SLOW_BODY = "slow_body"
    BAD_BODY = "bad_body"
    HTTP2 = "http2"
    UNREAD = "unread"
    GONE = "gone"
    FAILED = "failed"
    STOPPED = "stopped"


class Log(Protocol):
    """The part of a structlog logger that is used here."""

    def warning(self, event: str, **fields: Any) -> Any:
        """Note something that somebody should look at."""
        ...

    def error(self, event: str, **fields: Any) -> Any:
        """Note a failure."""
        ...


class DoorObserver(Protocol):
    """Hears of everything that does not go the usual way. Its methods must not raise and must not wait."""

    def dropped(self, why: Drop) -> None:
        """A connection was turned away or cut."""
        ...

    def failed(self, error: BaseException, *, kind: str, client: str) -> None:
        """Serving a connection raised what nobody had thought of; the connection is over and the door goes on."""
        ...

    def http_failed(self, sentence: str, error: BaseException | None) -> None:
        """Hypercorn or the application behind it had a failure that it answered itself."""
        ...

    def accept_failed(self, error: OSError) -> None:
        """The system gave no new connection; the door pauses and tries again."""
        ...


class Journal:
    """Counts every drop by its reason and logs what is a failure. What clients may cause at will is only counted."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self.drops: Counter[Drop] = Counter()

    def dropped(self, why: Drop) -> None:
        """See `DoorObserver`."""
        self.drops[why] += 1

    def failed(self, error: BaseException, *, kind: str, client: str) -> None:
        """See `DoorObserver`."""
        self.drops[Drop.FAILED] += 1
        self._log.error("connection_failed", kind=kind, client=client, exc_info=error)

    def http_failed(self, sentence: str, error: BaseException | None) -> None:
        """See `DoorObserver`."""
        self._log.error("http_failed", detail=sentence, exc_info=error)

    def accept_failed(self, error: OSError) -> None:
        """See `DoorObserver`."""
        self._log.warning("accept_failed", error=str(error))
