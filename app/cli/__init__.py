"""The `cekal` command: one small module for each group of commands; large libraries are loaded only when needed."""

import sys


def main() -> None:
    """Run the command given by the process's arguments; the entry point of the `cekal` script."""
    from app.cli import failures, handover

    job = handover.take_job()
    if job is not None:
        from app.kit.garbage import defer_searches

        defer_searches()
        from app.cli import serving

        sys.exit(failures.guarded(lambda: serving.run(job)))
    from app.cli.commands import run

    sys.exit(failures.guarded(lambda: run(sys.argv[1:])))
