"""The strict decoder at the border: what passes is exactly one reading of exactly the fields that are expected.

Python's JSON reads more than JSON has (NaN, 1e999, a key twice, half a surrogate pair, U+0000 that no database takes).
Each of these is refused here with a sentence that says where and what.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn, TypeVar

import msgspec

from scoreboard.api.errors import ApiError, invalid_input, unsupported
from scoreboard.api.request import ApiRequest
from scoreboard.wire.strict_json import require_shallow

S = TypeVar("S", bound=msgspec.Struct)

LONGEST_SENTENCE = 300
_PATH = re.compile(r" - at `\$\.([^`]+)`$")
_FIELD = re.compile(r"field `([^`]+)`")


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a request that needs none: absent, or an object without fields."""


def decode(request: ApiRequest, shape: type[S]) -> S:
    """The body of a request as a `shape`.

    Raises:
        ApiError: 415 for another media type, 400 for anything that is not that shape in strict JSON.
    """
    require_json(request)
    return convert(parse(request.raw_body), shape)


def require_nothing(request: ApiRequest) -> None:
    """For routes that take no body: it must be absent or empty."""
    if request.raw_body:
        decode(request, Nothing)


def parse(raw: bytes) -> Any:
    """Strict JSON as Python values; raises ApiError."""
    if not raw:
        raise invalid_input("The body is empty; a JSON object was expected.")
    try:
        text = raw.decode("utf-8")
        require_shallow(text)
        value = _DECODER.decode(text)
        if "\\u" in text:  # only an escape can smuggle in what UTF-8 and JSON's grammar keep out
            _require_clean(value)
    except UnicodeDecodeError as error:
        raise invalid_input(f"The body is not valid UTF-8 at byte {error.start}.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise invalid_input(f"The body is not valid JSON: {error.msg} at {where}.") from error
    except RecursionError as error:
        raise invalid_input("The JSON in the body is nested too deeply.") from error
    except ValueError as error:
        raise invalid_input("The body holds a number with too many digits.") from error
    return value


def convert(value: Any, shape: type[S]) -> S:
    """Parsed JSON as a `shape`; raises ApiError with the field's name."""
    try:
        return msgspec.convert(value, shape, strict=True)
    except msgspec.ValidationError as error:
        sentence = f"The body is not as expected: {error}."[:LONGEST_SENTENCE]
        raise invalid_input(sentence, field=_field_in(str(error))) from error


def require_json(request: ApiRequest) -> None:
    """Raises ApiError (415) unless the request says that its body is plain JSON."""
    media, _, parameters = (request.header(b"content-type") or "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise unsupported("The body must be JSON in UTF-8, with the header Content-Type: application/json.")
    if (request.header(b"content-encoding") or "identity").lower() != "identity":
        raise unsupported("The body must not be compressed.")


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The fields of one object, in time that grows with their number only; raises ApiError if one stands twice."""
    found = dict(pairs)
    if len(found) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise invalid_input(f"The body has the field {_shown(twice)} twice.")
    return found


def _field_in(said: str) -> str | None:
    """The field that a sentence of msgspec's is about: with its path, or missing, or unknown."""
    parts = [found[1] for found in (_PATH.search(said), _FIELD.search(said)) if found is not None]
    return ".".join(parts)[:60] or None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise invalid_input(f"The body holds the number {text[:40]}, which is too large.")
    return number


def _no_constant(text: str) -> NoReturn:
    raise invalid_input(f"The body holds {text}, which JSON does not have.")


_DECODER = json.JSONDecoder(object_pairs_hook=unique, parse_float=_finite, parse_constant=_no_constant)


def _require_clean(value: Any) -> None:
    for text in _texts(value):
        if "\0" in text:
            raise _unclean(text, "the character U+0000")
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _unclean(text, "half of a surrogate pair, which is not a character")


def _unclean(text: str, what: str) -> ApiError:
    return invalid_input(f"The body holds {what}, in {_shown(text)}.")


def _texts(value: Any) -> Iterator[str]:
    """All strings in a value, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield name
            yield from _texts(each)


def _shown(text: str) -> str:
    return json.dumps(text)[:60]  # ASCII only, so that anything can be shown
