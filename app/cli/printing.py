"""Output of the commands: tables for people, JSON for scripts, progress on a terminal only."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import typer

from app.kit.stages import Amount

_WIDE = 1000
"""Width in columns if the output is not a terminal, so that nothing is cut off in a file."""


def print_json(document: Any) -> None:
    """Print a JSON document on standard output."""
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table on standard output: the columns' headings, then the rows."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(str(cell) for cell in row))
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console = Console(markup=False, highlight=False, width=_WIDE)
    console.print(table)


@contextmanager
def progress(
    what: str,
    unit: Amount | Literal["checks", "pairs", "persons", "queries"],
) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar labelled `what` during the block, if standard error is a terminal.

    Yields the function that advances the bar. Its arguments are the amount done and the total, both in `unit`; a total
    of 0 means that the total is unknown. Without a terminal the function does nothing.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    amount = DownloadColumn() if unit == "bytes" else MofNCompleteColumn()
    columns = (TextColumn("{task.description}"), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total or None)
