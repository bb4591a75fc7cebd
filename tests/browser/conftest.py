"""A real Chromium for the tests of the page; without one they say so loudly, and in CI they fail."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect, sync_playwright

from tests.browser.stage import Stage

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = [
    "--no-sandbox",  # the tests may run as root, where the sandbox does not
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MISSING = "THE PAGE WAS NOT TESTED: no Chromium on this machine (looked for " + ", ".join(PROGRAMS) + ")"
SHOTS = Path(__file__).parent / "shots"

expect.set_options(timeout=10_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[Stage]:
    """Another origin on this machine."""
    stage = Stage()
    stage.start()
    yield stage
    stage.stop()


@pytest.fixture(scope="module")
def chromium(pytestconfig: pytest.Config) -> Iterator[Browser]:
    """One browser for all tests of a file.

    Not for longer, because Playwright keeps an asyncio loop running in the thread that the tests share, and those of
    other rooms run loops of their own there.
    """
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        _say_loudly(pytestconfig)
        (pytest.fail if os.environ.get("CI", "") not in {"", "0", "false"} else pytest.skip)(MISSING)
    with _playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@contextmanager
def _playwright() -> Iterator[Playwright]:
    # Whoever imports trio-asyncio gives all of asyncio loops that want Trio; Playwright needs a plain one.
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    try:
        with sync_playwright() as playwright:
            yield playwright
    finally:
        asyncio.set_event_loop_policy(None)


@pytest.fixture
def stage() -> Iterator[Stage]:
    """The scripted server, empty at first."""
    stage = Stage()
    stage.start()
    yield stage
    stage.stop()


@dataclass
class Witness:
    """What went wrong behind the page's back. `tolerates` is a pattern of console errors that a test provokes."""

    host: str
    tolerates: str = r"(?!)"
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(f"uncaught: {error}"))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc != self.host:
            self.foreign.append(url)

    def verify(self) -> None:
        """No console error but the tolerated, no request to another host."""
        assert [] == [error for error in self.errors if not re.search(self.tolerates, error)]
        assert [] == self.foreign


@pytest.fixture
def witness(stage: Stage) -> Iterator[Witness]:
    """Holds after each test that nothing failed unseen and nobody else was asked."""
    witness = Witness(urlsplit(stage.origin).netloc)
    yield witness
    witness.verify()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(chromium: Browser, stage: Stage, witness: Witness) -> Iterator[OpenPage]:
    """Opens the page in a context of its own; keyword arguments are those of Playwright's `new_context`."""
    contexts = []

    def opener(*, before: Callable[[Page], object] | None = None, **options: Any) -> Page:
        context = chromium.new_context(**({"viewport": {"width": 1280, "height": 800}} | options))
        contexts.append(context)
        page = context.new_page()
        witness.watch(page)
        if before:
            before(page)
        page.goto(stage.origin + "/")
        return page

    yield opener
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The page as most people see it."""
    return open_page()


@pytest.fixture(scope="module")
def modules(chromium: Browser) -> Iterator[Callable[..., Any]]:
    """Calls a function of one of the page's modules: `modules("board.js", "applyDiff", board, data)`."""
    stage = Stage()
    stage.start()
    page = chromium.new_page()
    page.goto(stage.origin + "/harness/blank.html")

    def call(file: str, function: str, *arguments: Any) -> Any:
        folder = "web" if (Path(__file__).parents[2] / "scoreboard/web" / file).exists() else "harness"
        script = "async ([file, name, given]) => (await import(file))[name](...given)"
        return page.evaluate(script, [f"/{folder}/{file}", function, list(arguments)])

    yield call
    page.close()
    stage.stop()


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keeps a picture for people to look at."""
    SHOTS.mkdir(exist_ok=True)

    def keep(page: Page, name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png")

    return keep


def _say_loudly(config: pytest.Config) -> None:
    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        bar = "!" * len(MISSING)
        sys.stderr.write(f"\n{bar}\n{MISSING}\n{bar}\n")
