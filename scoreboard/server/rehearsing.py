"""Rehearses with several seeds, each in a process of its own if there are more processors than one."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from actors.fraud.world import FraudRules
from scoreboard.rehearsal.stage import Mix, play
from scoreboard.rehearsal.trace import Trace
from scoreboard.server.fraud import fraud_rules
from scoreboard.server.verbs import settings_of
from scoreboard.watch.errors import LearnerMissing
from scoreboard.watch.trees import Trees

Rehearse = Callable[[Mix], list[Trace]]


def rules_here(changes: Mapping[str, Any]) -> FraudRules | None:
    """As the settings of this machine have them, but for these fields of the policy; None if nothing is watched.

    Raises WatchError, and what `settings_of` raises.
    """
    rules = fraud_rules(settings_of(None, {"fraud.enabled": True, "limits.enabled": True}), b"rehearsal")
    return rules and replace(rules, policy=replace(rules.policy, **changes))


def rehearse(mix: Mix, changes: Mapping[str, Any]) -> list[Trace]:
    """One mix before these rules, and before a learner if there is one here. In whichever process this is called."""
    rules = rules_here(changes)
    if rules is None:
        return []
    with suppress(LearnerMissing):  # the rest is compared without it
        rules = replace(rules, learner=Trees(mix.seed))
    return play(mix, rules, lambda _hour: None)


def rehearsed(
    mixes: Sequence[Mix], changes: Mapping[str, Any], jobs: int, told: Callable[[int], None]
) -> dict[int, list[Trace]]:
    """What is left of each mix, by its seed, so many at once. `told` hears how many are done."""
    one = partial(rehearse, changes=changes)
    found: dict[int, list[Trace]] = {}
    for mix, traces in _at_once(one, mixes, min(jobs, len(mixes))):
        found[mix.seed] = traces
        told(len(found))
    return {mix.seed: found[mix.seed] for mix in mixes}


def _at_once(one: Rehearse, mixes: Sequence[Mix], jobs: int) -> Iterator[tuple[Mix, list[Trace]]]:
    if jobs <= 1:
        yield from ((mix, one(mix)) for mix in mixes)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        futures = {pool.submit(one, mix): mix for mix in mixes}
        try:
            yield from ((futures[future], future.result()) for future in as_completed(futures))
        finally:
            pool.shutdown(cancel_futures=True)
