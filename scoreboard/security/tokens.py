"""Access tokens: signed with RS256, readable by anybody with the public keys, and refused at once when revoked."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from scoreboard.security.errors import TokenExpired, TokenInvalid, TokenRevoked, WrongKind
from scoreboard.security.keys import KeyRing, public_jwk
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.roles import SEND_BATCHES, SERVICE_ROLE, permissions_of
from scoreboard.security.rotation import CLOCK_SKEW_S

ALGORITHM = "RS256"
TYPE = "JWT"
LONGEST_TOKEN = 4096
REQUIRED = ("sub", "username", "role", "permissions", "iat", "exp", "jti", "iss", "aud")
# exp and iat are compared with our own clock, which PyJWT cannot be given.
_OPTIONS: Any = {"require": list(REQUIRED), "verify_exp": False, "verify_iat": False, "verify_nbf": False}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a verified token speaks for, until when (seconds since the epoch), and the session it belongs to."""

    user_id: str
    username: str
    role: str
    permissions: tuple[str, ...]
    session_id: str
    expires_s: int


class AccessTokens:
    """Issues and verifies; everything it needs is in memory.

    Args:
        keys: The keys of now: the first signing key signs, all are believed. Those that are rotated out are believed
            of services only: their tokens outlive many keys, and each is good only as long as its file is there.
        revoked: Asked at every use, also for tokens that were verified before.
        services: Likewise for tokens of services: holds the name and the id of each that is good.
        lifetime_s: How long a new token is good for.
        now_us: The time of day.
        remember: How many verified tokens are kept so that a signature is verified once, not with every request.
    """

    def __init__(  # noqa: PLR0913 - named, but for the first two
        self,
        keys: Callable[[], KeyRing],
        revoked: RevokedSessions,
        *,
        issuer: str,
        audience: str,
        lifetime_s: int,
        now_us: Callable[[], int],
        services: Container[tuple[str, str]] = (),
        remember: int = 4096,
    ) -> None:
        self.lifetime_s = lifetime_s
        self._keys = keys
        self._ring: KeyRing | None = None
        self._public: dict[str, RSAPublicKey] = {}
        self._rotated_out: dict[str, RSAPublicKey] = {}
        self._revoked = revoked
        self._services = services
        self._issuer = issuer
        self._audience = audience
        self._now_us = now_us
        self._remember = remember
        self._verified: OrderedDict[str, Caller] = OrderedDict()

    def issue(self, *, user_id: str, username: str, role: str, session_id: str) -> str:
        """A new token of a session; `lifetime_s` says how long it is good for."""
        permissions = permissions_of(role)
        who = {"sub": user_id, "username": username, "role": role, "permissions": list(permissions)}
        return self._sign(who, session_id, self._now_us() // 1_000_000 + self.lifetime_s)

    def issue_for_service(self, name: str, token_id: str, *, expires_s: int) -> str:
        """A token with which a game's server may send batches of scores, until `expires_s` since the epoch."""
        who = {"sub": f"service:{name}", "username": name, "role": SERVICE_ROLE, "permissions": [SEND_BATCHES]}
        return self._sign(who, token_id, expires_s)

    def _sign(self, who: dict[str, Any], session_id: str, expires_s: int) -> str:
        claims = {
            **who,
            "iat": self._now_us() // 1_000_000,
            "exp": expires_s,
            "jti": f"{session_id}.{secrets.token_hex(8)}",
            "iss": self._issuer,
            "aud": self._audience,
        }
        key = self._keys().signing[0]
        return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers={"kid": key.kid, "typ": TYPE})

    def verify(self, token: str) -> Caller:
        """The player whom this token speaks for, now.

        Raises:
            TokenExpired: it was ours, once.
            TokenRevoked: its session has ended.
            WrongKind: it is a service's.
            TokenInvalid: anything else.
        """
        caller = self._in_time(token)
        if SEND_BATCHES in caller.permissions:
            raise WrongKind("This is the token of a service: it may send batches of scores and nothing else")
        if caller.session_id in self._revoked:
            raise TokenRevoked
        self._keep(token, caller)
        return caller

    def verify_service(self, token: str) -> Caller:
        """The service (its name is `username`) that this token speaks for, now; raises as `verify`."""
        caller = self._in_time(token)
        if SEND_BATCHES not in caller.permissions:
            raise WrongKind("Only a service of the game may send batches of scores; this is a player's token")
        if (caller.username, caller.session_id) not in self._services:
            raise TokenRevoked
        self._keep(token, caller)
        return caller

    def _in_time(self, token: str) -> Caller:
        self._take_over_keys()
        caller = self._verified.get(token)
        if caller is None:
            caller = self._decode(token)
        if caller.expires_s * 1_000_000 <= self._now_us():
            self._verified.pop(token, None)
            raise TokenExpired
        return caller

    def require_good(self, session_id: str, expires_s: int) -> None:
        """What may change about a player's token after it was verified.

        Raises:
            TokenExpired: `expires_s` (since the epoch) has come.
            TokenRevoked: its session has ended.
        """
        if expires_s * 1_000_000 <= self._now_us():
            raise TokenExpired
        if session_id in self._revoked:
            raise TokenRevoked

    def jwks(self) -> dict[str, list[dict[str, str]]]:
        """The public keys, for `/.well-known/jwks.json`."""
        return {"keys": [public_jwk(key) for key in self._keys().signing]}

    def _keep(self, token: str, caller: Caller) -> None:
        self._verified[token] = caller
        self._verified.move_to_end(token)
        if len(self._verified) > self._remember:
            self._verified.popitem(last=False)

    def _take_over_keys(self) -> None:
        """What was verified with other keys is verified again: one of them may be believed no more."""
        ring = self._keys()
        if ring is not self._ring:
            self._ring = ring
            self._public = {key.kid: key.public for key in ring.signing}
            self._rotated_out = {key.kid: key.public for key in ring.rotated_signing}
            self._verified.clear()

    def _decode(self, token: str) -> Caller:
        if len(token) > LONGEST_TOKEN or not token.isascii():
            raise TokenInvalid("too long or not ASCII")
        try:
            kid = self._kid_of(token)
            claims = jwt.decode(
                token,
                self._public.get(kid) or self._rotated_out[kid],
                algorithms=[ALGORITHM],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:  # the last two: hostile JSON in the header
            raise TokenInvalid(str(error)) from error
        caller = _caller(claims, latest_s=self._now_us() // 1_000_000 + CLOCK_SKEW_S)
        if kid in self._rotated_out and SEND_BATCHES not in caller.permissions:
            raise TokenExpired  # all that a player was given under this key has
        return caller

    def _kid_of(self, token: str) -> str:
        # The header is the sender's: it may only choose among the keys that we hold.
        header = jwt.get_unverified_header(token)
        if header.get("typ") != TYPE:
            raise TokenInvalid("the type is not JWT")
        kid = header.get("kid")
        if not isinstance(kid, str) or (kid not in self._public and kid not in self._rotated_out):
            raise TokenInvalid("no key of ours has this kid")
        return kid


def _caller(claims: dict[str, Any], *, latest_s: int) -> Caller:
    # The signature is ours, so a wrong shape means another issuer with our key; refused all the same.
    session_id, dot, _ = str(claims["jti"]).rpartition(".")
    permissions = claims["permissions"]
    if not dot or not all(type(claims[name]) is int for name in ("iat", "exp")) or not isinstance(permissions, list):
        raise TokenInvalid("claims of a wrong shape")
    if claims["iat"] > latest_s:
        raise TokenInvalid("issued in the future")
    return Caller(
        user_id=str(claims["sub"]),
        username=str(claims["username"]),
        role=str(claims["role"]),
        permissions=tuple(map(str, permissions)),
        session_id=session_id,
        expires_s=claims["exp"],
    )
