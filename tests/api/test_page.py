from __future__ import annotations

from pathlib import Path

import pytest

from scoreboard.api.errors import REFUSALS
from scoreboard.security.keys import KeyRing
from tests.api.wire import ask
from tests.api.world import WEB, World, running_world

DOCS = WEB.parent / "docs"


async def test_the_page_is_served_under_a_strict_policy(world: World) -> None:
    """Nothing inline, nothing from elsewhere, and the live feed of the same host."""
    sent = await ask(world.app, "GET", "/", headers=[(b"host", b"board.example:8000")])
    policy = dict(part.strip().split(" ", 1) for part in sent.headers["content-security-policy"].split(";"))
    assert (200, "text/html; charset=utf-8") == (sent.status, sent.headers["content-type"])
    assert (WEB / "index.html").read_bytes() == sent.body
    assert "'self'" == policy["default-src"]
    assert "'self' ws://board.example:8000 wss://board.example:8000" == policy["connect-src"]
    assert "unsafe" not in str(policy)
    assert ("nosniff", "DENY") == (sent.headers["x-content-type-options"], sent.headers["x-frame-options"])


@pytest.mark.parametrize("host", [b"evil; script-src *", b"a b", b"", b"x" * 300, b"\xe9", b"a'unsafe-inline'"])
async def test_a_host_that_is_none_does_not_get_into_the_policy(world: World, host: bytes) -> None:
    """The header is the client's."""
    sent = await ask(world.app, "GET", "/", headers=[(b"host", host)])
    assert "connect-src 'self';" in sent.headers["content-security-policy"]


@pytest.mark.parametrize("host", [b"127.0.0.1", b"LOCALHOST:1"])
async def test_addresses_are_hosts_too(world: World, host: bytes) -> None:
    """In all forms that a policy knows."""
    sent = await ask(world.app, "GET", "/", headers=[(b"host", host)])
    assert f"ws://{host.decode()} wss:" in sent.headers["content-security-policy"]


async def test_the_policy_names_no_ipv6_address(world: World) -> None:
    """Its grammar has none: browsers complain of one in the console and ignore it."""
    sent = await ask(world.app, "GET", "/", headers=[(b"host", b"[::1]:8000")])
    assert "connect-src 'self';" in sent.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("app.js", "text/javascript; charset=utf-8"),
        ("page.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ],
)
async def test_its_parts_have_their_types(world: World, name: str, kind: str) -> None:
    """A browser runs no module of another type."""
    sent = await ask(world.app, "GET", f"/web/{name}")
    assert (200, kind, (WEB / name).read_bytes()) == (sent.status, sent.headers["content-type"], sent.body)


async def test_a_file_is_not_sent_to_who_has_it(world: World) -> None:
    """Every use asks, and the answer is short as long as nothing has changed."""
    first = await ask(world.app, "GET", "/web/app.js")
    assert "no-cache" == first.headers["cache-control"]
    again = await ask(world.app, "GET", "/web/app.js", headers=[(b"if-none-match", first.headers["etag"].encode())])
    assert (304, b"") == (again.status, again.body)
    page = await ask(world.app, "GET", "/")
    again = await ask(world.app, "GET", "/", headers=[(b"if-none-match", page.headers["etag"].encode())])
    assert 304 == again.status
    assert "content-security-policy" in again.headers


@pytest.mark.parametrize(
    "path",
    [
        "/web/",
        "/web/../settings.py",
        "/web/../../pyproject.toml",
        "/web//etc/passwd",
        "/web/..%2f..%2fpyproject.toml",
        "/web/app.js/",
        "/web/app.js\0",
        "/web/./app.js",
        "/web/\\..\\secret",
        "/index.html",
        "/docs/x.md",
    ],
)
async def test_no_address_leads_out_of_the_folder(world: World, path: str) -> None:
    """Only names that were found at start are served."""
    assert 404 == (await ask(world.app, "GET", path)).status


async def test_only_files_of_known_types_are_served(ring: KeyRing, tmp_path: Path) -> None:
    """Whatever else lies in the folder stays there."""
    (tmp_path / "index.html").write_text("<p>hello")
    (tmp_path / "notes.py").write_text("secret")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "x.css").write_text("p {}")
    async with running_world(ring=ring, web=tmp_path) as world:
        assert b"<p>hello" == (await ask(world.app, "GET", "/")).body
        assert b"p {}" == (await ask(world.app, "GET", "/web/deep/x.css")).body
        assert 404 == (await ask(world.app, "GET", "/web/notes.py")).status


async def test_documents_are_served_as_text(ring: KeyRing, tmp_path: Path) -> None:
    """A list of their addresses, and each at its own."""
    (tmp_path / "live.md").write_text("# Live")
    async with running_world(ring=ring, docs_dir=tmp_path) as world:
        listing, document = await ask(world.app, "GET", "/docs"), await ask(world.app, "GET", "/docs/live.md")
    assert b"/docs/live.md\n" == listing.body
    assert (b"# Live", "text/plain; charset=utf-8") == (document.body, document.headers["content-type"])


async def test_the_rest_document_names_every_address_and_refusal(world: World) -> None:
    """Game developers have nothing else to read."""
    document = (DOCS / "rest.md").read_text()
    paths = {route.path.removesuffix("/{name:path}") for route in world.app.routes.values()}
    assert [] == [path for path in sorted(paths) if path.startswith("/api/") and path not in document]
    assert [] == [code for code in REFUSALS if f"`{code}`" not in document]
