"""In which country an address is, by a database file in MaxMind's format. Nothing is asked of any network."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import maxminddb

from scoreboard.watch.errors import CountriesUnreadable

#: So many addresses are remembered: a look takes some ten microseconds, and whoever plays comes again.
REMEMBERED = 16_384
LENGTH = 2


class Countries:
    """The database as it was when it was opened, in memory: its file may be exchanged, and is read at the next start.

    Raises CountriesUnreadable.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._reader = maxminddb.open_database(path, maxminddb.MODE_MEMORY)
        except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
            raise CountriesUnreadable(
                f"SCOREBOARD_FRAUD_COUNTRIES: {path} cannot be read as a database of addresses (.mmdb): {error}"
            ) from error
        self._path = path
        self.country_of = lru_cache(REMEMBERED)(self._country_of)

    def __repr__(self) -> str:
        return f"<Countries of {self._path}>"

    def _country_of(self, address: str) -> str | None:
        """The two letters of ISO 3166; None where the database does not say."""
        try:
            known = ipaddress.ip_address(address.partition("%")[0])
            found = self._reader.get(getattr(known, "ipv4_mapped", None) or known)
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address; of IPv6, where it knows none; a damaged part
            return None
        return _code(found) if isinstance(found, Mapping) else None


def _code(found: Mapping[str, Any]) -> str | None:
    """Of a record as MaxMind has it, or one with its country as a plain code."""
    for name in ("country", "country_code", "registered_country"):
        told = found.get(name)
        code = told.get("iso_code") if isinstance(told, Mapping) else told
        if isinstance(code, str) and len(code) == LENGTH and code.isascii() and code.isalpha():
            return code.upper()
    return None
