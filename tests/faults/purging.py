"""What is purged is written down before it goes, so that it can be said whether anybody still needed it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tests.faults.checker import Finding
from tests.faults.stores import StoreProcess, rows_of
from tests.faults.zone import DAY_S

#: How often each worker purges, instead of every hour.
EVERY_S = 2.0
#: A key is good for a week at least, and a spent token goes as long after it has expired; clocks that are wrong by a
#: day, one when it was written and another one when it was purged, may take away two of these days.
KEPT_S = 7 * DAY_S
DOUBT_S = 2 * 26 * 3600 + 600
#: So long after it was sent first, whatever the clocks were, an operation with a key hears its answer.
SURE_S = KEPT_S - DOUBT_S

WRITE_DOWN = """
CREATE SCHEMA faults;
CREATE TABLE faults.purged_keys (user_id uuid, idempotency_key text, score bigint, old_at timestamptz, purge integer);
CREATE TABLE faults.purged_tokens (token_hash bytea, old_at timestamptz, purge integer);
CREATE SEQUENCE faults.rounds;
CREATE FUNCTION faults.key_goes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO faults.purged_keys
    VALUES (old.user_id, old.idempotency_key, old.score, old.created_at, (SELECT last_value FROM faults.rounds));
    RETURN old;
END $$;
CREATE FUNCTION faults.token_goes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO faults.purged_tokens VALUES (old.token_hash, old.expires_at, (SELECT last_value FROM faults.rounds));
    RETURN old;
END $$;
CREATE TRIGGER written_down BEFORE DELETE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION faults.key_goes();
CREATE TRIGGER written_down BEFORE DELETE ON action_tokens FOR EACH ROW EXECUTE FUNCTION faults.token_goes();
"""
PURGED = """
SELECT 'key', count(*), to_us(max(old_at)) FROM faults.purged_keys WHERE purge = (SELECT last_value FROM faults.rounds)
UNION ALL
SELECT 'token', count(*), to_us(max(old_at)) FROM faults.purged_tokens
WHERE purge = (SELECT last_value FROM faults.rounds)
"""


class Purged(NamedTuple):
    """What went in a round: keys or tokens, how many, and when the youngest was made (or a token expired)."""

    what: str
    rows: int
    youngest_us: int


async def begin_to_write_down(postgres: StoreProcess) -> None:
    """Of a database in which nothing was purged yet."""
    await rows_of(postgres, WRITE_DOWN)


async def purged_in_round(postgres: StoreProcess) -> list[Purged]:
    """Since this was asked last."""
    rows = await rows_of(postgres, PURGED)
    await rows_of(postgres, "SELECT nextval('faults.rounds')")
    return [Purged(row[0], int(row[1]), int(row[2] or 0)) for row in rows]


def too_early(purged: Sequence[Purged], now_s: float) -> Iterator[Finding]:
    """What went before its time, by a clock that is right. Pure."""
    for each in purged:
        if each.rows and each.youngest_us > (now_s - SURE_S) * 1_000_000:
            age_h = now_s / 3600 - each.youngest_us / 3_600_000_000
            yield Finding("purged", f"the youngest {each.what} of {each.rows} that went was {age_h:.1f} hours old")
