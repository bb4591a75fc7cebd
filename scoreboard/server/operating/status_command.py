"""``scoreboard status``: how a running server is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from scoreboard.server.operating.asking import NOT_RUNNING, NoAnswer, NotRunning, ask
from scoreboard.server.operating.status_page import page
from scoreboard.server.operating.verdict import wrong
from scoreboard.server.told import json_option
from scoreboard.server.verbs import FAILED, data_option, settings_of


@click.command("status")
@json_option
@data_option
def status_command(data: str | None, *, as_json: bool) -> None:
    """Print how the running server is: workers, actors, mailboxes, event loop, how far behind, stores.

    Ends with 0 if all is well, with 1 if something is not (the first lines say what), with 3 if no server runs.
    """
    data_dir = Path(settings_of(data).data_dir)
    try:
        [told, *_] = ask(data_dir, "status")
        problems = wrong(told)
    except NotRunning as error:
        told, problems, status = {}, [str(error)], NOT_RUNNING
    except (NoAnswer, ValueError) as error:
        told, problems, status = {}, [str(error) or "it says nothing"], FAILED
    else:
        status = FAILED if problems else 0
    click.echo("\n".join(_lines(told, problems, as_json=as_json)))
    sys.exit(status)


def _lines(told: dict[str, Any], problems: list[str], *, as_json: bool) -> list[str]:
    if as_json:
        shown = {name: value for name, value in told.items() if name != "end"}
        return [json.dumps({"well": not problems, "wrong": problems, **shown}, indent=2)]
    return list(page(told, problems)) if told else [f"scoreboard: {sentence}" for sentence in problems]
