"""Makes access tokens that are forged, stripped, confused or swapped, of what somebody who is signed in knows."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization

from scoreboard.security.keys import KeyRing
from tests.security.rings import fresh_ring

STRANGER = fresh_ring()
#: Makes tokens of one sort.
Attack = Callable[["Given"], list[str]]


@dataclass(frozen=True)
class Given:
    """What there is to begin with: the server's keys, a good token, and `others`, which are good for something else."""

    keys: KeyRing
    access: str
    others: tuple[str, ...]


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


def public_pem(given: Given) -> bytes:
    """What everybody can know of our key."""
    form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return given.keys.signing[0].public.public_bytes(*form)


def signed_by_us(given: Given, claims: dict[str, Any], **header: Any) -> str:
    """What a bug elsewhere might make us sign."""
    key = given.keys.signing[0]
    return jwt.encode(claims, key.private, "RS256", headers={"kid": key.kid, "typ": "JWT", **header})


def unsigned(given: Given) -> list[str]:
    """`alg` none in every spelling, with no signature and with the old one."""
    header, claims, signature = parts_of(given.access)
    spelled = ("none", "None", "NONE", "nOnE", "", None)
    heads = [encoded({**header, "alg": name}) for name in spelled]
    return [f"{head}.{encoded(claims)}.{end}" for head in heads for end in ("", signature)]


def stripped(given: Given) -> list[str]:
    """A good token without its signature, or with less of it."""
    head, claims, signature = given.access.split(".")
    return [f"{head}.{claims}.", f"{head}.{claims}", f"{head}.{claims}.{signature[:-4]}", f"{head}..{signature}"]


def confused(given: Given) -> list[str]:
    """HMAC with what everybody knows as its secret: our public key in its forms."""
    header, claims, _ = parts_of(given.access)
    key = given.keys.signing[0]
    jwk = json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(key.public, as_dict=True)).encode()
    numbers = key.public.public_numbers().n.to_bytes(256)
    known = (public_pem(given), public_pem(given).strip(), jwk, numbers, key.kid.encode(), b"")
    return [by_hmac({**header, "alg": alg}, claims, secret) for alg in ("HS256", "HS512") for secret in known]


def named_keys(given: Given) -> list[str]:
    """A `kid` that is a path, a statement or an address; under each a secret that the sender knows."""
    header, claims, _ = parts_of(given.access)
    kids: tuple[Any, ...] = (
        *("../../../../dev/null", "/dev/null", "/etc/passwd", "file:///dev/null", "jwt-1.key", "../keys/jwt-1.key"),
        *("' UNION SELECT 'x", "http://evil.example/key", "", "x" * 2000, None, 0, [header["kid"]], {"kid": 1}),
    )
    by_secret = [by_hmac({**header, "alg": "HS256", "kid": kid}, claims, b"") for kid in kids]
    stranger = STRANGER.signing[0].private
    texts = [kid for kid in kids if isinstance(kid, str)]
    return by_secret + [jwt.encode(claims, stranger, "RS256", headers={"kid": kid, "typ": "JWT"}) for kid in texts]


def brought_keys(given: Given) -> list[str]:
    """A stranger's key within the token, or an address of it, under our `kid`."""
    header, claims, _ = parts_of(given.access)
    key = STRANGER.signing[0]
    jwk = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public))
    brought: tuple[dict[str, Any], ...] = ({"jwk": jwk}, {"jku": "https://evil.example/jwks.json"}, {"x5c": ["MII"]})
    named = {"kid": header["kid"], "typ": "JWT"}
    return [jwt.encode(claims, key.private, "RS256", headers={**named, **each}) for each in brought]


def critical(given: Given) -> list[str]:
    """Signed by us, with demands that we do not understand, or that would leave the claims out of the signature."""
    _, claims, _ = parts_of(given.access)
    demands: tuple[dict[str, Any], ...] = (
        {"crit": ["exp"], "exp": 4_000_000_000},
        {"crit": ["x-unknown"], "x-unknown": True},
        {"crit": []},
        {"crit": "b64"},
        {"crit": [1]},
        {"crit": ["missing"]},
    )
    return [signed_by_us(given, claims, **each) for each in demands]


def another_kind(given: Given) -> list[str]:
    """Other things that this server signs or hands out."""
    secret = given.keys.refresh_key.hex()
    return [*given.others, secret, f"Bearer {given.access}", f"{given.access}.{given.access}"]


def other_claims(given: Given) -> list[str]:
    """Signed by us, for somebody else, from somebody else, or without what bounds it."""
    _, claims, _ = parts_of(given.access)
    changes: tuple[dict[str, Any], ...] = (
        *({"iss": "evil"}, {"aud": "another-api"}, {"aud": ["another-api"]}, {"jti": "x"}, {"jti": ""}),
        *({"iat": claims["iat"] + 3600}, {"exp": "4000000000"}, {"exp": 4e9}, {"permissions": "all"}),
    )
    without = [{key: value for key, value in claims.items() if key != name} for name in claims]
    made = [signed_by_us(given, {**claims, **each}) for each in changes]
    typed = [signed_by_us(given, claims, typ=typ) for typ in ("at+jwt", "logout+jwt", "jose", "")]
    return made + typed + [signed_by_us(given, each) for each in without]


ATTACKS = (unsigned, stripped, confused, named_keys, brought_keys, critical, another_kind, other_claims)
