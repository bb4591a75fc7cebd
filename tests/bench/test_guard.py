from __future__ import annotations

import pytest

from actors.actions.proof import HmacVerifier
from tests.bench import guarded_serve
from tests.bench.guarded_serve import STEPS


@pytest.mark.parametrize("step", STEPS)
def test_each_step_that_is_timed_is_there(step: str) -> None:
    """Whoever renames it hears of it here, and not when the bench runs."""
    where, called = STEPS[step]
    assert callable(getattr(where, called))


def test_what_is_left_out_must_be_there() -> None:
    """So that nothing is told to cost nothing because it is called otherwise by now."""
    with pytest.raises(AttributeError, match="has no sing"):
        guarded_serve._put(HmacVerifier, "sing", None)
