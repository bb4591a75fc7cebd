"""Whether a proof shows that a player did something. Pure: the keys and the time are given."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence

from actors.actions.messages import Proof, ProofRefused
from actors.ports import UserId

#: A proof is good for so long after the time that it names, and servers' clocks may differ by so much.
PROOF_AGE_US = 60_000_000
CLOCK_SKEW_US = 5_000_000

#: Judges a signature (its text as it came) over a text that it belongs to.
Verifier = Callable[[str, str], bool]


def signed_text(action_type: str, action_id: str, user_id: UserId, timestamp: str) -> str:
    """What the game's server puts its signature under."""
    return f"{action_type}:{action_id}:{user_id}:{timestamp}"


class HmacVerifier:
    """HMAC-SHA256 in lower-case hex, with any of these keys."""

    def __init__(self, keys: Callable[[], Sequence[bytes]]) -> None:
        self._keys = keys

    def __repr__(self) -> str:
        return f"<HmacVerifier, {len(self._keys())} keys>"

    def __call__(self, text: str, signature: str) -> bool:
        """Whether one of the keys made it. Anything may stand in both texts."""
        presented = signature.encode("utf-8", "replace")
        macs = [hmac.new(key, text.encode("utf-8", "replace"), "sha256").hexdigest() for key in self._keys()]
        matches = [hmac.compare_digest(mac.encode(), presented) for mac in macs]
        return any(matches)


def judge(
    verifiers: Mapping[str, Verifier], verifier: str, text: str, proof: Proof, *, now_us: int
) -> ProofRefused | None:
    """Why the proof is none, None if it is good. The signature is looked at first: only what is signed has an age."""
    verify = verifiers.get(verifier)
    if verify is None or not verify(text, proof.signature):
        return ProofRefused("The proof was not made by the game's server for this action.", reason="forged")
    if proof.moment_us > now_us + CLOCK_SKEW_US:
        return ProofRefused("The proof lies in the future.", reason="future")
    if now_us - proof.moment_us > PROOF_AGE_US:
        return ProofRefused("The proof is older than a minute.", reason="expired")
    return None
