"""Who is asking: the access token in a request."""

from __future__ import annotations

from actors.ports import UserId
from scoreboard.api.errors import forbidden, unauthorized
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.roles import SCORE
from scoreboard.security.tokens import AccessTokens, Caller


def caller_of(request: ApiRequest, tokens: AccessTokens) -> Caller:
    """Whom the request's `Authorization: Bearer` speaks for.

    Raises:
        ApiError: there is none (401).
        TokenRefused: it is no proof.
    """
    caller = tokens.verify(_token_in(request))
    request.user_id = caller.user_id
    return caller


def spectator_of(request: ApiRequest, world: ApiWorld) -> Caller | None:
    """Who looks at what everybody may see while boards are public: None for who does not say; raises as `caller_of`.

    A token that is no proof is refused also where none is needed: its sender believes to be signed in.
    """
    if world.public_boards and not request.header_values(b"authorization"):
        return None
    return caller_of(request, world.tokens)


def service_of(request: ApiRequest, tokens: AccessTokens) -> Caller:
    """The game's service whose token the request carries; raises as `caller_of`, also for a player's token (403)."""
    caller = tokens.verify_service(_token_in(request))
    request.user_id = caller.user_id
    return caller


def permitted(request: ApiRequest, tokens: AccessTokens, permission: str) -> Caller:
    """A player who has this permission; raises as `caller_of`, and ApiError (403) for who has not."""
    caller = caller_of(request, tokens)
    if permission not in caller.permissions:
        raise forbidden("Your role does not allow this.", reason="permission")
    return caller


def scorer_of(caller: Caller) -> UserId:
    """The player, who must have the right to score; raises ApiError (403) for whose role has not."""
    if SCORE not in caller.permissions:
        raise forbidden("This account may not update scores.", reason=SCORE)
    return UserId(caller.user_id)


def _token_in(request: ApiRequest) -> str:
    values = request.header_values(b"authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise unauthorized("UNAUTHORIZED", "This needs an access token, in the header Authorization: Bearer ...")
    return token.strip()
