"""What new workers are made of."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from scoreboard.observe.logs import make_logger
from scoreboard.server.crew.line import Assignment, Orders
from scoreboard.server.operating.farewell import Farewell
from scoreboard.server.operating.renewal import NotRenewed, Recipe, changes, merged, settings_now
from scoreboard.settings import Board, Door, Settings, Stores

STARTED = replace(Settings(), workers=2, door=Door(port=8000))
RUNNING = replace(STARTED, stores=Stores(postgres_url="postgresql://own", redis_url="redis://own"))


def test_what_the_parent_has_in_its_hands_stays_and_is_told() -> None:
    """Stores of its own among that; all else is as the new code reads it."""
    wanted = replace(STARTED, door=Door(port=9000, connections=7), board=Board(tick_s=0.5))
    fresh, left = merged(msgspec.to_builtins(wanted), STARTED, RUNNING)
    assert ["door.port stays as it is until the whole server is started anew"] == left
    made = msgspec.convert(fresh, Settings)
    assert (8000, 7, 0.5, "postgresql://own") == (
        made.door.port,
        made.door.connections,
        made.board.tick_s,
        made.stores.postgres_url,
    )
    assert ["board.tick_s", "door.connections"] == list(changes(msgspec.to_builtins(RUNNING), fresh))


def test_a_worker_of_newer_code_takes_what_it_knows_of_the_orders_of_an_older_parent() -> None:
    """And an older worker of a newer one's: settings that either does not know are left out, or as by default."""
    plain = msgspec.to_builtins(RUNNING)
    plain["board"]["of_the_future"] = 7
    del plain["board"]["ping_s"]
    text = msgspec.json.encode(Orders(seat=1, count=2, sockets="/there", settings=plain))
    told = msgspec.json.decode(text, type=Assignment)
    assert (RUNNING, 1) == (told.settings, told.number)


async def test_settings_are_read_by_the_program_that_is_installed_and_what_it_refuses_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By its own sentence; then nothing has changed."""
    file = tmp_path / "settings.toml"
    file.write_text("[board]\ntick_s = 0.5\n")
    monkeypatch.setenv("SCOREBOARD_CONFIG", str(file))
    recipe = Recipe(STARTED, RUNNING, {"workers": 2, "door.port": None}, make_logger(stream=io.StringIO()))
    told: list[dict[str, object]] = []
    await recipe.renew(told.append)
    assert [{"says": "settings: board.tick_s changed"}] == told
    assert 0.5 == recipe.settings["board"]["tick_s"]
    file.write_text("[board]\ntick_s = 'quick'\n")
    with pytest.raises(NotRenewed, match=r"board\.tick_s in .* is 'quick'"):
        await recipe.renew(told.append)
    with pytest.raises(NotRenewed, match="must be"):
        await settings_now({"workers": 0})
    assert 0.5 == recipe.settings["board"]["tick_s"]


@pytest.mark.parametrize("words", ["", "1", "1 2", "x 1 2", "-1 1 2", "1 2 301", "nan 1 1"])
def test_a_farewell_that_makes_no_sense_is_refused(words: str) -> None:
    """One that does comes out as it went in."""
    assert Farewell.read(Farewell(7.5, (0.25, 3.0)).words) == Farewell(7.5, (0.25, 3.0))
    with pytest.raises(ValueError, match=r"."):
        Farewell.read(words)
