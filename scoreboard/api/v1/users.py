"""``/api/v1/users``: what players show and tell of themselves."""

from __future__ import annotations

import re
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from actors.leaderboard.messages import NotRanked, RankAnswer, RankOf
from actors.ledger.messages import ChangeProfile, FindProfile
from actors.ports import ALL_TIME, UNCHANGED, BannedUser, Profile, ProfileChange, Unchanged, UnknownUser, UserId
from scoreboard.api.answer import Answer
from scoreboard.api.dialects import succeeded
from scoreboard.api.errors import banned, invalid_input, no_such_user
from scoreboard.api.request import ApiRequest
from scoreboard.api.world import ApiWorld
from scoreboard.security.tokens import Caller
from scoreboard.wire.countries import COUNTRIES, SPOKEN, country_of
from scoreboard.wire.times import iso

ME_PATH = "/api/v1/users/me"
PATH = "/api/v1/users/{userId}"
LONGEST_AVATAR = 2048

_PORT = "6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[1-9][0-9]{0,3}"
_HOST = "[A-Za-z0-9.-]{1,253}"  # addresses of IPv6 in brackets are read in too many ways
#: An ``https`` URL with a host, without a password, in plain visible ASCII that needs no escape in a page.
WEB_ADDRESS = rf"https://({_HOST})(:({_PORT}))?([/?#][!#-&(-;=?-\[\]_a-z~]*)?"
_web_address = re.compile(WEB_ADDRESS).fullmatch


SPELT = sorted({*COUNTRIES, *SPOKEN})


class ProfileBody(Struct, frozen=True, forbid_unknown_fields=True):
    """What shall be otherwise; null takes it away."""

    country: Annotated[str | UnsetType | None, Meta(extra_json_schema={"enum": [*SPELT, None]})] = UNSET
    avatar: Annotated[
        str | UnsetType | None, Meta(extra_json_schema={"pattern": f"^{WEB_ADDRESS}$", "maxLength": LONGEST_AVATAR})
    ] = UNSET


class UserRoutes:
    """Reading a player, reading oneself, changing oneself."""

    def __init__(self, world: ApiWorld) -> None:
        self._world = world

    async def user(self, request: ApiRequest, userId: str) -> Answer:  # noqa: N803 - as document B spells it
        """What everybody may see."""
        profile = await self._profile(UserId(userId.lower()))
        if profile.banned:
            raise no_such_user()
        return succeeded(public(profile, await self._standing(profile.user_id, own=request.is_of(userId))))

    async def me(self, request: ApiRequest) -> Answer:
        """The same, with what only oneself may see."""
        caller: Caller = request.caller
        return await self._own(await self._profile(UserId(caller.user_id)), caller)

    async def change(self, request: ApiRequest) -> Answer:
        """Another country or avatar; doing it again changes nothing."""
        world, caller = self._world, request.caller
        change = change_of(request.body)
        changed = await world.accounts.ask(ChangeProfile(UserId(caller.user_id), change), within=world.write_within_s)
        if isinstance(changed, BannedUser):
            raise banned()
        if isinstance(changed, UnknownUser):
            raise no_such_user()
        return await self._own(changed, caller, "Profile updated successfully")

    async def _own(self, profile: Profile, caller: Caller, message: str | None = None) -> Answer:
        own = {"email": profile.email, "role": profile.role, "permissions": list(caller.permissions)}
        return succeeded({**public(profile, await self._standing(profile.user_id, own=True)), **own}, message)

    async def _profile(self, user_id: UserId) -> Profile:
        profile = await self._world.accounts.ask(FindProfile(user_id), within=self._world.read_within_s)
        if profile is None:
            raise no_such_user()
        return profile

    async def _standing(self, user_id: UserId, *, own: bool) -> RankAnswer | None:
        try:
            return await self._world.ask_board(ALL_TIME, RankOf(user_id, own=own))
        except NotRanked:  # hidden, or so new that the board has not heard of it
            return None


def public(profile: Profile, standing: RankAnswer | None) -> dict[str, Any]:
    """A player as document B's user model, but for what is private. Score and rank are null for who is on no board."""
    return {
        "id": profile.user_id,
        "username": profile.username,
        "score": None if standing is None else standing.row.score,
        "rank": None if standing is None else standing.row.rank,
        "percentile": None if standing is None else standing.percentile,
        "country": profile.country,
        "avatar": profile.avatar,
        "createdAt": iso(profile.created_us),
        "lastActive": iso(profile.last_active_us),
        "isActive": profile.active and not profile.banned,
    }


def change_of(body: ProfileBody) -> ProfileChange:
    """What shall change; raises ApiError (400) for a country that is none, or an address that no page should load."""
    return ProfileChange(_country(body.country), _avatar(body.avatar))


def _country(said: str | UnsetType | None) -> str | Unchanged | None:
    if said is UNSET or said is None:
        return UNCHANGED if said is UNSET else None
    country = country_of(said)
    if country is None:
        raise invalid_input("The country must be a code of ISO 3166-1 in two capitals, like US.", field="country")
    return country


def _avatar(said: str | UnsetType | None) -> str | Unchanged | None:
    if said is UNSET or said is None:
        return UNCHANGED if said is UNSET else None
    if len(said) > LONGEST_AVATAR or not is_web_address(said):
        wanted = f"an address like https://cdn.example.com/me.png, of at most {LONGEST_AVATAR} characters"
        raise invalid_input(f"The avatar must be {wanted}.", field="avatar")
    return said


def is_web_address(text: str) -> bool:
    """Whether it is one that a page may load: see `WEB_ADDRESS`."""
    return _web_address(text) is not None
