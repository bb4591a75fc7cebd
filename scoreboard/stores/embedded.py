"""The servers that we bring ourselves, for those who give no URL of their own."""

from scoreboard.stores.embedded_errors import DataDirectoryBusy, EmbeddedError, NoAccount, NotOurs, ServerFailed
from scoreboard.stores.embedded_postgres import embedded_postgres
from scoreboard.stores.embedded_valkey import embedded_valkey

__all__ = [
    "DataDirectoryBusy",
    "EmbeddedError",
    "NoAccount",
    "NotOurs",
    "ServerFailed",
    "embedded_postgres",
    "embedded_valkey",
]
