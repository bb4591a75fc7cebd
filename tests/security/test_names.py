from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.security.errors import NameRefused
from scoreboard.security.names import Name, email, fold, username


@pytest.mark.parametrize(
    "name",
    [
        "johndoe",
        "ProGamer123",
        "Brighton & Hove Albion",
        "Nott'm Forest",
        "a_b-c.d",
        "Zoë",
        "Łódź 44",
        "Владимир",
        "勝者の名",
        "محمد علي",
        "नमस्ते",
        "ผู้เล่น",
        "山田Taroカナ",
        "김철수 Kim",
        "x" * 50,
    ],
)
def test_a_usual_name_of_any_script_is_taken_as_it_is(name: str) -> None:
    """Players of the whole world may use their names."""
    assert name == username(name).text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ab", "3 to 50"),
        ("x" * 51, "3 to 50"),
        ("x" * 100_000, "3 to 50"),
        (" name", "single spaces"),
        ("name ", "single spaces"),
        ("two  spaces", "single spaces"),
        ("tab\tname", "letters, digits"),
        ("p\u0430yp\u0430l", "different scripts"),
        ("\u0391da", "different scripts"),
        ("Ω Team", "different scripts"),
        ("zero\0name", "letters, digits"),
        ("new\nline", "letters, digits"),
        ("right\u202eleft", "letters, digits"),
        ("mark\u200fname", "letters, digits"),
        ("join\u200dname", "letters, digits"),
        ("soft\u00adname", "letters, digits"),
        ("wide\u00a0space", "letters, digits"),
        ("half\ud800pair", "letters, digits"),
        ("filler\u3164name", "letters, digits"),
        ("variant\ufe0fname", "letters, digits"),
        ("<script>", "letters, digits"),
        ("win🏆ner", "letters, digits"),
        ("private\ue000use", "letters, digits"),
        ("...", "a letter or a digit"),
        ("z" + "\u0336" * 4 + "algo", "accents"),
        ("\u0336abc", "accents"),
        ("\ufdfa" * 20, "ligatures"),
    ],
)
def test_a_name_that_breaks_a_rule_is_told_which(name: str, sentence: str) -> None:
    """One clear sentence, and the field it is about."""
    with pytest.raises(NameRefused, match=sentence) as refused:
        username(name)
    assert "username" == refused.value.field


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("JohnDoe", "johndoe"),
        ("Straße", "STRASSE"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("fi\ufb01", "FIFI"),
        ("\uff21\uff22\uff23", "abc"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ],
)
def test_names_that_look_alike_are_the_same(one: str, other: str) -> None:
    """Case, width, ligatures and composed accents make no second name."""
    assert username(one).key == username(other).key


def test_a_name_is_stored_composed() -> None:
    """Whatever the keyboard sends, everybody gets the same bytes."""
    assert "Zo\u00eb" == username("Zoe\u0308").text


@given(st.text(max_size=60))
def test_a_name_is_taken_whole_or_refused(text: str) -> None:
    """No text fails; what is taken is normal, and taking it again changes nothing."""
    try:
        name = username(text)
    except NameRefused:
        return
    assert name == username(name.text)
    assert unicodedata.is_normalized("NFC", name.text)
    assert fold(text) == name.key


@given(st.text())
def test_folding_is_stable(text: str) -> None:
    """The key of a key is the key."""
    assert fold(text) == fold(fold(text))


@pytest.mark.parametrize("address", ["john@example.com", "a.b+c@sub.example.co", "zoë@exämple.org", "o'neil@x-y.io"])
def test_a_usual_address_is_taken(address: str) -> None:
    """As it is, with a key without case."""
    assert Name(address, fold(address)) == email(address)
    assert email(address).key == email(address.upper()).key


@pytest.mark.parametrize(
    "address",
    [
        "",
        "john",
        "@example.com",
        "john@",
        "john@localhost",
        "john@example..com",
        "john@.com",
        "john@-x.com",
        "jo hn@example.com",
        "john@exam ple.com",
        "a@b@example.com",
        "john\n@example.com",
        "john@example.com\n",
        "john\0@example.com",
        "john\u202e@example.com",
        "john\ud800@example.com",
        "x" * 65 + "@example.com",
        "x@" + "y" * 64 + ".com",
        "x@" + "y." * 130 + "com",
        "\ufdfa" * 20 + "@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """The sentence shows what one looks like or how long it may be."""
    with pytest.raises(NameRefused, match=r"The e-mail address must") as refused:
        email(address)
    assert "email" == refused.value.field
