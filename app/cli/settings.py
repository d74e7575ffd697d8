"""`cekal settings`: lists all settings and their values."""

from dataclasses import asdict
from typing import Annotated

import typer

from app.cli.printing import print_json, print_table


def settings(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")] = False,
    as_markdown: Annotated[
        bool,
        typer.Option(
            "--markdown", help="Print docs/settings.md: every setting, and nothing of this machine."
        ),
    ] = False,
) -> None:
    """List every setting: its present value, where the value comes from, its default and what it does.

    A setting is an environment variable, or a line NAME=value of the file that CEKAL_SETTINGS names; the environment
    wins. Secrets are hidden.

    For example:

        cekal settings

        CEKAL_SETTINGS=/etc/cekal.env cekal settings --json
    """
    from app.settings_sources import list_settings

    known = list_settings()
    if as_json:
        print_json({"items": [asdict(each) for each in known]})
    elif as_markdown:
        typer.echo(_HEAD)
        for each in known:
            default = f"`{each.default}`" if each.default else ""
            cells = (f"`{each.name}`", default, each.values, each.meaning)
            typer.echo(f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |")
    else:
        rows = [(each.name, each.value, each.source, each.default, each.meaning) for each in known]
        print_table(("setting", "value", "from", "default", "meaning"), rows)


_HEAD = """\
# Settings

A setting is an environment variable, or a line `NAME=value` of the file that `CEKAL_SETTINGS` names; the environment
wins. A variable `CEKAL_…`, or a line of the file, that is no setting is refused. `cekal settings` lists what holds on a
machine and where that comes from.

This page is printed by `cekal settings --markdown`; a test holds it to the code.

| setting | default | values | meaning |
| --- | --- | --- | --- |"""
