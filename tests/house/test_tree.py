"""What lies where, and what must not lie anywhere."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest

from tests.house.sources import PACKAGES, TOP, all_imports, imports_of, none_of, tracked

TOP_LEVEL = {"actors", "scoreboard", "tests", "scripts", "pyproject.toml", "hypercorn.toml", "README.md"}
PIN = re.compile(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+(  # .*)?")


def test_the_top_level_holds_only_what_has_its_place_there() -> None:
    """Besides dot files, nothing but the fixed names."""
    none_of({path.split("/")[0] for path in tracked() if not path.startswith(".")} - TOP_LEVEL)


def test_every_constraint_is_a_plain_pin() -> None:
    """A name and a version; no address, no path, no option."""
    lines = (TOP / "scripts/constraints.txt").read_text().splitlines()
    none_of(line for line in lines if not line.startswith("#") and not PIN.fullmatch(line))


def test_every_dependency_is_pinned() -> None:
    """Nothing that pyproject.toml asks for is left to chance."""
    lines = (TOP / "scripts/constraints.txt").read_text().splitlines()
    none_of(asked("test", "check", "bench", "learner") - {plain(line.split("==")[0]) for line in lines})


@pytest.mark.parametrize(("folders", "extras"), [(PACKAGES, ("learner",)), (("tests",), ("test", "bench"))])
def test_every_library_that_is_imported_is_asked_for(folders: tuple[str, ...], extras: tuple[str, ...]) -> None:
    """What comes only because another library needs it may go again with that library's next version."""
    sold_as, have = packages_distributions(), asked(*extras)
    none_of(
        f"{found}, which pyproject.toml does not ask for"
        for found in all_imports(*folders)
        if (library := found.module.split(".")[0]) not in {*sys.stdlib_module_names, *PACKAGES, "tests"}
        and have.isdisjoint(map(plain, sold_as.get(library, [library])))
    )


def test_the_bench_needs_nothing_but_what_its_verb_installs() -> None:
    """Where all tests run everything is there; a fresh clone that only measures has no library of the tests."""
    sold_as, have = packages_distributions(), asked("bench")
    ours = (*PACKAGES, "tests")
    none_of(
        f"{found}, which scripts/bench does not install"
        for path in reached_from("tests/bench/__main__.py")
        for found in imports_of((TOP / path).read_text(), path)
        if (library := found.module.split(".")[0]) not in {*sys.stdlib_module_names, *ours}
        and have.isdisjoint(map(plain, sold_as.get(library, [library])))
    )


def reached_from(start: str) -> set[str]:
    """The files of the tests that are imported by this one, and by those."""
    reached, todo = set[str](), [start]
    while todo:
        path = todo.pop()
        if path not in reached:
            reached.add(path)
            modules = [found.module for found in imports_of((TOP / path).read_text(), path)]
            todo += [file for module in modules for file in files_of(module) if file.startswith("tests/")]
    return reached


def files_of(name: str) -> list[str]:
    """The file of a module, or of the module that a name stands in, and of the packages around it."""
    parts = name.split(".")
    stems = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    paths = [path for stem in stems for path in (f"{stem}.py", f"{stem}/__init__.py")]
    return [path for path in paths if (TOP / path).is_file()]


def test_every_dependency_has_its_reason_beside_it() -> None:
    """One line, one dependency, one comment."""
    text = (TOP / "pyproject.toml").read_text().partition("[project.scripts]")[0]
    requirements = re.findall(r'^    "[a-z].*$', text, re.MULTILINE)
    self_evident = ('    "pytest>',)
    none_of(line for line in requirements if "#" not in line and not line.startswith(self_evident))


@pytest.mark.parametrize("words", ["index" + "-url", "find" + "-links", "/ro" + "ot/", "PIP_" + "INDEX"])
def test_no_file_names_this_machine_or_a_registry(words: str) -> None:
    """Where packages come from and where a clone lies are the business of each machine."""
    files = [TOP / path for path in tracked()]
    none_of(str(file) for file in files if file.is_file() and words.encode() in file.read_bytes())


def test_what_the_packages_read_is_installed_with_them() -> None:
    """A file that is not Python goes into a wheel only if pyproject.toml names it; a clone would not miss it."""
    data = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    packed = {
        str(path.relative_to(TOP))
        for package, patterns in data.items()
        for pattern in patterns
        for folder in (PACKAGES if package == "*" else [package.replace(".", "/")])
        for path in (TOP / folder).glob(pattern)
    }
    none_of(path for path in tracked() if path.startswith(PACKAGES) and not path.endswith(".py") and path not in packed)


def asked(*extras: str) -> set[str]:
    """The names of the packages that pyproject.toml asks for, with these extras."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {plain(re.split(r"[\[<>=]", one)[0]) for some in lists for one in some}


def plain(name: str) -> str:
    """A package name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()
