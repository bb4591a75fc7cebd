from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from actors.runtime.faults import split_fault
from tests.runtime.probes import Broken


def test_an_ordinary_error_is_a_fault() -> None:
    """Alone or in a group of its kind."""
    for error in (Broken("a"), ExceptionGroup("several", [Broken("a"), Broken("b")])):
        assert split_fault(error) == (error, None)


def test_an_interrupt_is_none() -> None:
    """It only passes through."""
    interrupt = KeyboardInterrupt()
    assert split_fault(interrupt) == (None, interrupt)


def test_a_mixed_group_is_parted() -> None:
    """Every error is in one of the two halves."""
    interrupt, broken = KeyboardInterrupt(), Broken("a")
    fault, passing = split_fault(BaseExceptionGroup("mixed", [broken, BaseExceptionGroup("inner", [interrupt])]))
    assert isinstance(fault, ExceptionGroup)
    assert isinstance(passing, BaseExceptionGroup)
    assert fault.exceptions == (broken,)
    assert passing.exceptions[0].exceptions == (interrupt,)


async def test_a_cancellation_is_no_fault(autojump_clock: MockClock) -> None:
    """Also when several tasks were cancelled at once."""
    with trio.move_on_after(1):
        with pytest.raises(BaseException) as caught:  # noqa: PT011 - a cancellation, alone or in a group
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep_forever)
                nursery.start_soon(trio.sleep_forever)
        fault, passing = split_fault(caught.value)
        assert fault is None
        assert isinstance(passing, BaseExceptionGroup)
        assert len(passing.exceptions) == 2
        raise caught.value
