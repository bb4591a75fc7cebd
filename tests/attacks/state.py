"""All that a database holds, in a few words, to see that an attack has changed nothing."""

from __future__ import annotations

import subprocess

from scoreboard.stores.embedded_postgres import binary

#: What an attack is meant to leave behind: the audit of what was refused, with its seals.
GROWS = frozenset({"audit_events", "audit_batches", "audit_chains"})
#: A statement for each table, which `psql` runs in its turn: its name, and a digest of its rows whatever their order.
DIGESTS = r"""
SELECT format('SELECT %L, count(*), md5(string_agg(md5(t::text), '','' ORDER BY md5(t::text))) FROM %s t',
              relname, oid::regclass)
FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
ORDER BY relname \gexec
"""


def sql(postgres_url: str, statement: str) -> str:
    """What `psql` prints for it: a row a line, columns between bars."""
    command = [str(binary("psql")), postgres_url, "-qAtX", "--set=ON_ERROR_STOP=1"]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30, input=statement).stdout


def fingerprint(postgres_url: str) -> dict[str, str]:
    """Each table's number of rows and their digest, but for what `GROWS`."""
    tables = (line.partition("|") for line in sql(postgres_url, DIGESTS).splitlines())
    return {name: rows for name, _, rows in tables if name not in GROWS}
