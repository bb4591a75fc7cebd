"""The command line: ``scoreboard serve``, and the verbs of its operators."""

from __future__ import annotations

from importlib import import_module
from typing import NamedTuple

import click

from scoreboard.settings_reader import describe


class Verb(NamedTuple):
    """Where a verb stands, and what the help says of it, as its own help does; without that it is not told."""

    module: str
    name: str
    says: str | None


VERBS = {
    "serve": Verb("scoreboard.server.serve_command", "serve_command", "Serve until SIGTERM or Ctrl-C."),
    "worker": Verb("scoreboard.server.serve_command", "worker_command", None),
    "action": Verb(
        "scoreboard.server.action_command", "action", "Say what players can do for points, and what it is worth."
    ),
    "audit": Verb(
        "scoreboard.server.audit_command",
        "audit",
        "Look into what was done, and prove that nobody has changed it since.",
    ),
    "backup": Verb(
        "scoreboard.server.operating.backup_commands",
        "backup_command",
        "Write a server, running or not, to a folder: its database and its keys.",
    ),
    "drain": Verb(
        "scoreboard.server.operating.leaving_commands",
        "drain_command",
        "Let a running server, or one worker, finish and end, seeing its clients off.",
    ),
    "effective-settings": Verb("scoreboard.server.serve_command", "effective_settings_command", None),
    "fraud": Verb(
        "scoreboard.server.fraud_command",
        "fraud",
        "Look into what the watch on fraud found, and how well it finds.",
    ),
    "key": Verb("scoreboard.server.key_command", "key", "Rotate keys, register those of the game, and retire them."),
    "rebuild": Verb(
        "scoreboard.server.operating.rebuild_command",
        "rebuild_command",
        "Read the boards of a running server anew from PostgreSQL, and fill Redis.",
    ),
    "reload": Verb(
        "scoreboard.server.operating.leaving_commands",
        "reload_command",
        "Replace the workers of a running server one by one, by new code and settings.",
    ),
    "replay": Verb(
        "scoreboard.replay.command",
        "replay",
        "Play a season of real football through the public API of a running server.",
    ),
    "restore": Verb(
        "scoreboard.server.operating.backup_commands",
        "restore_command",
        "Make a data directory of a backup, and see that nothing is missing.",
    ),
    "service": Verb(
        "scoreboard.server.service_command", "service", "Let servers of a game send batches of scores, and stop them."
    ),
    "smoke": Verb(
        "scoreboard.server.operating.smoke_command",
        "smoke_command",
        "Sign up at a running server, score, see it on the live feed, and leave.",
    ),
    "status": Verb(
        "scoreboard.server.operating.status_command",
        "status_command",
        "Print how the running server is: workers, actors, mailboxes, event loop, how far behind, stores.",
    ),
    "supervise": Verb(
        "scoreboard.server.operating.supervise_command",
        "supervise_command",
        "Serve, and start again what fails or does not answer.",
    ),
    "user": Verb("scoreboard.server.user_command", "user", "Look after players."),
}


class Verbs(click.Group):
    """Loads a verb when it is wanted: who looks after keys does not wait for all that a server needs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All but those that are not told."""
        return sorted([*super().list_commands(ctx), *(name for name, verb in VERBS.items() if verb.says)])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb, if there is one of that name."""
        verb = VERBS.get(cmd_name)
        if verb is None:
            return super().get_command(ctx, cmd_name)
        found: click.Command = getattr(import_module(verb.module), verb.name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's
        """What the help says of each, for which none is loaded."""
        own = {name: command.get_short_help_str(limit=100) for name, command in self.commands.items()}
        told = own | {name: verb.says for name, verb in VERBS.items() if verb.says}
        with formatter.section("Commands"):
            formatter.write_dl(sorted(told.items()))


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="scoreboard", message="%(prog)s %(version)s")
def main() -> None:
    """A live scoreboard server: scores kept exactly once, and every screen shows the ranking as it moves."""


@main.command("settings")
def settings_command() -> None:
    """Print all settings as a table in Markdown, as it stands in docs/settings.md."""
    click.echo("| variable | default | meaning |\n| --- | --- | --- |")
    for setting in describe():
        spoken = str(setting.default).lower() if isinstance(setting.default, bool) else setting.default
        default = f"`{spoken}`" if setting.default not in {None, ""} else ""
        click.echo(f"| `{setting.variable}` | {default} | {setting.meaning}; {setting.expected} |")


if __name__ == "__main__":
    main()
