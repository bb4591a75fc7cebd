"""Whether a proof shows that a player did something. Pure: the keys and the time are given."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence

from actors.actions.messages import Proof, ProofRefused
from actors.ports import CLOCK_SKEW_US, ActionKind, UserId, key_id

#: A proof is good for so long after the time that it names.
PROOF_AGE_US = 60_000_000

#: Given the name of a key, a text, and a signature as it came: the id of the key that made it, None if none did.
Verifier = Callable[[str, str, str], str | None]
#: The keys that stand under a name now.
KeysOf = Callable[[str], Sequence[bytes]]


def signed_text(action_type: str, action_id: str, user_id: UserId, timestamp: str) -> str:
    """What the game's server puts its signature under."""
    return f"{action_type}:{action_id}:{user_id}:{timestamp}"


class HmacVerifier:
    """HMAC-SHA256 in lower-case hex, with any of the keys of that name."""

    def __init__(self, keys: KeysOf) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return "<HmacVerifier>"

    def __call__(self, name: str, text: str, signature: str) -> str | None:
        """See `Verifier`. Anything may stand in both texts."""
        presented = signature.encode("utf-8", "replace")
        signed = text.encode("utf-8", "replace")
        found = None
        for key in self._keys(name):
            if hmac.compare_digest(hmac.new(key, signed, "sha256").hexdigest().encode(), presented):
                found = key_id(key)
        return found


def judge(
    verifiers: Mapping[str, Verifier], kind: ActionKind, text: str, proof: Proof, *, now_us: int
) -> ProofRefused | str:
    """The id of the key that the proof was made with, or why it is none.

    The signature is looked at first: only what is signed has an age.
    """
    verify = verifiers.get(kind.verifier)
    made_with = None if verify is None else verify(kind.key, text, proof.signature)
    if made_with is None:
        return ProofRefused("The proof was not made by the game's server for this action.", reason="forged")
    if proof.moment_us > now_us + CLOCK_SKEW_US:
        return ProofRefused("The proof lies in the future.", reason="future")
    if now_us - proof.moment_us > PROOF_AGE_US:
        return ProofRefused("The proof is older than a minute.", reason="expired")
    return made_with
