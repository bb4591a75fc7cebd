from __future__ import annotations

import base64
from contextlib import suppress
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock

from actors.fraud.messages import Action, Seen
from actors.ports import UserId, key_id
from actors.runtime import Refusal
from actors.user import updates
from actors.user.earned import Earned
from actors.user.earned import issue as issue_earned
from actors.user.messages import Increment, Update
from actors.user.refusals import ActionTokenRefused, RateLimited, TokenExpired, TokenInvalid
from actors.user.token import ActionKeys, ActionToken, issue
from actors.user.watch import TOLD, suspicion
from tests.user.player import FREE, HERE, KEYS, STRICT, running_players

NOW_US = 1_790_000_000_000_000
ANN = UserId("ann")
INVALID, FORGED = TokenInvalid("no"), ActionTokenRefused("no", reason="forged")


def token(age_s: float = 1, keys: ActionKeys = KEYS, owner: UserId = ANN) -> ActionToken:
    """One that was made so long ago."""
    return issue(owner, now_ms=(NOW_US // 1000) - round(age_s * 1000), nonce="n", keys=keys)


def seen_of(presented: ActionToken, refusal: Refusal = INVALID) -> Seen:
    """What it tells of ann."""
    wish = Increment(presented, None, HERE)
    return suspicion(wish, refusal, ANN, now_us=NOW_US, age_s=60, keys=KEYS)


def test_a_token_that_would_be_good_and_nobody_signed_is_forged() -> None:
    """Whoever it names, and however its signature looks."""
    assert Seen.FORGED == seen_of(replace(token(), signature="0" * 64))
    assert Seen.FORGED == seen_of(replace(token(keys=ActionKeys(b"other")), nonce=token().nonce))
    assert Seen.FORGED == seen_of(replace(token(keys=ActionKeys(b"old key")), signature="0" * 64))
    assert Seen.FORGED == seen_of(replace(token(keys=ActionKeys(b"oldest key")), signature="0" * 64))
    assert Seen.FORGED == seen_of(replace(token(), signature="ä"))
    assert Seen.FORGED == seen_of(replace(token(), nonce="m"))
    assert Seen.FORGED == seen_of(replace(token(), user_id=UserId("bob")))


@pytest.mark.parametrize("nonce", ["m", "", "-m", "0123456-m", "0123456G-m", "0123456ä-m"])
def test_a_token_that_names_no_key_is_forged(nonce: str) -> None:
    """Every token of ours names one."""
    assert Seen.FORGED == seen_of(replace(token(keys=ActionKeys(b"other")), nonce=nonce))


def test_a_token_of_a_key_that_is_not_here_is_not_forged() -> None:
    """All players have such tokens after a server has lost its keys, or an operator has retired one."""
    assert Seen.UNKNOWN_KEY == seen_of(token(keys=ActionKeys(b"lost")))
    assert Seen.UNKNOWN_KEY == seen_of(token(keys=ActionKeys(b"lost"), owner=UserId("bob")))


def test_what_honest_players_present_is_not_forged() -> None:
    """Expired tokens, of a key that is gone or not, and those of the previous key."""
    assert Seen.REFUSED == seen_of(token(60), TokenExpired("old"))
    assert Seen.REFUSED == seen_of(token(60, ActionKeys(b"gone")))
    assert Seen.REFUSED == seen_of(token(3600, ActionKeys(b"gone")))
    assert Seen.REFUSED == seen_of(token(-99, ActionKeys(b"old key")))
    assert Seen.REFUSED == seen_of(token(), RateLimited("slow down", retry_after_s=1))


def test_a_token_of_another_player_is_stolen() -> None:
    """It was signed here, for somebody else."""
    assert Seen.STOLEN == seen_of(token(owner=UserId("bob")))


def compact(*fields: object, version: str = "v1") -> str:
    """A token in the other form, signed by nobody."""
    payload = base64.urlsafe_b64encode("\n".join(map(str, fields)).encode()).rstrip(b"=").decode()
    return f"{version}.{payload}.{'A' * 43}"


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (compact("ann", "QUEST", "id", 999, NOW_US - 5_000_000), Seen.FORGED),
        (compact("kid", "ann", "QUEST", "id", 9, NOW_US - 5, NOW_US + 99_000_000, version="v2"), Seen.FORGED),
        (compact(key_id(b"key"), "ann", "QUEST", "id", 9, NOW_US - 5, NOW_US + 9, version="v2"), Seen.FORGED),
        (compact(key_id(b"oldest key"), "ann", "QUEST", "id", 9, NOW_US - 5, NOW_US + 9, version="v2"), Seen.FORGED),
        (compact(key_id(b"lost"), "ann", "QUEST", "id", 9, NOW_US - 5, NOW_US + 9, version="v2"), Seen.UNKNOWN_KEY),
        (compact(key_id(b"lost"), "ann", "QUEST", "id", 9, 5, 9, version="v2"), Seen.REFUSED),
        (compact("ann", "QUEST", "id", 999, NOW_US - 301_000_000), Seen.REFUSED),
        (compact("ann", "QUEST", "id", 999, 10**30), Seen.REFUSED),
        ("v1.####.x", Seen.REFUSED),
        ("v1._____w.x", Seen.REFUSED),
        ("anything at all", Seen.REFUSED),
        (None, Seen.REFUSED),
    ],
)
def test_a_compact_token_is_forged_only_if_it_looks_like_one(text: str | None, seen: Seen) -> None:
    """Rubbish is a mistake, and an old one may be of a key that is gone."""
    wish = Update(text, "ann", "QUEST", "id", 9, "", NOW_US, "", (), None, HERE)
    assert seen == suspicion(wish, FORGED, ANN, now_us=NOW_US, age_s=300, keys=KEYS)


async def test_the_watch_hears_of_each_score_once(autojump_clock: MockClock) -> None:
    """Of a retry nothing, of a refusal that it was one."""
    told: list[Action] = []
    async with running_players(FREE, watched=told.append) as players:
        first = await players.token()
        await players.increment(first, "key")
        await players.increment(first, "key")
        await players.try_increment(first)
        await players.try_increment(replace(players.forged(), signature="0" * 64))
    assert [Seen.SCORED, Seen.FORGED] == [action.seen for action in told]
    assert ("a", HERE, 1, "INCREMENT") == (told[0].user_id, told[0].source, told[0].points, told[0].action_type)


async def test_the_watch_hears_nothing_of_a_retry_that_only_the_ledger_knows(autojump_clock: MockClock) -> None:
    """Also when its player was forgotten meanwhile: the same points twice would look like cheating."""
    told: list[Action] = []
    async with running_players(FREE, watched=told.append, idle_after_s=10) as players:
        token = await players.token()
        await players.increment(token, "key")
        await trio.sleep(30)
        assert (await players.increment(token, "key")).repeated
    assert [Seen.SCORED] == [action.seen for action in told]


async def test_the_watch_hears_of_both_documents_each_by_its_own(autojump_clock: MockClock) -> None:
    """A score by its type; a forged token as long as one of that form would be good."""
    told: list[Action] = []
    async with running_players(FREE, watched=told.append) as players:
        now_us = players.clock.now_us()
        for age_s, spoilt in ((0, False), (200, True)):
            proven_us = now_us - age_s * 1_000_000
            right = Earned(UserId("a"), "QUEST", "id", 9, proven_us, proven_us + 300_000_000)
            token = issue_earned(right, KEYS)
            wish = Update(token, "a", "QUEST", "id", 9, "", now_us, "", (b"secret",), None, HERE)
            signature = updates.signature(wish, b"secret").decode()
            front, _, mac = token.rpartition(".")
            token = f"{front}.{mac.swapcase()}" if spoilt else token
            with suppress(ActionTokenRefused):
                await players.users.ask("a", replace(wish, token=token, signature=signature), within=30)
        await players.try_increment(replace(players.forged(age_s=100), signature="0" * 64))
    assert [Seen.SCORED, Seen.FORGED, Seen.REFUSED] == [action.seen for action in told]
    assert ("QUEST", 9) == (told[0].action_type, told[0].points)


async def test_a_flood_of_refusals_is_told_in_part(autojump_clock: MockClock) -> None:
    """So that nobody drowns out what others do; attempts over the limit count as attempts."""
    told: list[Action] = []
    async with running_players(STRICT, watched=told.append) as players:
        spent = await players.token()
        for _ in range(100):
            await players.try_increment(spent)
    assert [Seen.SCORED] + [Seen.REFUSED] * TOLD.count == [action.seen for action in told]
