from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from scoreboard.server.ending import EXPLAINED
from scoreboard.server.fraud import fraud_rules
from scoreboard.settings import Fraud, Settings
from scoreboard.watch.countries import Countries
from scoreboard.watch.errors import CountriesUnreadable

#: Networks that are nobody's, with what a database may say of them.
KNOWN: dict[str, Any] = {
    "192.0.2.0/25": {"country": {"iso_code": "DE", "names": {"en": "Germany"}}},
    "192.0.2.128/25": {"registered_country": {"iso_code": "FR"}},
    "198.51.100.0/24": {"country": "BR"},
    "203.0.113.0/25": {"country_code": "jp"},
    "203.0.113.128/25": {"country": {"iso_code": "nowhere"}},
    "2001:db8::/48": {"country": {"iso_code": "CA"}},
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A small database."""
    return written(tmp_path / "small.mmdb", KNOWN)


def written(path: Path, known: dict[str, Any]) -> Path:
    """A database of these networks."""
    writer = MMDBWriter(6, "Test", languages=["en"], description="test", ipv4_compatible=True)
    for network, told in known.items():
        writer.insert_network(IPSet([network]), told)
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.1", "DE"),
        ("192.0.2.200", "FR"),
        ("198.51.100.7", "BR"),
        ("203.0.113.9", "JP"),
        ("203.0.113.200", None),
        ("192.0.3.1", None),
        ("2001:db8::7", "CA"),
        ("2001:db8::7%eth0", "CA"),
        ("::ffff:192.0.2.1", "DE"),
        ("2001:db9::", None),
        ("no address", None),
        ("", None),
    ],
)
def test_an_address_is_in_the_country_that_the_database_says(file: Path, address: str, country: str | None) -> None:
    """In two letters, whichever of the usual forms it says that in; or in none."""
    countries = Countries(file)
    assert country == countries.country_of(address)
    assert country == countries.country_of(address)


def test_a_file_may_be_exchanged_while_it_is_in_use(file: Path) -> None:
    """What was read stays until the next start, even if the file is cut short or gone."""
    countries = Countries(file)
    file.write_bytes(b"")
    assert "DE" == countries.country_of("192.0.2.1")
    file.unlink()
    assert "BR" == countries.country_of("198.51.100.1")


def test_what_is_no_database_keeps_a_server_from_starting(tmp_path: Path) -> None:
    """With a sentence that names the file."""
    for name, content in (("empty", b""), ("text", b"a country for old men" * 99)):
        (tmp_path / name).write_bytes(content)
    for name in ("empty", "text", "missing", "."):
        settings = Settings(fraud=Fraud(countries=str(tmp_path / name)))
        with pytest.raises(CountriesUnreadable, match="SCOREBOARD_FRAUD_COUNTRIES"):
            fraud_rules(settings, b"")
    assert issubclass(CountriesUnreadable, EXPLAINED)


def test_the_rules_know_countries_by_the_setting(file: Path) -> None:
    """Without it no address is anywhere."""
    with_them = fraud_rules(Settings(fraud=Fraud(countries=str(file))), b"")
    without = fraud_rules(Settings(), b"")
    assert with_them is not None
    assert without is not None
    assert ("DE", None) == (with_them.country_of("192.0.2.1"), without.country_of("192.0.2.1"))
