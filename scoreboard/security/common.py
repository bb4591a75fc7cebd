"""Passwords that everybody thinks of, and so does everybody who guesses."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Container, Iterable
from importlib.util import find_spec
from pathlib import Path

from scoreboard.security.errors import PasswordRefused
from scoreboard.security.passwords import SHORTEST

#: So much at the end makes a common word no better: ``dragon2024!``.
LONGEST_TAIL = 5
#: A word shorter than this may stand in a good password by chance.
SHORTEST_WORD = 5
MOST_ALIKE = 2


def common_passwords() -> frozenset[str]:
    """The 30,000 of zxcvbn's list, which counts what leaked. Reads its file; nothing of the package stays in memory."""
    found = find_spec("zxcvbn")
    if found is None or not found.submodule_search_locations:
        raise FileNotFoundError("zxcvbn is not installed; it comes with this package")
    lists = runpy.run_path(str(Path(found.submodule_search_locations[0], "frequency_lists.py")))
    words: Iterable[str] = lists["FREQUENCY_LISTS"]["passwords"]
    return frozenset(word for word in words if len(word) >= SHORTEST_WORD)


def refuse_common(password: str, common: Container[str], own: Iterable[str] = ()) -> None:
    """Refuse what would be guessed early. Pure.

    Args:
        password: As it was typed.
        common: Words that many people take, in lower case.
        own: What is known of who takes it: name, address.

    Raises:
        PasswordRefused: it is one of those, also with a few digits or signs behind it; it is one's own name; or it is
            the same one or two characters over and over.
    """
    plain = password.casefold()
    stem = plain.rstrip("0123456789!?.,-_*#@$%& ")
    if plain in common or (len(plain) - len(stem) <= LONGEST_TAIL and len(stem) >= SHORTEST_WORD and stem in common):
        raise PasswordRefused("The password is one that many people use, and the first to be tried; take another one")
    if plain in {word.casefold() for word in own}:
        raise PasswordRefused("The password must not be your own name or address")
    if len(set(plain)) <= MOST_ALIKE and len(plain) >= SHORTEST:
        raise PasswordRefused("The password must have more than two different characters")


#: Judges a new password beside the names of who takes it; see `refuse_common`.
Judge = Callable[[str, Iterable[str]], None]


def judge(common: Container[str]) -> Judge:
    """The judge that knows these words."""
    return lambda password, own: refuse_common(password, common, own)
