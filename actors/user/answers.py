"""What a player was answered last, under which key: a quick retry hears the same and costs no look-up."""

from __future__ import annotations

import hashlib
from collections import OrderedDict

from actors.ledger.messages import Receipt
from actors.user import updates
from actors.user.messages import Increment, ScoreAnswer, Update, UpdateAnswer
from actors.user.refusals import KeyReused

#: How many of a player's last answers stay in memory.
REMEMBERED = 16

#: What may count, in either document's form.
Wish = Increment | Update
Answer = ScoreAnswer | UpdateAnswer


class Answers:
    """The last `REMEMBERED` answers to wishes that came with a key."""

    __slots__ = ("_by_key",)

    def __init__(self) -> None:
        self._by_key: OrderedDict[str, tuple[bytes, Answer]] = OrderedDict()

    def __repr__(self) -> str:
        return f"<Answers to {len(self._by_key)} keys>"

    def find(self, key: str | None, request_hash: bytes) -> Answer | None:
        """What this key was answered with, as to a retry; None if that is not remembered.

        Raises:
            KeyReused: it came with another request.
        """
        if key is None or key not in self._by_key:
            return None
        known_hash, answer = self._by_key[key]
        if known_hash != request_hash:
            raise key_reused()
        return answer

    def tell(self, wish: Wish, request_hash: bytes, receipt: Receipt) -> Answer:
        """The answer to a wish that the ledger has made durable, remembered if it came with a key."""
        tell = _tell_update if isinstance(wish, Update) else _tell
        if wish.idempotency_key is not None:
            self._by_key[wish.idempotency_key] = (request_hash, tell(receipt, repeated=True))
            if len(self._by_key) > REMEMBERED:
                self._by_key.popitem(last=False)
        return tell(receipt, repeated=receipt.repeated)


def hash_of(wish: Wish) -> bytes:
    """What makes two wishes the same request: of an increment the token, signature included."""
    if isinstance(wish, Update):
        return updates.hash_of(wish)
    return hashlib.sha256(f"increment:{wish.token.signed_text}:{wish.token.signature}".encode()).digest()


def key_reused() -> KeyReused:
    """The refusal of a key that came before with another request."""
    return KeyReused("This Idempotency-Key came before with another request. Use a new key for a new action.")


def _tell(receipt: Receipt, *, repeated: bool) -> ScoreAnswer:
    return ScoreAnswer(receipt.fact.score, receipt.previous_rank, receipt.new_rank, repeated)


def _tell_update(receipt: Receipt, *, repeated: bool) -> UpdateAnswer:
    ranks = (receipt.previous_rank, receipt.new_rank)
    return UpdateAnswer(receipt.fact.score, receipt.points, *ranks, receipt.fact.reached_us, repeated)
