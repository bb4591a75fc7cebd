"""What a token was found to be good for."""

from __future__ import annotations

from typing import NamedTuple


class Right(NamedTuple):
    """What a good token is good for: so many points under a name that counts once and is kept until `expires_us`.

    `action_id` is what the action is called in the ledger: of a token that stands for no action of its own, its nonce.
    """

    points: int
    action_type: str
    name: bytes
    expires_us: int
    occurred_us: int
    action_id: str
