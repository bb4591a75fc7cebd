from __future__ import annotations

import re
from pathlib import Path

import pytest

from scoreboard.settings import Settings
from scoreboard.settings_reader import SettingsError, describe, load


def problems_of(environ: dict[str, str], overrides: dict[str, object] | None = None) -> list[str]:
    """What a start with these settings would say."""
    with pytest.raises(SettingsError) as refused:
        load(environ, overrides)
    assert "\n".join(refused.value.problems) == str(refused.value)
    return refused.value.problems


def test_without_any_setting_the_documents_values_hold() -> None:
    """A server needs no configuration; the contract's numbers are the defaults."""
    settings = load({"PATH": "/bin", "SCOREBOARDS": "of somebody else"})
    assert Settings() == settings
    assert (86_400, 30 * 86_400, 10, 60) == (
        settings.tokens.access_s,
        settings.tokens.refresh_s,
        settings.tokens.refresh_grace_s,
        settings.tokens.action_s,
    )
    assert (10, 5, True) == (
        settings.limits.tokens_per_minute,
        settings.limits.increments_per_minute,
        settings.limits.enabled,
    )
    assert ("scoreboard-api", "scoreboard-client", 12) == (
        settings.tokens.issuer,
        settings.tokens.audience,
        settings.passwords.rounds,
    )


def test_later_sources_win(tmp_path: Path) -> None:
    """File over default, environment over file, command line over environment."""
    file = tmp_path / "scoreboard.toml"
    file.write_text('data_dir = "x"\n[door]\nport = 1\nhost = "file"\nconnections = 3000\n[board]\ntick_s = 2\n')
    environ = {"SCOREBOARD_CONFIG": str(file), "SCOREBOARD_DOOR_PORT": "2", "SCOREBOARD_DOOR_HOST": "environment"}
    settings = load(environ, {"door.port": 3, "stores.redis_url": None})
    assert (3, "environment", 3000) == (settings.door.port, settings.door.host, settings.door.connections)
    assert ("x", 2.0, None) == (settings.data_dir, settings.board.tick_s, settings.stores.redis_url)


def test_an_empty_variable_counts_as_not_set() -> None:
    """As compose files leave them."""
    assert Settings() == load({"SCOREBOARD_STORES_POSTGRES_URL": "", "SCOREBOARD_CONFIG": ""})


@pytest.mark.parametrize(
    ("word", "meant"), [("on", True), ("Yes", True), ("1", True), ("off", False), ("FALSE", False), ("no", False)]
)
def test_yes_and_no_may_be_said_in_the_usual_words(word: str, meant: bool) -> None:  # noqa: FBT001
    """In the environment as on the command line."""
    assert meant is load({"SCOREBOARD_LIMITS_ENABLED": word}).limits.enabled
    assert meant is load({}, {"limits.enabled": word}).limits.enabled


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("SCOREBOARD_DOOR_PORT", "http", "a whole number of at least 0 and at most 65535"),
        ("SCOREBOARD_DOOR_PORT", "65536", "a whole number of at least 0 and at most 65535"),
        ("SCOREBOARD_DOOR_PORT", "80.5", "a whole number of at least 0 and at most 65535"),
        ("SCOREBOARD_BOARD_TICK_S", "nan", "a number of at least 0.05 and at most 60"),
        ("SCOREBOARD_BOARD_TICK_S", "inf", "a number of at least 0.05 and at most 60"),
        ("SCOREBOARD_STORES_CONNECT_WITHIN_S", "0", "a number above 0 and at most 3600"),
        ("SCOREBOARD_LIMITS_ENABLED", "maybe", "on or off"),
        ("SCOREBOARD_LOGS_FORMAT", "xml", "one of auto, console, json"),
        ("SCOREBOARD_STORES_REDIS_PREFIX", "two words", "like scoreboard: or {scoreboard}:"),
        ("SCOREBOARD_STORES_REDIS_PREFIX", "{}:", "like scoreboard: or {scoreboard}:"),
        ("SCOREBOARD_STORES_REDIS_PREFIX", "{a}{b}:", "like scoreboard: or {scoreboard}:"),
    ],
)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: str, right: str) -> None:
    """One line: the variable, what it is, what it must be."""
    assert [f"{name} is {value!r}, but must be {right}"] == problems_of({name: value})


@pytest.mark.parametrize("prefix", ["scoreboard:", "{scoreboard}:", "games:{one}:"])
def test_a_prefix_in_redis_may_have_a_hash_tag(prefix: str) -> None:
    """Some scripts touch several keys at once; where Redis is a cluster they must lie in one slot."""
    assert prefix == load({"SCOREBOARD_STORES_REDIS_PREFIX": prefix}).stores.redis_prefix


def test_everything_that_is_wrong_is_said_at_once() -> None:
    """Nobody should start a server five times to find five mistakes."""
    environ = {"SCOREBOARD_DOOR_PORT": "x", "SCOREBOARD_BOARD_TICK_S": "y", "SCOREBOARD_NONSENSE_QQ": "1"}
    assert 4 == len(problems_of(environ, {"workers": "many"}))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("SCOREBOARD_PORT", "SCOREBOARD_DOOR_PORT"),
        ("SCOREBOARD_TICK_S", "SCOREBOARD_BOARD_TICK_S"),
        ("SCOREBOARD_CONFG", "SCOREBOARD_CONFIG"),
    ],
)
def test_an_unknown_variable_is_an_error_with_a_guess(name: str, meant: str) -> None:
    """A typing mistake does not leave the default in place unnoticed."""
    assert [f"{name} is no setting; did you mean {meant}?"] == problems_of({name: "1"})


def test_a_mistake_in_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    """Wrong values, wrong types and unknown keys."""
    file = tmp_path / "s.toml"
    file.write_text('[door]\nport = "8000x"\nprot = 1\n[limits]\nenabled = 1\n[board]\ntick_s = true\n')
    assert [
        f"door.prot in {file} is no setting; did you mean door.port?",
        f"door.port in {file} is '8000x', but must be a whole number of at least 0 and at most 65535",
        f"limits.enabled in {file} is 1, but must be on or off",
        f"board.tick_s in {file} is True, but must be a number of at least 0.05 and at most 60",
    ] == problems_of({"SCOREBOARD_CONFIG": str(file)})


@pytest.mark.parametrize(("content", "sentence"), [(b"door = [", "not TOML"), (b"\xff", "not TOML")])
def test_a_file_that_is_no_toml_is_refused(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Named by the variable that led to it."""
    file = tmp_path / "s.toml"
    file.write_bytes(content)
    [problem] = problems_of({"SCOREBOARD_CONFIG": str(file)})
    assert problem.startswith("SCOREBOARD_CONFIG is")
    assert sentence in problem


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """A server with defaults instead of the operator's file would be worse than none."""
    [problem] = problems_of({"SCOREBOARD_CONFIG": str(tmp_path / "nowhere.toml")})
    assert "cannot be read: No such file" in problem


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"SCOREBOARD_DOOR_CONNECTIONS": "10"}, r"at most SCOREBOARD_DOOR_CONNECTIONS \(10\)"),
        ({"SCOREBOARD_TOKENS_REFRESH_S": "60"}, r"not be less than SCOREBOARD_TOKENS_ACCESS_S \(86400\)"),
        ({"SCOREBOARD_STORES_POSTGRES_URL": "mysql://me:secret@x"}, "must be like postgresql://"),
        ({"SCOREBOARD_STORES_POSTGRES_REPLICA_URL": "secret"}, "REPLICA_URL must be like postgresql://"),
        ({"SCOREBOARD_STORES_REDIS_URL": "http://me:secret@x"}, "must be like redis://"),
        ({"SCOREBOARD_STORES_REDIS_URL": "redis+sentinel://:secret@x"}, "sentinel://:password@one,two/service"),
        ({"SCOREBOARD_CAPTCHA_URL": "https://x"}, "SCOREBOARD_CAPTCHA_SECRET go together"),
        ({"SCOREBOARD_CAPTCHA_URL": "x", "SCOREBOARD_CAPTCHA_SECRET": "secret"}, "must be like https://"),
    ],
)
def test_values_that_contradict_each_other_are_refused(environ: dict[str, str], sentence: str) -> None:
    """The sentence names both; what may hold a password is not repeated."""
    [problem] = problems_of(environ)
    assert re.search(sentence, problem)
    assert "secret" not in problem


def test_every_setting_is_described() -> None:
    """The help has a name, a meaning and a rule for each; the default follows the rule."""
    settings = describe()
    assert len({setting.variable for setting in settings}) == len(settings) > 20
    for setting in settings:
        assert re.fullmatch(r"SCOREBOARD_[A-Z_]+", setting.variable)
        assert setting.meaning
        assert setting.expected
        if setting.default is not None:
            assert load({setting.variable: str(setting.default)}) == Settings()


def test_settings_cannot_be_changed() -> None:
    """They were checked once, and stay as they were checked."""
    with pytest.raises(AttributeError):
        load({}).door.port = 1  # type: ignore[misc]


def test_each_kind_of_period_ends_in_a_zone_that_there_is() -> None:
    """A name of the world's list; a wrong one is told with its setting."""
    assert load({"SCOREBOARD_BOARDS_DAILY_ZONE": "Europe/Berlin"}).boards.daily_zone == "Europe/Berlin"
    for wrong in ("Europe/Berlinn", "../etc/passwd", "Europe", "/usr"):
        assert problems_of({"SCOREBOARD_BOARDS_WEEKLY_ZONE": wrong}) == [
            f"SCOREBOARD_BOARDS_WEEKLY_ZONE is {wrong!r}, but must be a time zone like Europe/Berlin"
        ]
