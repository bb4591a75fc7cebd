"""What every answer tells a browser, whatever is in it. Pages say for themselves what they may load."""

from __future__ import annotations

Headers = tuple[tuple[bytes, bytes], ...]

#: Believe the type that is told; show this in no frame; tell no other site where one was; and use no device.
SAFE: Headers = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
POLICY = b"content-security-policy"
#: For what is no page, but may be opened like one.
NO_PAGE = (POLICY, b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
GUARDED: Headers = (*SAFE, NO_PAGE)
GUARDED_TEXT = tuple((name.decode("ascii"), value.decode("ascii")) for name, value in GUARDED)


def only_secure(seconds: int) -> Headers:
    """That this host is to be asked through TLS only, for so long; nothing for 0 (RFC 6797)."""
    return ((b"strict-transport-security", b"max-age=%d; includeSubDomains" % seconds),) if seconds else ()
