from __future__ import annotations

import base64
import json
from dataclasses import replace
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.security.errors import TokenExpired, TokenInvalid, TokenRefused, TokenRevoked, WrongKind
from scoreboard.security.keys import KeyRing
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.tokens import REQUIRED, AccessTokens, Caller
from tests.security.rings import fresh_ring

RING = fresh_ring()  # making one takes a tenth of a second
START_S = 1_700_000_000
DAY_S = 86_400


class Clock:
    """A time of day that is set by hand."""

    def __init__(self) -> None:
        self.now_s = START_S

    def now_us(self) -> int:
        """As the port has it."""
        return self.now_s * 1_000_000


class Bench:
    """A tokens object with its clock and its revoked sessions at hand."""

    def __init__(self, ring: KeyRing = RING, remember: int = 3) -> None:
        self.clock, self.ring = Clock(), ring
        self.revoked = RevokedSessions(keep_s=DAY_S, now_us=self.clock.now_us)
        self.tokens = AccessTokens(
            lambda: self.ring,
            self.revoked,
            issuer="scoreboard-api",
            audience="scoreboard-client",
            lifetime_s=DAY_S,
            now_us=self.clock.now_us,
            services={("arena", "0" * 16)},
            remember=remember,
        )

    def issue(self, session_id: str = "session-1") -> str:
        """A token for one player."""
        return self.tokens.issue(user_id="u1", username="Zoë", role="user", session_id=session_id)


@pytest.fixture
def bench() -> Bench:
    """A fresh one for each test."""
    return Bench()


def forged(headers: dict[str, Any] | None = None, key: KeyRing = RING, **claims: object) -> str:
    """A token signed with a key of ours (or not), with some claims replaced; None takes one away."""
    good = jwt.decode(Bench().issue(), options={"verify_signature": False})
    changed = {name: value for name, value in {**good, **claims}.items() if value is not None}
    header = {"kid": RING.signing[0].kid, "typ": "JWT", **(headers or {})}
    return jwt.encode(changed, key.signing[0].private, algorithm="RS256", headers=header)


def by_hand(header: object, payload: object = None, signature: bytes = b"x") -> str:
    """Three parts, whatever is in them."""
    parts = (json.dumps(header).encode(), json.dumps(payload or {}).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_a_token_tells_who_it_speaks_for(bench: Bench) -> None:
    """What was issued comes back."""
    assert Caller(
        user_id="u1",
        username="Zoë",
        role="user",
        permissions=("score.update", "leaderboard.view"),
        session_id="session-1",
        expires_s=START_S + DAY_S,
    ) == bench.tokens.verify(bench.issue())


def test_a_token_carries_the_claims_of_both_documents(bench: Bench) -> None:
    """All of A's and B's, except the e-mail address; the header names key and type."""
    token = bench.issue()
    claims = jwt.decode(token, options={"verify_signature": False})
    assert {"alg": "RS256", "typ": "JWT", "kid": RING.signing[0].kid} == jwt.get_unverified_header(token)
    assert claims.pop("jti").startswith("session-1.")
    assert {
        "sub": "u1",
        "username": "Zoë",
        "role": "user",
        "permissions": ["score.update", "leaderboard.view"],
        "iat": START_S,
        "exp": START_S + DAY_S,
        "iss": "scoreboard-api",
        "aud": "scoreboard-client",
    } == claims


def test_another_party_verifies_with_the_published_keys(bench: Bench) -> None:
    """The JWKS is enough for a stranger, and holds nothing private."""
    token = bench.issue()
    published = bench.tokens.jwks()
    key = jwt.PyJWKSet.from_dict(published)[jwt.get_unverified_header(token)["kid"]]
    options: Any = {"verify_exp": False}
    assert "u1" == jwt.decode(token, key, algorithms=["RS256"], audience="scoreboard-client", options=options)["sub"]
    assert [{"kty", "n", "e", "kid", "use", "alg"}] == [set(key) for key in published["keys"]]


def test_two_tokens_of_a_session_differ(bench: Bench) -> None:
    """`jti` names one token."""
    assert bench.issue() != bench.issue()


def test_a_token_expires_even_when_it_is_remembered(bench: Bench) -> None:
    """It is good in the last second and no longer at its end."""
    token = bench.issue()
    bench.clock.now_s += DAY_S - 1
    bench.tokens.verify(token)
    bench.clock.now_s += 1
    for _ in range(2):
        with pytest.raises(TokenExpired):
            bench.tokens.verify(token)


def test_a_revoked_session_is_refused_at_once(bench: Bench) -> None:
    """Also for a token that has just been verified; other sessions of the player go on."""
    token, other = bench.issue("session-1"), bench.issue("session-2")
    bench.tokens.verify(token)
    bench.revoked.add("session-1")
    with pytest.raises(TokenRevoked):
        bench.tokens.verify(token)
    assert "session-2" == bench.tokens.verify(other).session_id


def test_a_sign_in_is_good_until_its_token_ends_or_its_session_does(bench: Bench) -> None:
    """To the second, as the live feed asks of connections that have shown their token long ago."""
    bench.tokens.require_good("session-1", START_S + 1)
    bench.clock.now_s += 1
    for expires_s in (START_S, START_S + 1):
        with pytest.raises(TokenExpired):
            bench.tokens.require_good("session-1", expires_s)
    bench.revoked.add("session-1")
    bench.tokens.require_good("session-2", START_S + 2)
    with pytest.raises(TokenRevoked):
        bench.tokens.require_good("session-1", START_S + 2)


def test_a_signature_is_computed_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second use of a token needs no cryptography."""
    token = bench.issue()
    bench.tokens.verify(token)
    monkeypatch.setattr(bench.tokens, "_decode", None)
    assert "u1" == bench.tokens.verify(token).user_id


def test_only_so_many_tokens_are_remembered(bench: Bench) -> None:
    """The one that was not used for longest is forgotten first."""
    first, *others = [bench.issue() for _ in range(3)]
    for token in (first, *others, first, bench.issue()):
        bench.tokens.verify(token)
    assert 3 == len(bench.tokens._verified)
    assert first in bench.tokens._verified
    assert others[0] not in bench.tokens._verified


def test_a_token_of_the_key_before_is_still_believed() -> None:
    """Rotation signs nobody out, and needs no new start."""
    newer, bench = fresh_ring(), Bench()
    old_token = bench.issue()
    bench.ring = replace(RING, signing=(*newer.signing, *RING.signing))
    assert "u1" == bench.tokens.verify(old_token).user_id
    assert newer.signing[0].kid == jwt.get_unverified_header(bench.issue())["kid"]
    assert [newer.signing[0].kid, KID] == [key["kid"] for key in bench.tokens.jwks()["keys"]]


def test_a_key_that_was_rotated_out_is_believed_of_services_only() -> None:
    """What it signed for players has expired; a service's token lives as long as its file, whatever signed it."""
    newer, bench = fresh_ring(), Bench()
    player, service = bench.issue(), bench.tokens.issue_for_service("arena", "0" * 16, expires_s=START_S + 10)
    bench.tokens.verify(player)
    bench.ring = replace(newer, rotated_signing=RING.signing)
    with pytest.raises(TokenExpired):
        bench.tokens.verify(player)
    assert "arena" == bench.tokens.verify_service(service).username
    assert [newer.signing[0].kid] == [key["kid"] for key in bench.tokens.jwks()["keys"]]


def test_a_service_is_no_player_and_a_player_no_service(bench: Bench) -> None:
    """Each token opens its own door, also when it was verified there before."""
    player = bench.issue()
    service = bench.tokens.issue_for_service("arena", "0" * 16, expires_s=START_S + 60)
    for _ in range(2):
        with pytest.raises(WrongKind, match="token of a service"):
            bench.tokens.verify(service)
        with pytest.raises(WrongKind, match="a player's token"):
            bench.tokens.verify_service(player)
        assert ("arena", "u1") == (bench.tokens.verify_service(service).username, bench.tokens.verify(player).user_id)


def test_a_key_that_was_retired_is_believed_of_nobody() -> None:
    """Not even what was verified before."""
    newer, bench = fresh_ring(), Bench()
    player, service = bench.issue(), bench.tokens.issue_for_service("arena", "0" * 16, expires_s=START_S + 10)
    bench.tokens.verify(player)
    bench.tokens.verify_service(service)
    bench.ring = newer
    with pytest.raises(TokenInvalid):
        bench.tokens.verify(player)
    with pytest.raises(TokenInvalid):
        bench.tokens.verify_service(service)


KID = RING.signing[0].kid
DEEP = base64.urlsafe_b64encode(b"[" * 2900).decode().rstrip("=")
LONG_NUMBER = base64.urlsafe_b64encode(b'{"alg":' + b"9" * 2800 + b"}").decode().rstrip("=")


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="empty"),
        pytest.param("a.b", id="two parts"),
        pytest.param("é.ü.ß", id="not ascii"),
        pytest.param("\ud800.a.b", id="half a surrogate pair"),
        pytest.param("a" * 5000, id="too long"),
        pytest.param(f"{DEEP}.e30.x", id="deeply nested header"),
        pytest.param(f"{LONG_NUMBER}.e30.x", id="endless number in the header"),
        pytest.param(by_hand({"alg": "none", "typ": "JWT", "kid": KID}, signature=b""), id="alg none"),
        pytest.param(by_hand({"alg": "HS256", "typ": "JWT", "kid": KID}), id="alg HS256"),
        pytest.param(by_hand({"alg": ["RS256"], "typ": "JWT", "kid": KID}), id="alg a list"),
        pytest.param(by_hand({"alg": "RS256", "typ": "JWT", "kid": {"a": 1}}), id="kid an object"),
        pytest.param(by_hand({"alg": "RS256", "typ": "JWT", "kid": KID, "crit": ["x"], "x": 1}), id="crit"),
        pytest.param(by_hand({"alg": "RS256", "typ": "JWT", "kid": KID, "b64": False}), id="b64"),
        pytest.param(by_hand([1, 2]), id="header a list"),
        pytest.param(forged({"kid": "../../etc/passwd"}), id="unknown kid"),
        pytest.param(forged({"typ": "at+jwt"}), id="another type"),
        pytest.param(forged({"typ": None}), id="no type"),
        pytest.param(forged(key=fresh_ring()), id="a stranger's key under our kid"),
        pytest.param(forged(iss="somebody"), id="another issuer"),
        pytest.param(forged(aud="somebody"), id="another audience"),
        pytest.param(forged(jti="without a session"), id="jti without a session"),
        pytest.param(forged(exp=4e9), id="exp not whole"),
        pytest.param(forged(exp="4000000000"), id="exp a text"),
        pytest.param(forged(permissions="all"), id="permissions a text"),
        pytest.param(forged(iat=START_S + 61), id="issued in the future"),
        *(pytest.param(forged(None, RING, **{name: None}), id=f"no {name}") for name in REQUIRED),
    ],
)
def test_a_forged_or_broken_token_is_invalid(bench: Bench, token: str) -> None:
    """Whatever is wrong with it, it is one typed refusal that tells the sender nothing."""
    with pytest.raises(TokenInvalid) as refused:
        bench.tokens.verify(token)
    assert "The access token is not valid" == str(refused.value)
    assert refused.value.reason


def test_a_changed_letter_anywhere_is_noticed(bench: Bench) -> None:
    """Header, claims and signature all count."""
    token = bench.issue()
    for place in range(0, len(token) - 1, 7):
        other = "A" if token[place] != "A" else "B"
        with pytest.raises(TokenInvalid):
            bench.tokens.verify(token[:place] + other + token[place + 1 :])


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode() + ".e30.eA"))
def test_any_text_is_refused_and_never_fails(text: str) -> None:
    """No input of a stranger is anything but a refusal."""
    with pytest.raises(TokenRefused):
        Bench().tokens.verify(text)


def test_revoked_sessions_are_forgotten_when_no_token_can_be_left() -> None:
    """The set does not grow for ever, and adding twice keeps it from the later time on."""
    clock = Clock()
    revoked = RevokedSessions(keep_s=10, now_us=clock.now_us, steady_s=lambda: float(clock.now_s))
    revoked.add("a")
    revoked.add("b")
    clock.now_s += 5
    revoked.add("a")
    clock.now_s += 5
    revoked.add("c")
    assert [True, False, True] == [session in revoked for session in "abc"]
    assert "<RevokedSessions 2>" == repr(revoked)


def test_a_clock_that_was_ahead_for_a_while_brings_no_session_back() -> None:
    """Its tokens seem to have expired meanwhile, and are in time again when the clock has been put right."""
    bench = Bench()
    token = bench.issue()
    bench.revoked.add(bench.tokens.verify(token).session_id)
    bench.clock.now_s += 2 * DAY_S
    bench.revoked.add("another")
    bench.clock.now_s -= 2 * DAY_S
    with pytest.raises(TokenRevoked):
        bench.tokens.verify(token)


def test_a_clock_that_is_set_back_lets_no_ended_session_outlive_its_tokens() -> None:
    """As much as that is set back they live longer."""
    clock, steady_s = Clock(), [0.0]
    revoked = RevokedSessions(keep_s=10, now_us=clock.now_us, steady_s=lambda: steady_s[0])
    revoked.add("a")
    clock.now_s -= 5
    steady_s[0] += 12
    clock.now_s += 12
    revoked.add("b")
    assert "a" in revoked
