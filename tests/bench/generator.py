"""Load generators are processes of their own; both ends of the line between them and the bench.

A line of JSON each: first the generator's configuration, then commands, each answered by one line. The generator ends
when its input does.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any, Self

from tests.bench.scoreboard_subject import TOP
from tests.bench.subject import processor_s

Command = dict[str, Any]


class GeneratorFailed(Exception):
    """A load generator ended; what it had to say stands on standard error."""


class Generator:
    """A load generator as the bench sees it; a scope that ends its process."""

    def __init__(self, module: str, **config: Any) -> None:
        self._name = module
        self._process = subprocess.Popen(
            [sys.executable, "-m", module], cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._write(config)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def begin(self, **command: Any) -> None:
        """Give a command; `result` waits for its answer."""
        self._write(command)

    def result(self) -> Command:
        """The answer to the last command."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise GeneratorFailed(f"{self._name} ended with status {self._process.wait()}")
        answer: Command = json.loads(line)
        return answer

    def processor_s(self) -> float:
        """The processor time that the generator has used so far."""
        return processor_s(self._process.pid)

    def ask(self, **command: Any) -> Command:
        """`begin` and `result`."""
        self.begin(**command)
        return self.result()

    def _write(self, value: Command) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(value).encode() + b"\n")
        self._process.stdin.flush()


def obey(make: Callable[[Command], Callable[[Command], Command]]) -> None:
    """The main loop of a generator: `make` gets the configuration and returns what answers commands."""
    answer = make(json.loads(sys.stdin.buffer.readline()))
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()
