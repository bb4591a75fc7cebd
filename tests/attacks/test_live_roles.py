"""Every channel and command of the live feed against every role, on every way to it."""

from __future__ import annotations

import time
from itertools import count
from typing import get_args

import pytest

from actors.connection.commands import (
    Authenticate,
    BadInput,
    ClientCommand,
    Ping,
    RequestToken,
    SpendToken,
    Subscribe,
    Unsubscribe,
)
from scoreboard.live.channels import ME, channel_of
from scoreboard.security.keyfolder import load_keys
from scoreboard.security.revoked import RevokedSessions
from scoreboard.security.roles import ROLES
from scoreboard.security.tokens import AccessTokens
from scoreboard.stores.embedded_postgres import running_url
from tests.attacks.live_ways import WAYS
from tests.attacks.state import fingerprint
from tests.attacks.ways_in import BY_TOKEN
from tests.served import Player, ServedScoreboard

pytestmark = pytest.mark.stores

#: `emperor` is a role that nobody here knows.
CALLERS = ("nobody", *ROLES, "emperor")
#: What there is to watch, and who may; nobody else.
WATCH = {
    "leaderboard.top10": CALLERS,
    "leaderboard.daily.top3": CALLERS,
    "leaderboard.US.top5": CALLERS,
    "leaderboard.around_me": (*ROLES, "emperor"),
    "leaderboard.weekly.US.around_me": (*ROLES, "emperor"),
    "player.me": (*ROLES, "emperor"),
    "player.somebody-else": (),
    "player.*": (),
    "admin.audit": (),
    "leaderboard.top101": (),
    "*": (),
    "": (),
}
#: Who may do what scores.
SCORE = ROLES
#: What can be said at all, and where it is held to a role: one that is new must be named here.
COMMANDS = {
    Subscribe: "WATCH",
    Unsubscribe: "everybody: it ends what one watches oneself",
    Authenticate: "everybody: see test_live_sign_in.py",
    Ping: "everybody",
    RequestToken: "SCORE",
    SpendToken: "SCORE",
    BadInput: "is no command",
}
#: Document A's word for who has not signed in.
AUTH_FAILED = "AUTH_FAILED"
SESSIONS = count(1)


def tokens_of(server: ServedScoreboard) -> AccessTokens:
    """What the server issues tokens with."""
    keys = load_keys(server.data)

    def now_us() -> int:
        return time.time_ns() // 1_000

    return AccessTokens(
        lambda: keys,
        RevokedSessions(keep_s=1, now_us=now_us),
        issuer="scoreboard-api",
        audience="scoreboard-client",
        lifetime_s=600,
        now_us=now_us,
    )


def token_of(server: ServedScoreboard, player: Player, role: str) -> str | None:
    """An access token as that player would have with that role."""
    if role == "nobody":
        return None
    session = f"session-{next(SESSIONS)}"
    return tokens_of(server).issue(user_id=player.user_id, username=player.name, role=role, session_id=session)


def in_words_of_b(told: str) -> str:
    """What was heard, as document B calls it."""
    return "UNAUTHORIZED" if told == AUTH_FAILED else told


def expected(channel: str, caller: str) -> str:
    """What somebody hears who asks for it: nothing, if it is shown."""
    if caller in WATCH[channel]:
        return ""
    if not WATCH[channel]:
        return "FORBIDDEN" if channel.startswith("player.") else "UNKNOWN_CHANNEL"
    return "UNAUTHORIZED"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("caller", CALLERS)
def test_every_channel_is_shown_to_whom_it_is_named_for_and_to_nobody_else(
    way: str, caller: str, server: ServedScoreboard, ada: Player
) -> None:
    """One after the other on one connection: what was refused opens nothing, and what was shown neither."""
    with WAYS[way](server, token_of(server, ada, caller)) as connection:
        told = {channel: in_words_of_b(connection.watch(channel)) for channel in WATCH}
    assert {channel: expected(channel, caller) for channel in WATCH} == told


@pytest.mark.parametrize("way", [name for name in WAYS if name != "stream"])
@pytest.mark.parametrize("caller", CALLERS)
def test_who_may_not_score_does_so_on_no_way(way: str, caller: str, server: ServedScoreboard, ada: Player) -> None:
    """Neither a token is given nor a good one taken; nothing is written, and the good one still is good."""
    good, before = ada.token(), fingerprint(running_url(server.data))
    refusal = "" if caller in SCORE else "UNAUTHORIZED" if caller == "nobody" else "FORBIDDEN"
    with WAYS[way](server, token_of(server, ada, caller)) as connection:
        assert refusal == in_words_of_b(connection.issue()[0])
        assert refusal == in_words_of_b(connection.spend(good))
    changed = before != fingerprint(running_url(server.data))
    assert changed == (caller in SCORE)
    assert (400 if caller in SCORE else 200) == ada.increment(good).status_code


@pytest.mark.parametrize("way", BY_TOKEN)
def test_a_service_is_nobody_on_the_live_feed(way: str, server: ServedScoreboard) -> None:
    """Its token sends batches and opens nothing else."""
    token = tokens_of(server).issue_for_service("arena", "0123456789abcdef", expires_s=int(time.time()) + 600)
    come, refusal = BY_TOKEN[way]
    assert refusal == come(server, token)


def test_nothing_can_be_said_or_watched_that_is_in_no_table() -> None:
    """Who adds a command says who may say it; a name that is no channel is none for anybody."""
    commands = {each for part in get_args(ClientCommand) for each in (get_args(part) or (part,))}
    assert set(COMMANDS) == commands
    channels = {name: channel_of(name) for name in WATCH}
    assert {name for name, channel in channels.items() if channel is None} == {
        name for name, callers in WATCH.items() if not callers
    }
    assert ME == channels["player.me"]
    own = {name for name, channel in channels.items() if channel is not None and channel.around}
    assert own == {name for name, callers in WATCH.items() if callers and "nobody" not in callers}
