"""PostgreSQL's processes, stopped: their connections stay open and answer nothing, as on a machine that hangs."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
from sqlalchemy.engine import make_url


async def backends(address: str) -> list[int]:
    """Ids of the processes that serve a database's connections now."""
    url = make_url(address)
    server = url.set(database="postgres").render_as_string(hide_password=False)
    connection = await asyncpg.connect(server)
    try:
        requested = "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND backend_type = 'client backend'"
        return [row["pid"] for row in await connection.fetch(requested, url.database)]
    finally:
        await connection.close(timeout=2)


@asynccontextmanager
async def stopped(address: str) -> AsyncIterator[list[int]]:
    """Every present backend of a database is stopped for the block's length; new connections work."""
    pids = await backends(address)
    _signal(pids, signal.SIGSTOP)
    try:
        yield pids
    finally:
        _signal(pids, signal.SIGCONT)


async def ended(address: str, pids: list[int], within: float = 10.0) -> None:
    """Return once none of these processes serves the database any more.

    Raises:
        TimeoutError: one still did after so many seconds.
    """
    async with asyncio.timeout(within):
        while set(pids) & set(await backends(address)):  # noqa: ASYNC110 - another process tells no event
            await asyncio.sleep(0.05)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
