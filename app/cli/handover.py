"""Replacement of this process by a long-running job, without the memory used by the command line.

A server does not need the libraries of the command line, yet they would stay in its memory for ever. So once
the arguments are parsed, the process replaces itself by the same program (same id, same parent), which receives
its job and loads nothing else.
"""

import json
import os
import sys
from dataclasses import dataclass
from typing import NoReturn

_JOB = "_CEKAL_JOB"


@dataclass(frozen=True, slots=True)
class Job:
    """The job of a long-running process.

    Attributes:
        serve: whether to serve HTTP; otherwise only the worker's loops run.
        host: the address to listen on.
        port: the port to listen on; 0 for any free one.
        workers: the number of processes.
    """

    serve: bool
    host: str = ""
    port: int = 0
    workers: int = 1


def replace_process(job: Job) -> NoReturn:
    """Replace this process by one that runs the job. Returns only by an error.

    Raises:
        OSError: the program can't be executed again.
    """
    encoded = {"serve": job.serve, "host": job.host, "port": job.port, "workers": job.workers}
    os.environ[_JOB] = json.dumps(encoded)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very program, with the arguments it was given


def take_job() -> Job | None:
    """Return the job that `replace_process` has handed over to this process; None if there is none.

    The job is removed from the environment, so that no child of this process inherits it.
    """
    encoded = os.environ.pop(_JOB, None)
    return None if encoded is None else Job(**json.loads(encoded))
