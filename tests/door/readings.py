"""Two readings of the same bytes: ours, and that of h11, which is the older and the more lenient one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import h11

from scoreboard.door.body import BodyError, body_of
from scoreboard.door.limits import DoorLimits
from scoreboard.door.parser import HeadError, HeadParser, ParsedHead

LIMITS = DoorLimits()
#: What the door takes for the host, and h11 leaves to its user.
_ADDRESS = re.compile(rb"https?://([^/]*)")


@dataclass(frozen=True, slots=True)
class Understood:
    """One whole request, as an application would get it."""

    method: bytes
    target: bytes
    version: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reading:
    """The requests of one connection up to its last one or the first refused one, whose status stands here."""

    requests: tuple[Understood, ...]
    refused: int | None = None


def ours(pieces: Iterable[bytes]) -> Reading:
    """What the door reads in the pieces that a client sends."""
    received, requests = HeadParser(LIMITS), list[Understood]()
    head, body, read = None, None, b""
    try:
        for came in pieces:
            received.feed(came)
            while True:
                if head is None or body is None:
                    head, read = received.next_head(), b""
                    if head is None:
                        break
                    body = body_of(head, received, LIMITS)
                while piece := body.take():
                    read += piece
                if not body.complete:
                    break
                requests.append(_understood(head, read))
                if head.last:
                    return Reading(tuple(requests))
                head = None
    except HeadError as error:
        return Reading(tuple(requests), error.status)
    except BodyError:
        return Reading(tuple(requests), 400)
    return Reading(tuple(requests))


def _understood(head: ParsedHead, body: bytes) -> Understood:
    return Understood(head.method, head.target, head.version, tuple(head.fields), body)


def of_h11(data: bytes) -> Reading:
    """What h11 reads in them, answering each request before the next."""
    parser, requests = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMITS.head_bytes), list[Understood]()
    parser.receive_data(data)
    try:
        while True:
            request = parser.next_event()
            if not isinstance(request, h11.Request):
                return Reading(tuple(requests))
            read = b""
            while isinstance(event := parser.next_event(), h11.Data):
                read += event.data
            if not isinstance(event, h11.EndOfMessage):
                return Reading(tuple(requests))
            fields = tuple((bytes(name), bytes(value)) for name, value in request.headers)
            target = request.target
            if request.method != b"CONNECT" and (address := _ADDRESS.match(target)):
                target = target[address.end() :]
                fields += () if any(name == b"host" for name, _ in fields) else ((b"host", address[1]),)
            requests.append(Understood(request.method, target, request.http_version, fields, read))
            parser.send(h11.Response(status_code=404, headers=[(b"content-length", b"0")]))
            parser.send(h11.EndOfMessage())
            if parser.their_state is h11.MUST_CLOSE:
                return Reading(tuple(requests))
            parser.start_next_cycle()
    except h11.RemoteProtocolError as error:
        return Reading(tuple(requests), error.error_status_hint)
