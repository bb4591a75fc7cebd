"""Which web pages may ask."""

from __future__ import annotations

import pytest

from scoreboard.wire.origins import Origins

HERE = ["board.example:8000"]


@pytest.mark.parametrize(
    ("origin", "hosts"),
    [
        ("http://board.example:8000", HERE),
        ("https://Board.Example:8000", HERE),
        ("https://board.example", ["board.example"]),
        ("http://[::1]:8000", ["[::1]:8000"]),
    ],
)
def test_pages_of_the_same_host_may_always_ask(origin: str, hosts: list[str]) -> None:
    """Behind a proxy the scheme may be another one."""
    assert Origins().allows(origin, hosts)


@pytest.mark.parametrize(
    ("origin", "hosts"),
    [
        ("https://evil.example", HERE),
        ("http://board.example", HERE),
        ("http://board.example:8000.evil.example", HERE),
        ("file://board.example:8000", HERE),
        ("null", HERE),
        ("null", []),
        ("", [""]),
        ("http://board.example:8000", [*HERE, "evil.example"]),
    ],
)
def test_all_others_must_be_listed(origin: str, hosts: list[str]) -> None:
    """Also a sandboxed page, which has no origin, and what only looks alike."""
    assert not Origins(["https://good.example"]).allows(origin, hosts)


def test_a_list_is_read_as_people_write_it() -> None:
    """With blanks, in any case, with the stroke that an address has at its end."""
    origins = Origins.of("https://A.example/ ,http://b.example:81")
    assert all(origins.allows(each, HERE) for each in ("https://a.example", "http://b.example:81"))
    assert not origins.allows("http://a.example", HERE)
    assert repr(origins) == "<Origins http://b.example:81, https://a.example>"


def test_a_star_lets_all_ask() -> None:
    """Who says so wants even pages without an origin."""
    assert Origins.of("*").allows("null", HERE)
    assert repr(Origins.of("")) == "<Origins of the same host>"
