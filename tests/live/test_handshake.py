"""Judging a handshake before trio-websocket sees it."""

from __future__ import annotations

import json

import pytest

from scoreboard.door.head import HeadReader, RequestHead
from scoreboard.door.limits import DoorLimits
from scoreboard.live.handshake import Handshake, Rejection, judge
from tests.live.wire import handshake

PATH = "/ws/leaderboard"


def _judge(request: bytes) -> Handshake | Rejection:
    head = HeadReader(DoorLimits()).feed(request)
    assert isinstance(head, RequestHead)
    return judge(head, PATH, lambda origin, _: origin == "https://good.example")


def test_a_good_handshake_goes_on_with_nothing_of_the_clients_but_its_key() -> None:
    """What else it wrote cannot disturb a parser behind."""
    verdict = _judge(handshake(host="\xff..\xff", cookie="\xff" * 100, origin="https://good.example"))
    assert isinstance(verdict, Handshake)
    assert verdict.token is None
    assert verdict.answer.startswith(b"HTTP/1.1 101 ")
    accept = b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # of the key that is RFC 6455's example
    assert accept in verdict.answer.split(b"\r\n")
    assert b"\xff" not in verdict.answer


def test_a_query_belongs_to_the_path_that_is_asked_for() -> None:
    """It is not part of the comparison."""
    assert isinstance(_judge(handshake(PATH + "?x=1")), Handshake)


@pytest.mark.parametrize("word", ["Bearer", "bearer", "BEARER"])
def test_a_token_is_taken_from_its_header(word: str) -> None:
    """In any case, as RFC 9110 has schemes."""
    verdict = _judge(handshake(authorization=f"{word} a.b.c"))
    assert isinstance(verdict, Handshake)
    assert verdict.token == "a.b.c"


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (handshake("/ws/other"), 404),
        (handshake("/ws/leaderboard/"), 404),
        (handshake().replace(b"HTTP/1.1", b"HTTP/1.0"), 400),
        (handshake(content_length="3"), 400),
        (handshake(transfer_encoding="chunked"), 400),
        (handshake(sec_websocket_version=""), 426),
        (handshake(sec_websocket_version="8"), 426),
        (handshake(sec_websocket_key=""), 400),
        (handshake(sec_websocket_key="short"), 400),
        (handshake(sec_websocket_key="\xff" * 24), 400),
        (handshake(sec_websocket_key="AAAA"), 400),
        (handshake(PATH + "?ticket=a" + "&b=" * 64), 400),
        (handshake(origin="https://evil.example"), 403),
        (handshake(authorization="Basic YTpi"), 401),
        (handshake(authorization="Bearer"), 401),
        (handshake(authorization="Bearer a\r\nauthorization: Bearer b"), 401),
    ],
)
def test_a_bad_handshake_is_answered_in_http(request_bytes: bytes, status: int) -> None:
    """With the status that says what was wrong, in the error shape of the API, and the end."""
    verdict = _judge(request_bytes)
    assert isinstance(verdict, Rejection)
    assert verdict.status == status
    head, _, body = verdict.response().partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"\r\nconnection: close" in head
    assert f"content-length: {len(body)}".encode() in head
    told = json.loads(body)
    assert {"error", "message", "code"} == set(told)
    assert (status == 401) is (told["code"] == "UNAUTHORIZED")
