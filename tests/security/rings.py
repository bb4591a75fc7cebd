"""Keys for tests."""

from __future__ import annotations

import secrets

from scoreboard.security.keys import GAME, SECRET_BYTES, KeyRing, new_rsa_pem, parse_rsa


def fresh_ring() -> KeyRing:
    """One that lies nowhere on disk."""
    action, refresh, game, client, master = (secrets.token_bytes(SECRET_BYTES) for _ in range(5))
    signing = (parse_rsa(new_rsa_pem(), "a fresh key"),)
    return KeyRing(signing, (action,), refresh, {GAME: (game,)}, (client,), master_keys=(master,))
