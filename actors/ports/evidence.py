"""What is kept of proofs, and what earlier ones say of a new one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from actors.ports.ids import UserId
from actors.ports.source import Source

#: So many earlier actions of a player are told at most, the latest ones.
MOST_EARLIER = 1000


class Evidence(NamedTuple):
    """A proof that holds: who did what, what it is worth, who says so and under which key, and who brought it.

    `name` is what the action counts under (`ScoreWrite.token_hash`). `moment_us` is when it was done: the `timestamp`
    as it was signed.
    """

    name: bytes
    user_id: UserId
    action_type: str
    action_id: str
    points: int
    verifier: str
    key: str
    key_id: str
    timestamp: str
    signature: str
    moment_us: int
    source: Source


class Earlier(NamedTuple):
    """What the ledger and the evidence say: whether the action has `counted`, and when the player did others.

    `kept_as`: the type of action as which one of this id was granted to the player before: the same one after a lost
    answer; it is never kept as another. `moments_us` are of actions of the same type
    whose proofs were granted, the latest first, after the moment that was asked for; none if none was.
    """

    counted: bool = False
    kept_as: str | None = None
    moments_us: Sequence[int] = ()


#: Which of the proofs are granted, in their order. Pure; it hears of each what was earlier. It is asked again where
#: another server has kept some of them meanwhile, and what it says last counts.
Grant = Callable[[Sequence[Earlier]], Sequence[bool]]


class EvidenceStore(Protocol):
    """Keeps proofs for ever. Where pace counts no two of one player are judged at once, on any server."""

    async def settle(self, proofs: Sequence[Evidence], since_us: Sequence[int | None], grant: Grant) -> None:
        """Ask `grant`, and keep what it grants, all of it or nothing; again changes nothing.

        `since_us`: from when on earlier actions of each are asked for; None where they do not count.

        Raises:
            StoreError: nothing may be handed out; what was granted may have been kept, which is harmless.
        """
        ...
