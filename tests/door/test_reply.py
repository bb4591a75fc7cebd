"""Answers as bytes."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreboard.door.reply import Reply, ReplyError

DATE = b"date: now\r\n"


def _reply(*, to_head: bool = False, to_http10: bool = False) -> Reply:
    return Reply(to_head=to_head, to_http10=to_http10, constant=lambda: DATE)


def _whole(reply: Reply, status: int, fields: list[tuple[bytes, bytes]], *pieces: bytes, last: bool = False) -> bytes:
    reply.head(status, fields, last=last)
    return b"".join([*map(reply.body, pieces), reply.end()])


def test_an_answer_of_a_told_length_is_one_piece() -> None:
    """Head, constant lines and body."""
    reply = _reply()
    sent = _whole(reply, 200, [(b"content-length", b"2")], b"ok")
    assert b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: now\r\n\r\nok" == sent
    assert (True, False) == (reply.complete, reply.last)


def test_an_answer_without_a_length_comes_in_chunks() -> None:
    """To HTTP/1.0, which has none, it ends with its connection."""
    assert b"transfer-encoding: chunked\r\ndate: now\r\n\r\n2\r\nok\r\n3\r\nyes\r\n0\r\n\r\n" in _whole(
        _reply(), 200, [], b"ok", b"", b"yes"
    )
    old = _reply(to_http10=True)
    assert b"HTTP/1.1 200 OK\r\nconnection: close\r\ndate: now\r\n\r\nok" == _whole(old, 200, [], b"ok")
    assert old.last


@pytest.mark.parametrize(("status", "to_head"), [(204, False), (304, False), (200, True)])
def test_an_answer_that_has_no_body_is_a_head(status: int, *, to_head: bool) -> None:
    """A HEAD may be told the length that the body would have."""
    fields = [(b"content-length", b"7")] if to_head else []
    sent = _whole(_reply(to_head=to_head), status, fields)
    assert sent.endswith(b"date: now\r\n\r\n")
    assert b"chunked" not in sent


@pytest.mark.parametrize("value", [b"close", b"Close"])
def test_the_application_may_say_that_the_connection_closes(value: bytes) -> None:
    """Then it is said once, and done."""
    reply = _reply()
    assert 1 == _whole(reply, 200, [(b"connection", value), (b"content-length", b"0")]).lower().count(b"connection")
    assert reply.last


def test_the_last_answer_says_so() -> None:
    """`Connection: close` is added for who reads on."""
    reply = _reply()
    assert b"connection: close\r\n" in _whole(reply, 200, [(b"content-length", b"0")], last=True)
    assert reply.last


@pytest.mark.parametrize(
    "field",
    [
        (b"a", b"b\r\nset-cookie: c"),
        (b"a", b"b\nc"),
        (b"a", b"b\rc"),
        (b"a", b"\0"),
        (b"a: b\r\nc", b"d"),
        (b"a b", b"c"),
        (b"", b"c"),
        (b"content-length", b"x"),
        (b"transfer-encoding", b"chunked"),
    ],
)
def test_a_field_that_would_be_read_as_something_else_is_not_sent(field: tuple[bytes, bytes]) -> None:
    """What a client wrote and an application repeats must not become a head of its own."""
    with pytest.raises(ReplyError):
        _reply().head(200, [field], last=False)


@pytest.mark.parametrize("pieces", [(b"ok", b"more"), (b"o",), ()])
def test_a_body_must_have_the_length_that_was_told(pieces: tuple[bytes, ...]) -> None:
    """The rest would be read as the next answer, or the next answer as the rest."""
    with pytest.raises(ReplyError):
        _whole(_reply(), 200, [(b"content-length", b"2")], *pieces)


def test_an_answer_has_one_head_and_one_end() -> None:
    """In this order."""
    reply = _reply()
    for begun in (False, True):
        with pytest.raises(ReplyError):
            reply.body(b"x")
        with pytest.raises(ReplyError):
            reply.end()
        if not begun:
            _whole(reply, 200, [])
    with pytest.raises(ReplyError):
        reply.head(200, [], last=False)


@pytest.mark.parametrize("status", [99, 100, 101, 199, 1000])
def test_what_is_no_final_status_is_refused(status: int) -> None:
    """An application answers once."""
    with pytest.raises(ReplyError):
        _reply().head(status, [], last=False)


@given(
    status=st.integers(200, 599),
    fields=st.lists(st.tuples(st.sampled_from([b"a", b"etag", b"x-y"]), st.sampled_from([b"", b"b", b"b c", b"\xe9"]))),
    pieces=st.lists(st.binary(max_size=40), max_size=4),
    told=st.booleans(),
    to_head=st.booleans(),
    last=st.booleans(),
)
def test_h11_reads_what_was_meant(
    *, status: int, fields: list[tuple[bytes, bytes]], pieces: list[bytes], told: bool, to_head: bool, last: bool
) -> None:
    """Status, fields, body, and whether the connection goes on; in every way of framing."""
    silent = to_head or status in {204, 304}
    body = b"" if silent else b"".join(pieces)
    if told and not silent:
        fields = [*fields, (b"content-length", b"%d" % len(body))]
    sent = _whole(_reply(to_head=to_head), status, fields, *([] if silent else pieces), last=last)
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="HEAD" if to_head else "GET", target="/", headers=[("host", "x")]))
    client.send(h11.EndOfMessage())
    client.receive_data(sent)
    response, read = client.next_event(), b""
    while isinstance(event := client.next_event(), h11.Data):
        read += event.data
    assert isinstance(response, h11.Response)
    assert isinstance(event, h11.EndOfMessage)
    assert (status, body) == (response.status_code, read)
    assert set(fields) <= {(bytes(name), bytes(value)) for name, value in response.headers}
    assert last == (client.their_state is h11.MUST_CLOSE)
