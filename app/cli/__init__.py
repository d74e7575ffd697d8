"""The `cekal` command: one small module a group of commands; nothing heavy is loaded before it is needed."""

import sys


def main() -> None:
    """Run the command that this process's arguments name; the entry point of the `cekal` script."""
    from app.cli import failures, handover

    job = handover.job()
    if job is not None:
        from app.cli import serving

        sys.exit(failures.guarded(lambda: serving.run(job)))
    from app.cli.commands import run

    sys.exit(failures.guarded(lambda: run(sys.argv[1:])))
