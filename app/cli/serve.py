"""`cekal serve` and `cekal worker`: the long-running processes."""

from typing import Annotated

import typer

from app.cli.handover import Job, replace_process


def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes; more than one needs PostgreSQL.")
    ] = 1,
) -> None:
    """Serve the register over HTTP, its documentation at /docs.

    The process also runs the worker's loops. They do what no request asks for, such as ending measures by law and
    reporting missed deadlines and silent checkpoints. On PostgreSQL one process at a time runs them. One line is logged
    when the service is ready. SIGTERM or Ctrl-C ends the streams and the process within five seconds.

    The schema must be the program's own, or on PostgreSQL a newer one that still serves it: run `cekal migrate` first,
    and after each new version.

    For example:

        cekal serve

        cekal serve --host 0.0.0.0 --port 8000 --workers 4

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_TRUSTED_PROXIES (networks whose X-Forwarded-For is
    believed); CEKAL_METRICS_BIND (host:port of /metrics without a key; each further worker takes the next port);
    CEKAL_TLS_CERTIFICATE, CEKAL_TLS_KEY (PEM files; then it speaks TLS only); CEKAL_LOG_LEVEL, CEKAL_LOG_JSON; and all
    those of the register itself.
    """
    replace_process(Job(serve=True, host=host, port=port, workers=workers))


def worker() -> None:
    """Run only the worker's loops, without HTTP: what is due at a time, such as the end of a measure by law.

    For PostgreSQL deployments that run the loops in other processes than HTTP. Several workers may run: one at a time
    does the work, and another takes over when it ends. On SQLite `cekal serve` runs the loops itself.

    For example:

        cekal worker

    Settings: CEKAL_DATABASE_URL, CEKAL_LOG_LEVEL, CEKAL_LOG_JSON.
    """
    replace_process(Job(serve=False))
