"""All commands of `cekal`, and the reporting of their usage errors."""

from collections.abc import Sequence
from typing import Annotated

import typer

from app.cli import (
    backup,
    client,
    clock,
    conformance,
    demo,
    evaluate,
    importing,
    keys,
    lists,
    migrate,
    openapi,
    page,
    serve,
    settings,
    verify,
    witness,
    witnesses,
)
from app.cli.failures import INTERRUPTED, OK, Refused

_EPILOG = """
Every command reads the same settings: environment variables CEKAL_…, or the file that CEKAL_SETTINGS names. Without
any, the register is SQLite in ./cekal-data; CEKAL_DATABASE_URL=postgresql://… or sqlite:///… names another one.

Exit codes: 0 done, 1 failed, 2 asked for something that can't be.
"""

commands = typer.Typer(
    name="cekal",
    help="Indonesia's travel-ban register: serve it, found it, fill it, back it up.",
    epilog=_EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
commands.command()(serve.serve)
commands.command()(serve.worker)
commands.add_typer(witness.commands, name="witness")
commands.command()(witnesses.witnesses)
commands.command()(demo.demo)
commands.command()(migrate.migrate)
commands.command()(backup.backup)
commands.command()(backup.restore)
commands.command()(verify.verify)
commands.add_typer(client.commands, name="client")
commands.add_typer(clock.commands, name="clock")
commands.add_typer(keys.commands, name="keys")
commands.add_typer(importing.commands, name="import")
commands.command()(conformance.conformance)
commands.command()(evaluate.evaluate)
commands.command()(lists.clients)
commands.command()(lists.agencies)
commands.command()(lists.checkpoints)
commands.command()(lists.offices)
commands.command()(page.page)
commands.command()(settings.settings)
commands.command()(openapi.openapi)


def _print_version(requested: bool) -> None:
    if requested:
        from app import __version__

        typer.echo(f"cekal {__version__}")
        raise typer.Exit


@commands.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version.")
    ] = False,
) -> None:
    """The options of `cekal` itself, before a command."""


def run(arguments: Sequence[str]) -> int:
    """Run a command. Returns its exit code.

    Raises:
        Refused: the arguments are wrong, or the command refuses to run.
        KeyboardInterrupt: the command was interrupted.
        Exception: any other error of the command.
    """
    try:
        code = commands(list(arguments), prog_name="cekal", standalone_mode=False)
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        if not message:  # the help was shown, because nothing was asked for
            return error.exit_code
        context = getattr(error, "ctx", None)
        help_of = context.command_path if context else "cekal"
        raise Refused(f"{message}. See: {help_of} --help", usage=error.exit_code > 1) from None
    if code == INTERRUPTED:  # Typer has caught it, and prints nothing
        raise KeyboardInterrupt
    return code if isinstance(code, int) else OK
