"""Scores from before there were seals, and what is said of them."""

from __future__ import annotations

import pytest

from scoreboard.stores.seals import verify
from tests.stores.test_seals import INSERT
from tests.stores.vault import Vault

pytestmark = pytest.mark.stores

SAY_MORE = "UPDATE audit_unsealed SET until_at = (SELECT max(created_at) FROM score_updates), rows = 1, points = 9"
SAY_IT = (
    "SELECT seal(gen_random_uuid(), 'unsealed', ARRAY[gen_random_uuid()], ARRAY[until_at], unsealed_digest(u))"
    " FROM audit_unsealed u"
)
ONCE_MORE = "INSERT INTO audit_unsealed SELECT * FROM audit_unsealed"


async def test_scores_from_before_the_seals_are_counted(vault: Vault) -> None:
    """They stand by themselves; if one of them goes, the count is not what it was."""
    await vault.sql(SAY_MORE)
    await vault.sql("DELETE FROM audit_batches b USING audit_chains c WHERE b.chain = c.chain AND c.kind = 'unsealed'")
    await vault.sql("DELETE FROM audit_chains WHERE kind = 'unsealed'")
    await vault.sql(SAY_IT)
    await vault.sql(INSERT.format("gen_random_uuid(), (SELECT min(created_at) FROM score_updates)"))
    verdict = await verify(vault.stores.database)
    assert ([], 1) == (verdict.findings, verdict.older)
    await vault.sql("DELETE FROM score_updates WHERE action_type = 'X'")
    [finding] = await vault.found()
    assert "1 scores of 9 points; now 0 of 0" in finding.says


@pytest.mark.parametrize("also", [None, SAY_IT, ONCE_MORE])
async def test_nobody_hides_a_row_by_what_is_said_of_before_the_seals(vault: Vault, also: str | None) -> None:
    """Neither by other words, nor by a seal for these beside the first, nor by more than one."""
    await vault.sql(INSERT.format("gen_random_uuid(), (SELECT min(created_at) FROM score_updates)"))
    assert {("added", "score_updates")} == await vault.whats()
    await vault.sql(SAY_MORE)
    if also is not None:
        await vault.sql(also)
    assert {("changed", "audit_unsealed")} == await vault.whats()


async def test_that_nothing_is_said_of_before_the_seals_is_found(vault: Vault) -> None:
    """Then nothing is older than they are."""
    await vault.sql("DELETE FROM audit_unsealed")
    assert {("changed", "audit_unsealed")} == await vault.whats()
