"""Which web pages may use this server: browsers say where a page came from, and no page can change what they say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: In place of a list: pages from anywhere.
ANYWHERE = "*"


class Origins:
    """Pages of the host that is asked, and of those that are listed.

    Args:
        listed: Origins as browsers write them (`https://game.example`, with a port where it is not the usual one), or
            `ANYWHERE` among them.
    """

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self._listed = frozenset(each.strip().rstrip("/").lower() for each in listed)

    @classmethod
    def of(cls, text: str) -> Origins:
        """From a list with commas, as settings have it."""
        return cls(each for each in text.split(",") if each.strip())

    def __repr__(self) -> str:
        return f"<Origins {', '.join(sorted(self._listed)) or 'of the same host'}>"

    @property
    def any_listed(self) -> bool:
        """Whether there are others than the host that is asked."""
        return bool(self._listed)

    def lists(self, origin: str) -> bool:
        """Whether pages of that origin are welcome wherever this server is found."""
        return ANYWHERE in self._listed or origin.lower() in self._listed

    def allows(self, origin: str, hosts: Sequence[str]) -> bool:
        """Whether a page of that origin may ask, in a request with these values of `Host`.

        A proxy may have taken TLS away, so of the same host the scheme is not compared.
        """
        if self.lists(origin):
            return True
        scheme, _, authority = origin.lower().partition("://")
        return scheme in ("http", "https") and [authority] == [host.strip().lower() for host in hosts]
