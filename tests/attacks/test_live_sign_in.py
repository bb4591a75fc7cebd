"""The same forged tokens at every door of the live feed of a real server: whoever comes with one is nobody there."""

from __future__ import annotations

import pytest

from scoreboard.security.keyfolder import load_keys
from scoreboard.stores.embedded_postgres import running_url
from tests.attacks.forging import ATTACKS, Attack, Given
from tests.attacks.state import fingerprint
from tests.attacks.ways_in import BY_TICKET, BY_TOKEN
from tests.integration.test_live_feed import ticket_of
from tests.served import Player, ServedScoreboard

pytestmark = pytest.mark.stores
#: What stands in a header as it is, and in an address.
PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")


def given(server: ServedScoreboard, ada: Player) -> Given:
    """What a player knows, and more."""
    return Given(load_keys(server.data), ada.access_token, (ticket_of(ada),))


@pytest.mark.parametrize("way", BY_TOKEN)
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
def test_no_forged_token_signs_in_to_the_live_feed(
    attack: Attack, way: str, server: ServedScoreboard, ada: Player
) -> None:
    """It is refused, nobody is signed in, nothing is written; the good one it was made from still is good."""
    come, refusal = BY_TOKEN[way]
    tokens = [token for token in attack(given(server, ada)) if set(token) <= PLAIN]
    before = fingerprint(running_url(server.data))
    assert [refusal] * len(tokens) == [come(server, token) for token in tokens]
    assert before == fingerprint(running_url(server.data))
    assert "" == come(server, ada.access_token)


@pytest.mark.parametrize("way", BY_TICKET)
def test_no_forged_ticket_signs_in_to_the_live_feed(way: str, server: ServedScoreboard, ada: Player) -> None:
    """A token, a secret, another's words, a ticket cut or changed or used: none is a ticket."""
    come, refusal = BY_TICKET[way]
    good, used = ticket_of(ada), ticket_of(ada)
    assert "" == come(server, used)
    cut = [good[:-1], good[1:], good + "A", good.swapcase(), good[::-1]]
    strange = ["", "x", "null", "%00", "..%2F..%2Fkeys", "A" * 4000, "%27%20OR%201%3D1--", ada.user_id]
    wrong = [*cut, *strange, used, ada.access_token, load_keys(server.data).refresh_key.hex()]
    before = fingerprint(running_url(server.data))
    assert {refusal} == {come(server, ticket) for ticket in wrong}
    assert before == fingerprint(running_url(server.data))
    assert "" == come(server, good)


@pytest.mark.parametrize("way", BY_TOKEN)
def test_a_token_of_an_ended_session_signs_in_nowhere(way: str, server: ServedScoreboard) -> None:
    """Whatever time it would have left."""
    player = Player(server, f"Gone{list(BY_TOKEN).index(way)}")
    come, refusal = BY_TOKEN[way]
    assert "" == come(server, player.access_token)
    player.http.post("/api/auth/logout").raise_for_status()
    assert refusal == come(server, player.access_token)
