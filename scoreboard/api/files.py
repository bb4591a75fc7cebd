"""The page and the documents: files of a folder, read once at start, so that no path of a request touches the disk."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Container
from dataclasses import dataclass
from pathlib import Path

from scoreboard.api.answer import Answer, Headers, matches
from scoreboard.api.compression import LEAST_BYTES, VARIES, packed
from scoreboard.api.errors import not_found
from scoreboard.api.request import ApiRequest
from scoreboard.wire.browsers import POLICY

TYPES = {
    ".html": b"text/html; charset=utf-8",
    ".css": b"text/css; charset=utf-8",
    ".js": b"text/javascript; charset=utf-8",
    ".ts": b"text/plain; charset=utf-8",  # types for who writes programs
    ".svg": b"image/svg+xml",
    ".png": b"image/png",
    ".ico": b"image/vnd.microsoft.icon",
    ".webmanifest": b"application/manifest+json",
    ".woff2": b"font/woff2",
    ".md": b"text/plain; charset=utf-8",  # browsers show it instead of saving it
}
#: Names carry no version, so each use asks whether the file is still the same: parts of two releases never mix.
REVALIDATE = (b"cache-control", b"no-cache")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?")
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    content: bytes
    etag: bytes
    headers: Headers
    small: bytes | None = None  # as gzip, where that is smaller

    def answer(self, request: ApiRequest, more: Headers = ()) -> Answer:
        """The file, or that the client has it already."""
        if matches(request.header(b"if-none-match"), self.etag):
            return Answer(304, b"", ((b"etag", self.etag), REVALIDATE, VARIES, *more))
        small = self.small
        return Answer(200, self.content, self.headers + more, None if small is None else lambda: small)


def load(folder: Path, names: Container[str] | None = None) -> dict[str, File]:
    """All files of known types under `folder`, or those of `names`, by path relative to it. Blocks; called at start."""
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in TYPES and path.is_file()]
    named = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: _file(path) for name, path in named.items() if names is None or name in names}


def _file(path: Path) -> File:
    return file_of(path.read_bytes(), TYPES[path.suffix])


def file_of(content: bytes, media: bytes) -> File:
    """Something made at start, as if it had been a file."""
    etag = b'W/"%s"' % hashlib.blake2b(content, digest_size=12).hexdigest().encode()
    headers = ((b"content-type", media), (b"etag", etag), REVALIDATE)
    small = packed(content) if len(content) >= LEAST_BYTES else content
    return File(content, etag, headers, small if len(small) < len(content) else None)


class FolderRoute:
    """The files of one folder."""

    def __init__(self, folder: Path, names: Container[str] | None = None) -> None:
        self._files = load(folder, names)

    def __repr__(self) -> str:
        return f"<FolderRoute, {len(self._files)} files>"

    async def index(self, request: ApiRequest) -> Answer:
        """The folder's page, under a policy that lets it load and connect to nothing but this server."""
        return self._page(INDEX, request)

    def shown(self, name: str) -> Callable[[ApiRequest], Awaitable[Answer]]:
        """A view of another page, under the same policy."""

        async def view(request: ApiRequest) -> Answer:
            return self._page(name, request)

        return view

    def _page(self, name: str, request: ApiRequest) -> Answer:
        return self._named(name).answer(request, page_headers(request.header(b"host")))

    async def contents(self, request: ApiRequest) -> Answer:
        """The addresses of all files, one a line."""
        listing = "".join(f"{request.path}/{name}\n" for name in self._files).encode()
        return Answer(200, listing, ((b"content-type", TYPES[".md"]), REVALIDATE))

    async def file(self, request: ApiRequest, name: str) -> Answer:
        """One file."""
        return self._named(name).answer(request)

    def _named(self, name: str) -> File:
        if name not in self._files:
            raise not_found()
        return self._files[name]


def page_headers(host: str | None) -> Headers:
    """What a browser must hold to while it shows the page.

    `'self'` does not cover WebSockets of the same origin in every browser, so they are named, if the host that the
    browser gave looks like one. A policy cannot name an IPv6 address; there `'self'` must do.
    """
    sockets = f" ws://{host} wss://{host}" if host and _HOST.fullmatch(host) else ""
    policy = (
        "default-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{sockets}; "
        "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    return ((POLICY, policy.encode("ascii")),)
