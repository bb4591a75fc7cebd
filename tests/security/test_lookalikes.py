# ruff: noqa: RUF001 - names that look alike are what this is about
from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.security import names
from scoreboard.security.lookalikes import look


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("сосо", "coco"),  # all Cyrillic
        ("СОРА", "COPA"),
        ("СОРА", "copa"),
        ("ορρο", "oppo"),  # all Greek
        ("аԁа", "ada"),
        ("PaypaI", "Paypal"),
        ("admin1", "adminl"),
        ("R0bin", "RObin"),
        ("Arnold", "Amold"),
        ("Ａｄａ", "Ada"),
        ("ada", "ADA"),
    ],
)
def test_names_that_look_the_same_have_one_look(name: str, other: str) -> None:
    """In letters of another script throughout, or of the same."""
    assert look(name) == look(other)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Анна", "Anna"),  # н is no n
        ("Ada", "Aba"),
        ("Müller", "Muller"),
        ("player10", "player16"),
        ("王小明", "王小朋"),
        ("Привет", "Privet"),
        ("علي", "عمر"),
    ],
)
def test_names_that_look_different_have_two(name: str, other: str) -> None:
    """Who writes in other letters is not refused for it."""
    assert look(name) != look(other)


def test_numbered_names_look_different() -> None:
    """A thousand players of a thousand numbers have a thousand looks."""
    assert 1000 == len({look(f"player{number}") for number in range(1000)})


@given(st.text(max_size=20))
def test_any_text_has_a_look_which_stays(text: str) -> None:
    """Nothing that somebody may type raises; and names that are the same look the same."""
    seen = look(text)
    assert seen == look(text)
    assert look(names.fold(text)) is not None
