"""The watch on fraud as the settings want it, and how players and proofs are told to it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from actors.actions.messages import ProofRejected
from actors.fraud.actor import FraudActor
from actors.fraud.messages import Action, Seen
from actors.fraud.policy import OF_PACE, RULE_NAMES, Policy, Ruling, ruling
from actors.fraud.world import FraudRules, FraudWorld
from actors.runtime import ActorError, Ref
from scoreboard.server.outside import CoreHooks, CorePorts
from scoreboard.settings import Settings
from scoreboard.watch.countries import Countries
from scoreboard.watch.trees import Trees

#: What a refused proof tells of who presented it. That one is too old, or an action done already, happens to anybody.
OF_PROOFS = {
    "forged": Seen.FALSE_PROOF,
    "too_soon": Seen.TOO_SOON,
    "too_often": Seen.TOO_SOON,
    "honeypot": Seen.HONEYPOT,
}


def fraud_rules(settings: Settings, secret: bytes) -> FraudRules | None:
    """What the settings say, None if nobody is to be watched. From `secret` the marks of places are made.

    Without limits nobody's pace says anything, so what judges it is off. Raises WatchError.
    """
    given = settings.fraud
    if not given.enabled:
        return None
    found = {rule: ruling(getattr(given, rule)) for rule in RULE_NAMES}
    rulings: dict[str, Ruling] = {rule: ruled for rule, ruled in found.items() if ruled is not None}
    if not settings.limits.enabled:
        rulings = {rule: ruled for rule, ruled in rulings.items() if rule not in OF_PACE}
    policy = Policy(
        rulings,
        rapid_most=given.rapid_most,
        zone=ZoneInfo(given.zone),
        gain_per_hour=given.gain_per_hour,
        addresses_per_hour=given.addresses_per_hour,
        unusual_from=given.unusual_from,
    )
    places = Countries(Path(given.countries)).country_of if given.countries else _nowhere
    learner = Trees(secrets.randbits(32)) if given.learner else None
    marks = hashlib.blake2b(secret[:64], digest_size=32, person=b"marks of places").digest()
    return FraudRules(policy, marks, learner, places, again_s=given.again_s, restrict_s=given.restrict_s)


def _nowhere(_address: str) -> str | None:
    return None


def watch_on_fraud(
    ports: CorePorts, hooks: CoreHooks, rules: FraudRules | None, standing: Ref
) -> Callable[[], FraudActor] | None:
    """Makes the watch; None if nobody is watched."""
    if rules is None:
        return None
    world = FraudWorld(
        ports.fraud,
        standing,
        ports.ids,
        rules,
        detected=hooks.fraud_detected,
        told=hooks.fraud_told,
        lost=hooks.fraud_lost,
    )
    return partial(FraudActor, world)


def watching(fraud: Ref | None) -> Callable[[Action], None]:
    """Tells the watch, if there is one and it has room. Its mailbox counts what it has not."""
    if fraud is None:
        return lambda _action: None

    def watched(action: Action) -> None:
        with suppress(ActorError):
            fraud.tell(action)

    return watched


def of_proofs(
    watched: Callable[[Action], None], rejected: Callable[[ProofRejected], None]
) -> Callable[[ProofRejected], None]:
    """Tells the watch of refused proofs too, and `rejected` of all."""

    def heard(proof: ProofRejected) -> None:
        rejected(proof)
        seen = OF_PROOFS.get(proof.reason)
        if seen is not None:
            watched(Action(proof.user_id, proof.at_us, seen, proof.source, proof.action_type))

    return heard
