"""What a client sends: a command, or a typed reason why not; never an error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
from actors.leaderboard.events import Channel
from actors.ports import ALL_TIME, UserId
from actors.user.token import ActionToken
from scoreboard.live.commands import command_of

TOP10 = Channel(ALL_TIME, 10)
TOKEN = ActionToken(UserId("u1"), 17, "0f", "ab")
PRESENTED = '"actionToken":{"userId":"u1","timestamp":17,"nonce":"0f","signature":"ab"}'
SPEND = '{"event":"score.increment","id":"i-1","data":{' + PRESENTED + "}}"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ('{"event":"subscribe","data":{"channel":"leaderboard.top10"}}', Subscribe(TOP10)),
        (
            '{"event":"subscribe","data":{"full":true,"channel":"leaderboard.top100"}}',
            Subscribe(Channel(ALL_TIME, 100), full=True),
        ),
        (' { "data" : {"channel":"leaderboard.top1"}, "event":"unsubscribe" } ', Unsubscribe(Channel(ALL_TIME, 1))),
        (
            '{"event":"subscribe","data":{"channel":"leaderboard.around_me","radius":25}}',
            Subscribe(Channel(ALL_TIME, 25, around=True)),
        ),
        ('{"event":"authenticate","data":{"token":"a.b.c"}}', Authenticate("a.b.c")),
        ('{"event":"authenticate","data":{"token":"Bearer a.b.c"}}', Authenticate("a.b.c")),
        ('{"event":"action.token","id":1}', RequestToken(1)),
        ('{"event":"action.token","id":"a","data":{}}', RequestToken("a")),
        (' {"data":{}, "id":-3, "event":"action.token"}', RequestToken(-3)),
        ('{"event":"action.token","id":"\\u00e4\\"\\\\"}', RequestToken('ä"\\')),
        (SPEND, SpendToken("i-1", TOKEN)),
        (SPEND.replace('"u1"', '"\\u0075\\u0031"'), SpendToken("i-1", TOKEN)),
        (SPEND.replace('"i-1"', "9007199254740992"), SpendToken(2**53, TOKEN)),
        (SPEND.replace("}}}", '},"idempotencyKey":"k!~"}}'), SpendToken("i-1", TOKEN, "k!~")),
        ('{"event":"ping"}', Ping()),
        ('{"event":"ping","data":{"t": 1.50}}', Ping(b'{"t": 1.50}')),
        ('{"event":"ping","data":null}', Ping(b"null")),
    ],
)
def test_a_command_is_understood(text: str, command: ClientCommand) -> None:
    """Fields in any order; what a ping carries comes back as it was."""
    assert command == command_of(text)


@pytest.mark.parametrize(
    "name",
    [
        "top10",
        "leaderboard.top0",
        "leaderboard.top" + 64 * "1",
        "leaderboard.top101",
        "leaderboard.top010",
        "leaderboard.top\u0661",
        "leaderboard.top10\n",
        "leaderboard.yearly.top10",
        "leaderboard.all_time.top10",
        "leaderboard.Weekly.top10",
        "leaderboard.us.top10",
        "leaderboard.XX.top10",
        "leaderboard.USA.top10",
        "leaderboard.US.weekly.top10",
        "leaderboard..top10",
        "",
    ],
)
@pytest.mark.parametrize("event", ["subscribe", "unsubscribe"])
def test_a_channel_that_does_not_exist_is_named_as_such(event: str, name: str) -> None:
    """With a code of its own."""
    command = command_of(f'{{"event":"{event}","data":{{"channel":"{name}"}}}}'.replace("\n", "\\n"))
    assert isinstance(command, BadInput)
    assert command.code == "UNKNOWN_CHANNEL"
    assert command.channel == (name if len(name) <= 64 else None)


def test_a_wrong_radius_is_told_with_its_channel() -> None:
    """So that a client knows which of its subscriptions was refused; also where the shape was wrong."""
    for radius in ("26", "0", '"5"', "null"):
        command = command_of(f'{{"event":"subscribe","data":{{"channel":"leaderboard.around_me","radius":{radius}}}}}')
        assert isinstance(command, BadInput)
        assert (command.code, command.channel) == ("INVALID_INPUT", "leaderboard.around_me")
    command = command_of('{"event":"subscribe","data":{"channel":"leaderboard.top10","radius":5}}')
    assert isinstance(command, BadInput)
    assert command.channel == "leaderboard.top10"


@pytest.mark.parametrize("event", ["subscribe", "unsubscribe"])
@pytest.mark.parametrize("name", ["player.u2", "player.", "player.ME"])
def test_what_belongs_to_another_player_is_forbidden(event: str, name: str) -> None:
    """Whether there is such a player or not."""
    command = command_of(f'{{"event":"{event}","data":{{"channel":"{name}"}}}}')
    assert isinstance(command, BadInput)
    assert (command.code, command.channel) == ("FORBIDDEN", name)


BAD: dict[str, str | bytes] = {
    "binary": b'{"event":"ping"}',
    "empty": "",
    "no_json": "subscribe leaderboard.top10",
    "half": '{"event":"ping"',
    "two": '{"event":"ping"}{"event":"ping"}',
    "an_array": '["ping"]',
    "no_event": "{}",
    "an_event_of_another_type": '{"event":1}',
    "an_unknown_event": '{"event":"leaderboard.update"}',
    "an_unknown_field_outside": '{"event":"ping","id":1}',
    "an_unknown_field_inside": '{"event":"subscribe","data":{"channel":"leaderboard.top10","x":1}}',
    "no_data": '{"event":"subscribe"}',
    "data_of_another_type": '{"event":"subscribe","data":"leaderboard.top10"}',
    "a_channel_of_another_type": '{"event":"subscribe","data":{"channel":10}}',
    "a_flag_of_another_type": '{"event":"subscribe","data":{"channel":"leaderboard.top10","full":1}}',
    "a_radius_of_a_top": '{"event":"subscribe","data":{"channel":"leaderboard.top10","radius":5}}',
    "a_radius_too_wide": '{"event":"subscribe","data":{"channel":"leaderboard.around_me","radius":26}}',
    "a_token_that_is_null": '{"event":"authenticate","data":{"token":null}}',
    "nan": '{"event":"ping","data":NaN}',
    "infinity": '{"event":"ping","data":1e999}',
    "five_thousand_digits": '{"event":"ping","data":' + "9" * 5000 + "}",
    "a_name_twice": '{"event":"ping","event":"subscribe"}',
    "a_name_twice_inside": '{"event":"ping","data":[{"a":1,"a":2}]}',
    "a_lone_surrogate": '{"event":"ping","data":"\\ud800"}',
    "deep": '{"event":"ping","data":' + "[" * 8000 + "]" * 8000 + "}",
    "deep_and_open": "[" * 16_000,
    "a_control_character": '{"event":"ping","data":"\x00"}',
    "a_token_request_without_id": '{"event":"action.token"}',
    "an_empty_id": '{"event":"action.token","id":""}',
    "a_long_id": '{"event":"action.token","id":"' + "x" * 65 + '"}',
    "an_id_of_another_type": '{"event":"action.token","id":true}',
    "an_id_that_is_null": '{"event":"action.token","id":null}',
    "a_broken_id": '{"event":"action.token","id":1.5}',
    "an_id_that_javascript_cannot_hold": '{"event":"action.token","id":9007199254740993}',
    "an_id_that_is_half_a_character": '{"event":"action.token","id":"\\ud800"}',
    "data_where_none_is_needed": '{"event":"action.token","id":1,"data":{"points":2}}',
    "no_token_to_spend": '{"event":"score.increment","id":1,"data":{}}',
    "a_token_that_is_a_text": '{"event":"score.increment","id":1,"data":{"actionToken":"x"}}',
    "points_of_the_client": SPEND.replace("}}}", '},"points":2}}'),
    "points_in_the_token": SPEND.replace('"ab"', '"ab","points":2'),
    "a_key_that_is_null": SPEND.replace("}}}", '},"idempotencyKey":null}}'),
    "a_key_with_a_space": SPEND.replace("}}}", '},"idempotencyKey":"a b"}}'),
    "an_empty_key": SPEND.replace("}}}", '},"idempotencyKey":""}}'),
    "an_endless_key": SPEND.replace("}}}", '},"idempotencyKey":"' + "k" * 256 + '"}}'),
    "an_event_twice": SPEND.replace('"id"', '"event":"score.increment","id"'),
    "an_id_twice": SPEND.replace('"id"', '"id":1,"id"'),
    "an_id_twice_as_a_number": '{"event":"action.token","id":1,"id":2}',
    "an_escaped_name_twice": SPEND.replace('"id"', '"\\u0069d":1,"id"'),
    "a_signature_twice": SPEND.replace('"signature"', '"signature":"x","signature"'),
    "a_timestamp_twice": SPEND.replace('"timestamp"', '"timestamp":1,"timestamp"'),
    "a_token_twice": SPEND.replace('"actionToken"', PRESENTED + ',"actionToken"'),
    "data_twice": '{"event":"action.token","id":1,"data":{},"data":{}}',
    "a_byte_order_mark": '\ufeff{"event":"ping"}',
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_command_is_bad_input(name: str) -> None:
    """Every kind of loose or hostile JSON has the same code and a sentence for people."""
    command = command_of(BAD[name])
    assert isinstance(command, BadInput), command
    assert command.code == "INVALID_INPUT"
    assert command.message.endswith(".")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"event":"action.token","id":"a","data":1}', "a"),
        ('{"event":"score.increment","id":5,"data":{}}', 5),
        (SPEND.replace("}}}", '},"idempotencyKey":""}}'), "i-1"),
        ('{"event":"no.such.event","id":"a"}', "a"),
        ('{"event":"action.token","id":1.5}', None),
        ('{"event":"action.token","id":1', None),
        ('{"id":1,"id":2,"event":"action.token"}', None),
    ],
)
def test_bad_input_has_the_id_that_could_be_read(text: str, name: int | str | None) -> None:
    """So that a client knows which of its commands is meant."""
    command = command_of(text)
    assert isinstance(command, BadInput), command
    assert name == command.id


@given(st.text() | st.binary())
def test_nothing_raises(message: str | bytes) -> None:
    """Whatever is sent."""
    assert isinstance(command_of(message), ClientCommand)
