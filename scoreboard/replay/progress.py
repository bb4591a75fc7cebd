"""What the person sees while a replay runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from scoreboard.replay.tally import Scoreline

REFRESH_S = 0.1
PLAIN_S = 2.0


class Reporter(Protocol):
    """Tells the person how it goes. Used as a context manager round the run."""

    def say(self, text: str) -> None:
        """One sentence on a line of its own."""
        ...

    def show(self, line: Scoreline, now: float) -> None:
        """The state has changed; may be called for every point."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class PlainReporter:
    """Lines for a file or a pipe: the state every other second and at its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown_at = float("-inf")
        self._last: Scoreline | None = None
        self._shown: Scoreline | None = None

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def show(self, line: Scoreline, now: float) -> None:
        """Print the state if the last one is old enough."""
        self._last = line
        if now - self._shown_at >= PLAIN_S:
            self._shown_at = now
            self._print()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._print()

    def _print(self) -> None:
        if self._last is not None and self._last != self._shown:
            self._shown = self._last
            self.say(plain_line(self._last))


class BarReporter:
    """A progress bar that is drawn at most ten times a second, from the replay's own task: no thread beside it."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("[bold]{task.fields[line].day}"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("matches"),
            TextColumn("{task.fields[line].points:,} points · {task.fields[line].cycles_per_s:,.0f} cycles/s"),
            TextColumn("{task.fields[leader]}", style="green", markup=False),
            console=console,
            auto_refresh=False,
            expand=True,
        )
        self._console = console
        self._drawn_at = float("-inf")

    def say(self, text: str) -> None:
        """Print a line above the bar."""
        self._console.print(text, markup=False, highlight=False)

    def show(self, line: Scoreline, now: float) -> None:
        """Move the bar."""
        if not self._progress.tasks:
            self._progress.add_task("replay", total=line.matches, line=line, leader=_leader(line))
        task = self._progress.tasks[0]
        self._progress.update(task.id, completed=line.matches_played, line=line, leader=_leader(line))
        if now - self._drawn_at >= REFRESH_S:
            self._drawn_at = now
            self._progress.refresh()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.refresh()
        self._progress.stop()


def reporter_for(console: Console) -> Reporter:
    """The reporter that fits where the output goes."""
    return BarReporter(console) if console.is_terminal else PlainReporter(console)


def plain_line(line: Scoreline) -> str:
    """The state as one line of text."""
    return (
        f"{line.day}  {line.matches_played:,}/{line.matches:,} matches  {line.points:,}/{line.points_total:,} points  "
        f"{line.cycles_per_s:,.0f} cycles/s  {_leader(line)}"
    )


def _leader(line: Scoreline) -> str:
    return f"{line.leader} {line.leader_points}" if line.leader_points else ""
