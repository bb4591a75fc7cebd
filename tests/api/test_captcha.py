"""What a restricted player brings for an action token, where captchas are asked for."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from actors.ports import CaptchaAway, PlayerStanding, UserId
from actors.user.world import UserRules
from scoreboard.api.captcha import LONGEST
from scoreboard.api.table.scores import NOON
from tests.api.world import Me, World, running_world

#: Who is restricted gets few tokens, which another test is about.
FREE = UserRules(tokens=None, increments=None, updates=None)
GOOD = {"X-Captcha-Answer": "good"}


class Verifier:
    """Takes one answer for good; `asked` is what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self.away = False

    async def verify(self, answer: str, address: str | None) -> bool:
        """See `CaptchaVerifier.verify`."""
        self.asked.append((answer, address))
        if self.away:
            raise CaptchaAway("it is away")
        return answer == "good"


async def tried(world: World, token: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and code of a request for a token."""
    response = await world.post("/api/actions/token", token=token, headers=headers)
    return response.status_code, (await response.get_json()).get("code")


async def restricted(world: World, me: Me) -> None:
    """Impose it, and wait until it is known."""
    until_us = world.clock.now_us() + 3_600_000_000
    world.players.rows[UserId(me.user_id)].standing = PlayerStanding(restricted_until_us=until_us)
    await trio.sleep(3)


async def test_who_is_restricted_brings_an_answer_for_each_token(autojump_clock: MockClock) -> None:
    """A good one is taken, a wrong one is not, nor is silence; nobody else is asked, nor is the provider for them."""
    verifier, away = Verifier(), list[CaptchaAway]()
    async with running_world(rules=FREE, verifier=verifier, away=away.append) as world:
        ada, bob = await world.signed_up("ada"), await world.signed_up("bob")
        assert (200, None) == await tried(world, ada.access)
        await restricted(world, ada)
        assert (403, "CAPTCHA_REQUIRED") == await tried(world, ada.access)
        assert (403, "CAPTCHA_REQUIRED") == await tried(world, ada.access, {"X-Captcha-Answer": "bad"})
        assert (403, "CAPTCHA_REQUIRED") == await tried(world, ada.access, {"X-Captcha-Answer": "x" * (LONGEST + 1)})
        assert (200, None) == await tried(world, ada.access, GOOD)
        assert (403, "CAPTCHA_REQUIRED") == await tried(world, ada.access)
        assert ["bad", "good"] == [answer for answer, _ in verifier.asked]
        assert (200, None) == await tried(world, bob.access)
        assert (200, None) == await tried(world, bob.access, GOOD)
        assert 2 == len(verifier.asked)
        verifier.away = True
        assert (503, "SERVICE_UNAVAILABLE") == await tried(world, ada.access, GOOD)
        assert ["it is away"] == [str(each) for each in away]


@pytest.mark.parametrize("answer", [None, "bad", "good"])
async def test_a_proof_is_exchanged_for_a_token_likewise(answer: str | None, autojump_clock: MockClock) -> None:
    """In document B's words; with a good answer it is judged as ever."""
    async with running_world(verifier=Verifier()) as world:
        ada = await world.signed_up("ada")
        await restricted(world, ada)
        proof = {"actionType": "WIN_GAME", "timestamp": NOON, "signature": "0" * 64}
        body = {"actionId": str(uuid.uuid4()), "proof": proof, "timestamp": NOON}
        headers = {} if answer is None else {"X-Captcha-Answer": answer}
        response = await world.post("/api/v1/actions/complete", body, token=ada.access, headers=headers)
        told = (await response.get_json())["error"]
        if answer == "good":
            assert told["code"] not in {"CAPTCHA_REQUIRED", "INTERNAL_ERROR"}
            return
        assert (403, "CAPTCHA_REQUIRED") == (response.status_code, told["code"])
        assert {"reason": "missing" if answer is None else "wrong"} == told["details"]


async def test_without_a_provider_nobody_is_asked(autojump_clock: MockClock) -> None:
    """As it comes."""
    async with running_world(rules=FREE) as world:
        ada = await world.signed_up("ada")
        await restricted(world, ada)
        assert (200, None) == await tried(world, ada.access, GOOD)
