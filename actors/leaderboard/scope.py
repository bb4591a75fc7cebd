"""Which players and which scores a board shows, and how it is named."""

from __future__ import annotations

from functools import lru_cache

from actors.ports import BoardId, BoardScope, Period

#: ISO 3166-1 alpha-2 has no more, so that many scopes can be kept.
_MOST_SCOPES = 4 * (26 * 26 + 1)


def board_of(scope: BoardScope) -> BoardId:
    """The name of a board: ``weekly``, or ``weekly:US`` for one country's players."""
    return BoardId(scope.period.value if scope.country is None else f"{scope.period.value}:{scope.country}")


@lru_cache(_MOST_SCOPES)
def scope_of(board: BoardId) -> BoardScope:
    """What the board of that name shows. Raises ValueError if no board has that name."""
    period, colon, country = board.partition(":")
    try:
        if colon and not is_country(country):
            raise ValueError(f"{country!r} is no country")
        return BoardScope(Period(period), country if colon else None)
    except ValueError as error:
        raise ValueError(f"there is no board {board!r}") from error


def is_country(text: str) -> bool:
    """Whether it has the form of a country's code, two capitals of ASCII."""
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()  # noqa: PLR2004 - alpha-2
