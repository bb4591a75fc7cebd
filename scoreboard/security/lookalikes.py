"""What a name looks like: two names that look the same have the same form, whatever letters they are written in.

By Unicode's table of confusable characters (UTS 39), as a library brings it.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from confusable_homoglyphs.confusables import confusables_data

from scoreboard.security.names import fold

#: The table writes characters of scripts that run from right to left between these.
_MARK = "\u200e"


def look(name: str) -> str:
    """The form in which what names look like is compared: "PaypaI" is "paypal", and so is the same in Cyrillic letters.

    Also within one script: 0 is O, 1 is l, rn is m. Case does not matter, once what looks alike has been made the same.
    """
    shapes = _shapes()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFC", name))
    seen = "".join(shapes.get(character, character) for character in plain)
    return fold("".join(shapes.get(character, character) for character in fold(seen)))


@lru_cache(maxsize=1)
def _shapes() -> dict[str, str]:
    """Of each character that looks like others, what stands for all of them."""
    leader: dict[str, str] = {}

    def find(text: str) -> str:
        while leader.setdefault(text, text) != text:
            text = leader[text]
        return text

    for text, others in confusables_data.items():
        for other in others:
            leader[find(text)] = find(other["c"])
    alike: dict[str, list[str]] = {}
    for text in leader:
        alike.setdefault(find(text), []).append(text.strip(_MARK))
    chosen = {member: min(group, key=_rank) for group in alike.values() for member in group}
    return {
        member: "".join(part if len(chosen.get(part, part)) > 1 else chosen.get(part, part) for part in shape)
        for member, shape in chosen.items()
        if len(member) == 1
    }


def _rank(text: str) -> tuple[bool, bool, bool, str]:
    """What is written with several characters comes first, for by itself each of them stands for something else.

    Then letters, for they have no case any more when the forms are compared: O for 0, l for 1 and I.
    """
    plain = text.isascii() and text.isalpha()
    return len(text) == 1, not (plain and text.islower()), not plain, text
