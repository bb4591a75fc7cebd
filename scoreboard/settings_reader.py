"""Reads the settings once at start, and says in a line each what is wrong with them.

Later wins: default, TOML file (named by SCOREBOARD_CONFIG), environment, command line. An empty variable counts as not
set.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import msgspec

from scoreboard.settings import PREFIX, Group, Settings
from scoreboard.settings_checks import contradictions

CONFIG = "SCOREBOARD_CONFIG"

# What the operator writes for yes and no, beside what msgspec knows.
_SPOKEN = {"on": True, "yes": True, "true": True, "1": True, "off": False, "no": False, "false": False, "0": False}


class SettingsError(Exception):
    """The server cannot start with these settings. One line for each thing that is wrong, with what would be right."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its path in the tree, its variable, its default and what it means."""

    path: str
    variable: str
    default: Any
    meaning: str
    type: Any

    @property
    def expected(self) -> str:
        """What would be right, in words."""
        return _in_words(msgspec.inspect.type_info(self.type))


def describe() -> tuple[Setting, ...]:
    """Every setting in the order of the tree, for the page of settings."""
    return tuple(_walk(Settings, ""))


def load(environ: Mapping[str, str], overrides: Mapping[str, object] | None = None) -> Settings:
    """The settings of a server; `overrides` come from the command line, by path (`{"door.port": 8000}`).

    Raises:
        SettingsError: with everything that is wrong, not only the first.
    """
    known = {setting.path: setting for setting in describe()}
    problems: list[str] = []
    given = {
        **_from_file(environ.get(CONFIG), known, problems),
        **_from_environment(environ, known, problems),
        **{path: (value, path) for path, value in (overrides or {}).items() if value is not None},
    }
    values = {}
    for path, (value, name) in given.items():
        try:
            values[path] = _convert(known[path], value)
        except msgspec.ValidationError:
            problems.append(f"{name} is {value!r}, but must be {known[path].expected}")
    if not problems:
        settings = _build(values)
        problems = contradictions(settings)
        if not problems:
            return settings
    raise SettingsError(problems)


def _walk(group: type[Group], prefix: str) -> Iterator[Setting]:
    hints = get_type_hints(group, include_extras=True)
    for item in msgspec.structs.fields(group):
        path = prefix + item.name
        if item.default is msgspec.NODEFAULT:
            yield from _walk(hints[item.name], path + ".")
        else:
            meaning = _meaning(hints[item.name])
            yield Setting(path, PREFIX + path.upper().replace(".", "_"), item.default, meaning, hints[item.name])


def _meaning(hint: Any) -> str:
    return next(str(meta.description) for meta in reversed(hint.__metadata__) if meta.description)


def _from_environment(
    environ: Mapping[str, str], known: Mapping[str, Setting], problems: list[str]
) -> dict[str, tuple[object, str]]:
    paths = {setting.variable: path for path, setting in known.items()}
    given: dict[str, tuple[object, str]] = {}
    for name, value in environ.items():
        if name in paths and value:
            given[paths[name]] = (value, name)
        elif name.startswith(PREFIX) and name not in paths and name != CONFIG:
            problems.append(f"{name} is no setting{_did_you_mean(name, [*paths, CONFIG])}")
    return given


def _from_file(name: str | None, known: Mapping[str, Setting], problems: list[str]) -> dict[str, tuple[object, str]]:
    if not name:
        return {}
    try:
        content = tomllib.loads(Path(name).read_text(encoding="utf-8"))
    except OSError as error:
        problems.append(f"{CONFIG} is {name!r}, which cannot be read: {error.strerror}")
        return {}
    except ValueError as error:
        problems.append(f"{CONFIG} is {name!r}, which is not TOML: {error}")
        return {}
    flat = dict(_flatten(content, ""))
    problems += [f"{path} in {name} is no setting{_did_you_mean(path, known)}" for path in flat if path not in known]
    return {path: (value, f"{path} in {name}") for path, value in flat.items() if path in known}


def _flatten(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _did_you_mean(name: str, known: Mapping[str, Any] | list[str]) -> str:
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


def _convert(setting: Setting, value: object) -> object:
    if isinstance(value, str) and isinstance(setting.default, bool):
        value = _SPOKEN.get(value.strip().lower(), value)
    if isinstance(value, bool) and not isinstance(setting.default, bool):
        raise msgspec.ValidationError
    return msgspec.convert(value, setting.type, strict=not isinstance(value, str))


def _build(values: Mapping[str, object]) -> Settings:
    tree: dict[str, Any] = {}
    for path, value in values.items():
        group, _, name = path.rpartition(".")
        (tree.setdefault(group, {}) if group else tree)[name] = value
    return msgspec.convert(tree, Settings)


def _in_words(kind: msgspec.inspect.Type) -> str:
    match kind:
        case msgspec.inspect.Metadata(type=inner, extra_json_schema=extra):
            examples = (extra or {}).get("examples")
            return f"like {examples[0]}" if examples else _in_words(inner)
        case msgspec.inspect.BoolType():
            return "on or off"
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(sorted(map(str, values)))
        case msgspec.inspect.IntType() | msgspec.inspect.FloatType():
            number = "a whole number" if isinstance(kind, msgspec.inspect.IntType) else "a number"
            above = f" of at least {kind.ge}" if kind.ge is not None else f" above {kind.gt}"
            return f"{number}{above} and at most {kind.le}"
        case _:
            return "some text"
