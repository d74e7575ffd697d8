"""Has a snapshot made by another process, and ends that process when nobody waits for it any more."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from contextlib import suppress
from typing import Final

import msgspec

from app.sync.snapshots import making
from app.sync.snapshots.making import Made, Order

_SHOWN: Final = 2000
"""Characters of its standard error that are logged."""


class MakingFailed(Exception):
    """The process that makes snapshots has failed; the message is the end of its standard error."""


async def have_made(order: Order) -> Made:
    """Start a process that makes the ordered snapshot, wait for its end, and return its result.

    If the caller is cancelled, the process is killed. After an error the caller removes the file.

    Raises:
        MakingFailed: the process failed, or was killed.
        OSError: the process can't be started.
    """
    command = (sys.executable, "-m", making.__name__)
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        said, errors = await process.communicate(msgspec.json.encode(order))
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise MakingFailed(errors.decode(errors="replace")[-_SHOWN:] or f"exit status {process.returncode}")
    return msgspec.json.decode(said, type=Made)
