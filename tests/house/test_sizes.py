"""Small functions, small files."""

from __future__ import annotations

import ast

from tests.house.sources import PACKAGES, TOP, none_of, python_files

LONGEST_FUNCTION = 40
LONGEST_FILE = 400


def test_no_function_is_longer_than_forty_lines() -> None:
    """Rarely forty, never more, in what is shipped and in what tests it."""
    none_of(long for path in python_files(*PACKAGES, "tests", "scripts") for long in long_functions(path))


def test_no_file_is_longer_than_four_hundred_lines() -> None:
    """A longer one holds two nouns."""
    files = python_files(*PACKAGES, "tests", "scripts")
    sizes = {path: (TOP / path).read_text().count("\n") for path in files}
    none_of(f"{path} has {size} lines" for path, size in sizes.items() if size > LONGEST_FILE)


def long_functions(path: str) -> list[str]:
    """Each function of a file that is too long, as a line to print."""
    found = []
    for node in ast.walk(ast.parse((TOP / path).read_text(), path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > LONGEST_FUNCTION:
                found.append(f"{path}:{node.lineno} {node.name} has {size} lines")
    return found
