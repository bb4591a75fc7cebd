"""The pure judgement of rows."""

from __future__ import annotations

from actors.ports import NEVER_US
from actors.service.messages import ScoreRow
from actors.service.rows import write_of
from tests.ledger.office import NOWHERE


def test_no_two_things_that_were_done_have_the_same_name() -> None:
    """Neither by shifting letters between service and action, nor by another player or type; and none is forgotten."""
    rows = [("a", ScoreRow("x", "bc")), ("ab", ScoreRow("x", "c"))]
    rows += [("a", ScoreRow("y", "bc")), ("a", ScoreRow("x", "bc", "WIN"))]
    writes = [write_of(service, row, 1, NOWHERE, 0) for service, row in rows]
    assert 4 == len({write.operation_id for write in writes})
    assert [True, False, True, True] == [write.token_hash == writes[0].token_hash for write in writes]
    assert {NEVER_US} == {write.token_expires_us for write in writes}
