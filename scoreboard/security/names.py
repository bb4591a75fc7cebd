"""What users may call themselves, and when two names are the same. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from confusable_homoglyphs.categories import unique_aliases

from scoreboard.security.errors import NameRefused

SHORTEST = 3
LONGEST = 50
LONGEST_KEY = 100
LONGEST_EMAIL = 255
PUNCTUATION = " ._-'&"
MOST_MARKS = 3  # on one letter; enough for Vietnamese, Thai or Tibetan, too few to paint over neighbouring rows

# What one language writes together, Latin included ("highly restrictive" in Unicode's report on security, UTS 39).
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
_OF_ALL_SCRIPTS = {"COMMON", "INHERITED"}
# Letters and marks by their category, but nothing is seen of them: two names would look alike.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]]{1,64}")
_LABEL = re.compile(r"[^\W_]([\w-]{0,61}[^\W_])?")

_PLAIN = "[^\\u0000-&(-,/:-@\\[-^`{-\\u00a0]"  # what is left of ASCII without the space, and all behind it
#: The same as JSON Schema, as far as that can say it.
USERNAME = {
    "minLength": SHORTEST,
    "maxLength": LONGEST,
    "pattern": f"^{_PLAIN}+( {_PLAIN}+)*$",
    "description": "Letters and digits of any script, single spaces, and . _ - ' &",
}
EMAIL = {"maxLength": LONGEST_EMAIL, "format": "email"}


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is shown, and the key that must be unique."""

    text: str
    key: str


def fold(text: str) -> str:
    """The form in which two names are compared: without case, width and ligatures (NFKC with case folding).

    Raises nothing, so it may be given anything that somebody typed to sign in.
    """
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold())


def username(text: str) -> Name:
    """A user name that follows the rules.

    3 to 50 letters, marks and digits of one script (or of those that are written together), single spaces inside, and
    ``. _ - ' &``; not only punctuation.

    Raises:
        NameRefused: with the rule that was broken.
    """
    shown = unicodedata.normalize("NFC", text) if len(text) <= 4 * LONGEST else text
    key = fold(shown) if len(shown) <= LONGEST else ""
    for broken, sentence in (
        (not SHORTEST <= len(shown) <= LONGEST, f"must have {SHORTEST} to {LONGEST} characters"),
        (shown != shown.strip(" ") or "  " in shown, "may hold single spaces between other characters only"),
        (not all(map(_allowed, shown)), "may hold only letters, digits, spaces and . _ - ' &"),
        (not any(character.isalnum() for character in shown), "must hold a letter or a digit"),
        (_is_mixed(shown), "must not mix letters of different scripts, which look alike"),
        (_is_painted(shown), "holds too many accents on one letter"),
        (len(key) > LONGEST_KEY, f"must not have more than {LONGEST_KEY} characters when ligatures are spelt out"),
    ):
        if broken:
            raise NameRefused("username", f"The user name {sentence}")
    return Name(shown, key)


def email(text: str) -> Name:
    """An e-mail address that looks like one; only a message sent to it could tell whether it is.

    Raises:
        NameRefused: with the rule that was broken.
    """
    if len(text) > LONGEST_EMAIL:
        raise NameRefused("email", f"The e-mail address must not have more than {LONGEST_EMAIL} characters")
    shown = unicodedata.normalize("NFC", text)
    local, _, domain = shown.rpartition("@")
    labels = domain.split(".")
    looks_right = _LOCAL.fullmatch(local) and len(labels) > 1 and all(map(_LABEL.fullmatch, labels))
    key = fold(shown)
    if not looks_right or not all(map(_visible, shown)) or max(len(shown), len(key)) > LONGEST_EMAIL:
        raise NameRefused("email", "The e-mail address must look like name@example.com")
    return Name(shown, key)


def _allowed(character: str) -> bool:
    if character in PUNCTUATION:
        return True
    category = unicodedata.category(character)
    return (category[0] in "LM" or category == "Nd") and not _INVISIBLE.match(character)


def _visible(character: str) -> bool:
    return unicodedata.category(character)[0] not in "CZ" and not _INVISIBLE.match(character)


def _is_mixed(text: str) -> bool:
    scripts = unique_aliases(text) - _OF_ALL_SCRIPTS if len(text) <= LONGEST else set()
    return len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER)


def _is_painted(text: str) -> bool:
    marks = "".join("m" if unicodedata.category(character)[0] == "M" else " " for character in text)
    return marks.startswith("m") or "m" * (MOST_MARKS + 1) in marks
