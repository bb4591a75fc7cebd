"""What shows that nothing has changed would show it if something had."""

from __future__ import annotations

import pytest

from tests.attacks.state import GROWS, fingerprint, sql

pytestmark = pytest.mark.stores


def test_each_change_of_a_table_shows(postgres_url: str) -> None:
    """In that table and in no other; the audit is meant to grow."""
    before = fingerprint(postgres_url)
    assert {"users", "sessions", "refresh_tokens", "score_updates", "action_tokens"} <= before.keys()
    assert not GROWS & before.keys()
    sql(postgres_url, "INSERT INTO announcements (kind, about) VALUES ('session', gen_random_uuid())")
    inserted = fingerprint(postgres_url)
    sql(postgres_url, "UPDATE announcements SET kind = 'another'")
    updated = fingerprint(postgres_url)
    for one, other in ((before, inserted), (inserted, updated)):
        assert ["announcements"] == [name for name in one if one[name] != other[name]]
    sql(postgres_url, "UPDATE announcements SET kind = 'another'")
    assert updated == fingerprint(postgres_url)
