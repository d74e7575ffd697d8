"""`cekal demo`: shows the story of an urgent entry, on this machine."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the story.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of the server; 0 for any free one.")
    ] = 8000,
    folder: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder of the register; by default ./cekal-demo, with --once a temporary one.",
        ),
    ] = None,
) -> int:
    """Demonstrate Cekal with a real server on this machine; only the persons are invented.

    The demonstration needs nothing: it creates a register on SQLite, starts the server, connects a stream for each of
    the 171 checkpoints, and shows how an urgent entry gets from the officer's desk to the counters. Each step states
    claims and checks them. Then the server runs on, with keys and `curl` lines to try. Exit code 0 if every claim was
    true, else 1.

    For example:

        cekal demo

        cekal demo --once

    Settings: none; those in the environment are ignored, so that no other register is touched.
    """
    from app.demo.story import run

    return run(once=once, port=port, folder=folder)
