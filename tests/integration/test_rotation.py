"""Keys take each other's place while everybody scores: nobody who plays by the rules notices."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import httpx
import pytest

from scoreboard.security.keymaking import rotate
from tests.integration.ways import Ways
from tests.served import Player, ServedScoreboard, served, wait_for

pytestmark = pytest.mark.stores
SETTLE_S = 2


def key_of_tokens(player: Player) -> str:
    """The id of the key that signs action tokens now."""
    key: str = player.token()["nonce"].partition("-")[0]
    return key


def another_key_signs(player: Player, before: str) -> bool:
    """Whether it is not that one any more."""
    return key_of_tokens(player) != before


def test_two_rotations_under_load_refuse_nobody(tmp_path: Path) -> None:
    """Tokens, proofs, batches, client signatures and sign-ins, whichever key they were made with."""
    settle = {"SCOREBOARD_KEYS_SETTLE_S": str(SETTLE_S)}
    with served(tmp_path / "data", environ=settle) as server:
        ways = Ways(server)
        with ways.gone():
            for number in range(2):
                before = key_of_tokens(ways.player)
                for kind in ("action", "jwt", "client", "game"):
                    rotate(server.data / "keys", kind)
                wait_for(partial(another_key_signs, ways.player, before))
                ways.further()
                Player(server, f"Newcomer{number}").score(1)
            assert 3 == len(server_keys(server))
        assert [] == ways.wrong


def server_keys(server: ServedScoreboard) -> list[str]:
    """The ids of the keys that are believed of access tokens."""
    told = httpx.get(f"{server.url}/.well-known/jwks.json", trust_env=False).json()
    return [key["kid"] for key in told["keys"]]
