"""Certificates of an authority that lives as long as the process of the tests."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import trustme


@cache
def authority() -> trustme.CA:
    """Who issues them."""
    return trustme.CA()


def write_certificate(folder: Path) -> tuple[Path, Path]:
    """A fresh certificate for localhost and its private key, as files."""
    issued = authority().issue_cert("localhost", "127.0.0.1")
    certificate, private_key = folder / "tls.pem", folder / "tls.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    private_key.touch(mode=0o600)
    private_key.write_bytes(issued.private_key_pem.bytes())
    return certificate, private_key


def trusting(alpn: list[str] | None = None) -> ssl.SSLContext:
    """What a client that knows the authority is ready for."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    context.set_alpn_protocols(alpn or ["h2", "http/1.1"])
    return context
