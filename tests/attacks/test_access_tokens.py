"""Access tokens that are forged, stripped, confused or swapped: none opens a door, and nothing changes by trying."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from scoreboard.security.errors import TokenInvalid
from tests.api.wire import ask
from tests.api.world import Me, World
from tests.security.rings import fresh_ring

#: Where a player's token is asked for: to look, to score, to change, to enter the live feed, to leave.
DOORS = (
    ("GET", "/api/v1/users/me"),
    ("GET", "/api/v1/users/me/sessions"),
    ("POST", "/api/actions/token"),
    ("POST", "/api/v1/live/ticket"),
    ("DELETE", "/api/v1/users/me/sessions"),
    ("POST", "/api/auth/logout"),
)
STRANGER = fresh_ring()


def encoded(part: object) -> str:
    """A part of a token."""
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Header, claims and signature."""
    header, claims, signature = token.split(".")
    padded = [json.loads(base64.urlsafe_b64decode(each + "==")) for each in (header, claims)]
    return padded[0], padded[1], signature


def by_hmac(header: dict[str, Any], claims: dict[str, Any], secret: bytes) -> str:
    """A token under a shared secret, as no library would make it from a public key."""
    text = f"{encoded(header)}.{encoded(claims)}"
    return f"{text}.{encoded(hmac.digest(secret, text.encode(), hashlib.sha256))}"


def public_pem(world: World) -> bytes:
    """What everybody can know of our key."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return world.keys.signing[0].public.public_bytes(*form)


def signed_by_us(world: World, claims: dict[str, Any], **header: Any) -> str:
    """What a bug elsewhere might make us sign."""
    key = world.keys.signing[0]
    return jwt.encode(claims, key.private, "RS256", headers={"kid": key.kid, "typ": "JWT", **header})


async def knock(world: World, method: str, path: str, token: str) -> tuple[int, str]:
    """What is said to who comes with that token."""
    answer = await ask(world.app, method, path, headers=[(b"authorization", f"Bearer {token}".encode())])
    return answer.status, answer.body.decode()


def unsigned(world: World, me: Me) -> list[str]:
    """`alg` none in every spelling, with no signature and with the old one."""
    header, claims, signature = parts_of(me.access)
    spelled = ("none", "None", "NONE", "nOnE", "", None)
    heads = [encoded({**header, "alg": name}) for name in spelled]
    return [f"{head}.{encoded(claims)}.{end}" for head in heads for end in ("", signature)]


def stripped(world: World, me: Me) -> list[str]:
    """A good token without its signature, or with less of it."""
    head, claims, signature = me.access.split(".")
    return [f"{head}.{claims}.", f"{head}.{claims}", f"{head}.{claims}.{signature[:-4]}", f"{head}..{signature}"]


def confused(world: World, me: Me) -> list[str]:
    """HMAC with what everybody knows as its secret: our public key in its forms."""
    header, claims, _ = parts_of(me.access)
    key = world.keys.signing[0]
    jwk = json.dumps(world.given.tokens.jwks()["keys"][0]).encode()
    numbers = key.public.public_numbers().n.to_bytes(256)
    known = (public_pem(world), public_pem(world).strip(), jwk, numbers, key.kid.encode(), b"")
    return [by_hmac({**header, "alg": alg}, claims, secret) for alg in ("HS256", "HS512") for secret in known]


def named_keys(world: World, me: Me) -> list[str]:
    """A `kid` that is a path, a statement or an address; under each a secret that the sender knows."""
    header, claims, _ = parts_of(me.access)
    kids: tuple[Any, ...] = (
        *("../../../../dev/null", "/dev/null", "/etc/passwd", "file:///dev/null", "jwt-1.key", "../keys/jwt-1.key"),
        *("' UNION SELECT 'x", "http://evil.example/key", "", "x" * 2000, None, 0, [header["kid"]], {"kid": 1}),
    )
    by_secret = [by_hmac({**header, "alg": "HS256", "kid": kid}, claims, b"") for kid in kids]
    stranger = STRANGER.signing[0].private
    texts = [kid for kid in kids if isinstance(kid, str)]
    return by_secret + [jwt.encode(claims, stranger, "RS256", headers={"kid": kid, "typ": "JWT"}) for kid in texts]


def brought_keys(world: World, me: Me) -> list[str]:
    """A stranger's key within the token, or an address of it, under our `kid`."""
    header, claims, _ = parts_of(me.access)
    key = STRANGER.signing[0]
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public))
    brought: tuple[dict[str, Any], ...] = ({"jwk": jwk}, {"jku": "https://evil.example/jwks.json"}, {"x5c": ["MII"]})
    named = {"kid": header["kid"], "typ": "JWT"}
    return [jwt.encode(claims, key.private, "RS256", headers={**named, **each}) for each in brought]


def critical(world: World, me: Me) -> list[str]:
    """Signed by us, with demands that we do not understand, or that would leave the claims out of the signature."""
    _, claims, _ = parts_of(me.access)
    demands: tuple[dict[str, Any], ...] = (
        {"crit": ["exp"], "exp": 4_000_000_000},
        {"crit": ["x-unknown"], "x-unknown": True},
        {"crit": []},
        {"crit": "b64"},
        {"crit": [1]},
        {"crit": ["missing"]},
    )
    return [signed_by_us(world, claims, **each) for each in demands]


def another_kind(world: World, me: Me) -> list[str]:
    """Other things that this server signs or hands out."""
    tokens = world.given.tokens
    caller = tokens.verify(me.access)
    world.live.add(("arena", "0123456789abcdef"))
    ticket = world.given.tickets.issue(caller).text
    return [me.refresh, ticket, world.keys.refresh_key.hex(), f"Bearer {me.access}", f"{me.access}.{me.access}"]


def other_claims(world: World, me: Me) -> list[str]:
    """Signed by us, for somebody else, from somebody else, or without what bounds it."""
    _, claims, _ = parts_of(me.access)
    changes: tuple[dict[str, Any], ...] = (
        *({"iss": "evil"}, {"aud": "another-api"}, {"aud": ["another-api"]}, {"jti": "x"}, {"jti": ""}),
        *({"iat": claims["iat"] + 3600}, {"exp": "4000000000"}, {"exp": 4e9}, {"permissions": "all"}),
    )
    without = [{key: value for key, value in claims.items() if key != name} for name in claims]
    made = [signed_by_us(world, {**claims, **each}) for each in changes]
    typed = [signed_by_us(world, claims, typ=typ) for typ in ("at+jwt", "logout+jwt", "jose", "")]
    return made + typed + [signed_by_us(world, each) for each in without]


ATTACKS = (unsigned, stripped, confused, named_keys, brought_keys, critical, another_kind, other_claims)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_no_forged_token_opens_a_door(attack: Callable[[World, Me], list[str]], world: World) -> None:
    """Each is refused with the same words, at every door, and nothing is written."""
    me = await world.signed_up("ada")
    await world.point(me)
    before = world.state()
    for token in attack(world, me):
        if token.isascii():
            for method, path in DOORS:
                status, told = await knock(world, method, path, token)
                assert 401 == status, (method, path, token[:120], told)
                assert "The access token is not valid." in told or "This needs an access token" in told
    assert before == world.state()
    assert 200 == (await world.get("/api/v1/users/me", token=me.access)).status_code


async def test_parts_of_two_good_tokens_make_no_third(world: World) -> None:
    """Ada's claims under Mallory's signature, and every other mixture."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    good = {ada.access, mallory.access}
    heads, claims, ends = (set(each) for each in zip(*(token.split(".") for token in good), strict=True))
    before = world.state()
    for token in {f"{head}.{body}.{end}" for head in heads for body in claims for end in ends} - good:
        assert 401 == (await world.get("/api/v1/users/me", token=token)).status_code
    assert before == world.state()


async def test_a_role_cannot_be_taken_by_changing_ones_token(world: World) -> None:
    """The claims are signed, and what a role may do follows from them alone."""
    ada, mallory = await world.signed_up("ada"), await world.signed_up("mallory")
    header, claims, signature = parts_of(mallory.access)
    before = world.state()
    for change in ({"role": "admin"}, {"permissions": ["players.moderate", "players.manage"]}, {"sub": ada.user_id}):
        token = f"{encoded(header)}.{encoded({**claims, **change})}.{signature}"
        body = {"banned": True, "reason": "because"}
        refused = await world.post(f"/api/v1/admin/users/{ada.user_id}/standing", body, token=token)
        assert 401 == refused.status_code
    assert before == world.state()


async def test_players_and_services_do_not_pass_for_each_other(world: World) -> None:
    """Their tokens have the same form and signature, and what they may do has nothing in common."""
    ada = await world.signed_up("ada")
    world.live.add(("arena", "0123456789abcdef"))
    expires_s = world.clock.now_us() // 1_000_000 + 60
    service = world.given.tokens.issue_for_service("arena", "0123456789abcdef", expires_s=expires_s)
    row = {"userId": ada.user_id, "actionId": "a", "actionType": "INCREMENT"}
    before = world.state()
    for method, path in DOORS:
        assert 403 == (await knock(world, method, path, service))[0], path
    assert 403 == (await world.post("/api/v1/scores/batch", {"scores": [row]}, token=ada.access)).status_code
    assert before == world.state()


async def test_a_token_of_before_its_session_ended_opens_nothing(world: World) -> None:
    """A logout takes back what was handed out, however long it would have been good."""
    me = await world.signed_up("ada")
    assert 200 == (await world.post("/api/auth/logout", token=me.access)).status_code
    before = world.state()
    for method, path in DOORS:
        assert 401 == (await knock(world, method, path, me.access))[0]
    refreshed = await world.post("/api/auth/refresh", {"refreshToken": me.refresh})
    assert 401 == refreshed.status_code
    assert before == world.state()


async def test_what_we_sign_for_others_is_judged_like_any_token(world: World) -> None:
    """The reason stands in the log alone: the sender learns nothing of what was wrong."""
    me = await world.signed_up("ada")
    for token in critical(world, me):
        with pytest.raises(TokenInvalid) as refused:
            world.given.tokens.verify(token)
        assert "crit" in refused.value.reason.lower() or "critical" in refused.value.reason.lower()
