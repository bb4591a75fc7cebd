"""Who may know whom, and which library belongs to which room."""

from __future__ import annotations

import pytest

from tests.house.import_law import offence
from tests.house.sources import PACKAGES, Import, all_imports, imports_of, none_of


def test_no_import_breaks_the_law() -> None:
    """Every import of both packages is allowed; otherwise the line and the reason are printed."""
    none_of([f"{found}: {reason}" for found in all_imports(*PACKAGES) if (reason := offence(found))])


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("actors/user/actor.py", "scoreboard.api.routes"),
        ("actors/user/actor.py", "actors.ledger.actor.Ledger"),
        ("actors/user/actor.py", "actors.ledger"),
        ("actors/user/actor.py", "redis"),
        ("actors/runtime/cell.py", "sortedcontainers.SortedList"),
        ("actors/runtime/cell.py", "actors.ports"),
        ("actors/ports/scores.py", "actors.user.messages"),
        ("scoreboard/stores/postgres.py", "actors.user.messages"),
        ("scoreboard/stores/postgres.py", "scoreboard.settings"),
        ("scoreboard/api/routes.py", "scoreboard.stores.postgres"),
        ("scoreboard/api/routes.py", "scoreboard.settings.Settings"),
        ("scoreboard/api/routes.py", "actors.ledger.accounts.AccountsActor"),
        ("scoreboard/api/routes.py", "actors.connection.connection.LiveConnection"),
        ("scoreboard/api/routes.py", "jwt"),
        ("scoreboard/live/socket.py", "quart"),
        ("scoreboard/live/socket.py", "httptools"),
        ("scoreboard/api/routes.py", "h11"),
        ("scoreboard/door/door.py", "wsproto.events"),
        ("scoreboard/door/door.py", "werkzeug.routing"),
        ("scoreboard/door/door.py", "trio_websocket"),
        ("scoreboard/door/door.py", "scoreboard.observe.logs"),
        ("scoreboard/wire/scores.py", "scoreboard.api.answer"),
        ("scoreboard/wire/scores.py", "scoreboard.security.tokens"),
        ("scoreboard/wire/scores.py", "actors.connection.connection.LiveConnection"),
        ("scoreboard/wire/scores.py", "trio"),
        ("scoreboard/stores/postgres.py", "scoreboard.wire.times"),
        ("scoreboard/replay/client.py", "scoreboard.security.names"),
        ("scoreboard/client/line.py", "scoreboard.wire.rows"),
        ("scoreboard/client/line.py", "actors.ports"),
        ("scoreboard/client/line.py", "msgspec"),
        ("scoreboard/live/socket.py", "scoreboard.client.board"),
        ("scoreboard/server/compose.py", "scoreboard.client"),
    ],
)
def test_a_forbidden_import_is_noticed(path: str, module: str) -> None:
    """Each kind of offence has a reason."""
    assert offence(Import(path, 1, module)) is not None


@pytest.mark.parametrize(
    ("path", "module"),
    [
        ("actors/user/actor.py", "actors.ledger.messages.Commit"),
        ("actors/user/actor.py", "actors.runtime.Ref"),
        ("actors/runtime/cell.py", "trio"),
        ("scoreboard/stores/postgres.py", "actors.ports.ScoreStore"),
        ("scoreboard/stores/postgres.py", "asyncpg"),
        ("scoreboard/api/routes.py", "scoreboard.security.tokens"),
        ("scoreboard/api/routes.py", "actors.ledger.messages.Register"),
        ("scoreboard/live/socket.py", "actors.connection.connection.LiveConnection"),
        ("scoreboard/server/compose.py", "scoreboard.stores.postgres"),
        ("scoreboard/server/compose.py", "trio_asyncio"),
        ("scoreboard/client/network.py", "trio_websocket"),
        ("scoreboard/replay/client.py", "scoreboard.client"),
        ("scoreboard/api/routes.py", "scoreboard.wire.scores.ScoreJson"),
        ("scoreboard/live/dialect.py", "scoreboard.wire.rows.row_json"),
        ("scoreboard/wire/scores.py", "actors.user.token.ActionToken"),
        ("scoreboard/wire/problems.py", "scoreboard.security.errors.TokenRefused"),
    ],
)
def test_what_the_law_allows_is_let_pass(path: str, module: str) -> None:
    """The law does not stand in the way of the ways of the house."""
    assert offence(Import(path, 1, module)) is None


def test_hidden_and_relative_imports_are_seen() -> None:
    """An import within a function and one with leading dots count like any other."""
    text = "def f():\n    import jwt\n\nfrom ..api import routes\nfrom . import near\n"
    assert {"jwt", "scoreboard.api.routes", "scoreboard.live.near"} == {
        found.module for found in imports_of(text, "scoreboard/live/x.py")
    }
