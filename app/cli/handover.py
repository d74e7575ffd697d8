"""Handing this process over to a long-running job, with a clean memory.

The libraries of the command line are of no use to a server, yet they would stay in its memory for ever. So once
the arguments are understood, the process replaces itself by the same program (same id, same parent), which is
told its job and loads nothing else.
"""

import json
import os
import sys
from dataclasses import dataclass
from typing import NoReturn

_JOB = "_CEKAL_JOB"


@dataclass(frozen=True, slots=True)
class Job:
    """What a long-running process is to do.

    Attributes:
        serve: serve HTTP; otherwise run the worker's loops alone.
        host: address to listen on.
        port: port to listen on; 0 for any.
        workers: how many processes.
    """

    serve: bool
    host: str = ""
    port: int = 0
    workers: int = 1


def hand_over(job: Job) -> NoReturn:
    """Replace this process by one that does the job."""
    told = {"serve": job.serve, "host": job.host, "port": job.port, "workers": job.workers}
    os.environ[_JOB] = json.dumps(told)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, sys.orig_argv)  # noqa: S606 - this very program, with the arguments it was given


def job() -> Job | None:
    """The job that this process was handed over to, if it was; told once, so that no child is told as well."""
    told = os.environ.pop(_JOB, None)
    return None if told is None else Job(**json.loads(told))
