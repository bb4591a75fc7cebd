from __future__ import annotations

import pytest

from scoreboard.observe.redact import HIDDEN, is_secret, redact, scrub


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "new_password",
        "accessToken",
        "refresh_token",
        "tokens",
        "Authorization",
        "X-Action-Token",
        "X-Api-Key",
        "refresh_key",
        "signature",
        "clientSecret",
        "set-cookie",
        "jwt",
    ],
)
def test_a_field_that_names_a_secret_is_hidden(name: str) -> None:
    """However it is spelt; its value is not looked at."""
    assert is_secret(name)
    assert {name: HIDDEN} == redact(None, "info", {name: {"any": "thing"}})


@pytest.mark.parametrize("name", ["token_id", "key_count", "monkey", "username", "event", "passwords_waiting", "kid"])
def test_a_field_that_only_sounds_like_one_is_shown(name: str) -> None:
    """Logs that hide too much are of no use either."""
    assert not is_secret(name)
    assert {name: "x"} == redact(None, "info", {name: "x"})


def test_a_secret_is_hidden_however_deep_it_lies() -> None:
    """In mappings, lists and tuples; bytes are never written."""
    event = {"body": [{"user": "u1", "password": "hunter22"}], "pair": ("a", {"token": "t"}), "raw": b"secret"}
    assert {
        "body": [{"user": "u1", "password": HIDDEN}],
        "pair": ["a", {"token": HIDDEN}],
        "raw": "<6 bytes>",
    } == redact(None, "info", event)


def test_what_lies_too_deep_is_not_written_at_all() -> None:
    """A structure without end costs neither time nor secrets."""
    endless: dict[str, object] = {}
    endless["again"] = endless
    assert "<dict>" in str(redact(None, "info", {"body": endless}))


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("got eyJhbGciOi.eyJzdWIi.c2ln today", f"got {HIDDEN} today"),
        ("Authorization: Bearer abc.def-1", f"Authorization: Bearer {HIDDEN}"),
        ("postgresql://me:hunter22@db:5432/x", f"postgresql://me:{HIDDEN}@db:5432/x"),
        ("redis://:hunter22@cache:6379/0", f"redis://:{HIDDEN}@cache:6379/0"),
        ("http://127.0.0.1:8000/api", "http://127.0.0.1:8000/api"),
        ("a usual sentence", "a usual sentence"),
    ],
)
def test_a_text_that_looks_like_a_secret_is_cleaned(text: str, clean: str) -> None:
    """An exception may quote what nobody meant to log."""
    assert clean == scrub(text)
