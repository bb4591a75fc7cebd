"""What an operator hears of a certificate that clients refuse."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scoreboard.door.tls import Tls, TlsFiles
from scoreboard.door.validity import Validity
from tests.certificates import authority, write_certificate

DAY_S = 86_400.0


@pytest.mark.parametrize(
    ("now_days", "trouble"),
    [
        (-1.5, "it is not valid yet, for 36.0 hours: clients refuse it; is the clock right?"),
        (0, None),
        (80.9, None),
        (81.1, "it ends in 8.9 days: renew it"),
        (89.5, "it ends in 12.0 hours: renew it"),
        (90, "it has ended 0.0 hours ago: clients refuse it, renew it"),
        (95, "it has ended 5.0 days ago: clients refuse it, renew it"),
    ],
)
def test_a_certificate_that_clients_refuse_now_or_soon_is_told_with_how_long(now_days: float, trouble: str) -> None:
    """Soon is the last tenth of its time, so that one that lives a day is not complained of from the beginning."""
    assert trouble == Validity(0, 90 * DAY_S).trouble(now_days * DAY_S)


def test_the_time_is_that_of_the_servers_own_certificate_and_of_the_one_that_took_its_place(tmp_path: Path) -> None:
    """Behind it in the file stand those that vouch for it, which live longer."""
    files, now_s = TlsFiles(*write_certificate(tmp_path)), datetime.now(UTC).timestamp()
    tls = Tls(files)
    assert tls.trouble(now_s) is None
    ended = authority().issue_cert("localhost", not_after=datetime(2020, 2, 3, tzinfo=UTC))
    files.private_key.write_bytes(ended.private_key_pem.bytes())
    chain = [*ended.cert_chain_pems, authority().cert_pem]
    files.certificate.write_bytes(b"".join(blob.bytes() for blob in chain))
    assert tls.refresh()
    assert (tls.trouble(now_s) or "").startswith(f"{files.certificate}: it has ended ")


def test_nothing_is_said_of_what_cannot_be_read(tmp_path: Path) -> None:
    """Whether it can be used, OpenSSL says."""
    assert Validity.of(tmp_path / "none").trouble(0) is None
