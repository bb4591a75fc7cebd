"""``scoreboard rebuild``: boards and Redis from what is on disk."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from scoreboard.server.operating.following import follow
from scoreboard.server.verbs import data_option, settings_of

#: Longer than a server takes for a board.
TOLD_WITHIN_S = 1000.0


@click.command("rebuild")
@data_option
def rebuild_command(data: str | None) -> None:
    """Read the boards of a running server anew from PostgreSQL, and fill Redis.

    Boards are served as they are until the new ones are whole; then who watches is shown a new epoch. The sorted set,
    which only readers beside the server use, lacks players while it is filled. Ends with 0 when all of it is done, with
    1 if not (nothing is lost, and it can be repeated), with 3 if no server runs.
    """
    sys.exit(follow(Path(settings_of(data).data_dir), "rebuild", within_s=TOLD_WITHIN_S))
