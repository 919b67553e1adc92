"""`aigen`: one console script; each command is loaded when it is asked for."""

import sys
from importlib import import_module

import click

#: Name, module and short help; the modules import what takes half a second.
_COMMANDS = {
    "up": ("serve:up", "Start everything: API, worker and frontend, on this machine."),
    "api": ("serve:api", "Start the HTTP API, with a worker inside."),
    "web": ("web:web", "Start the web frontend alone."),
    "worker": ("worker:worker", "Start a standalone worker."),
    "simulator": ("simulator:simulator", "Start a provider that costs nothing, for demos."),
    "users": ("users:users", "Add, list, change and remove accounts."),
    "db": ("db:db", "Migrate, back up, restore, check and move the database."),
    "history": ("history:history", "Remove what people have had made long ago."),
    "settings": ("settings:settings", "Print every setting, its value and its meaning."),
    "generate": ("generate:generate", "Make a text, an image or a video from the terminal."),
}


class _Lazy(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name][0].partition(":")
        found = import_module(f"aigen.entrypoints.commands.{module}")
        command: click.Command = getattr(found, name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aigen")
def cli() -> None:
    """One OpenRouter key as a service for many people.

    \b
    Example:
      aigen up        starts everything and prints the addresses and the first login

    Settings are environment variables, also read from .env: see `aigen settings`.
    """


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 failed, 2 wrong usage or settings."""
    from aigen.domain.model.errors import AigenError  # noqa: PLC0415 - not for --help

    try:
        cli(prog_name="aigen")
    except AigenError as error:
        from aigen.entrypoints.processes import say  # noqa: PLC0415

        sys.exit(say(error))
