"""The server of the demonstration: `cekal serve` in its own process, on a real port of this machine."""

import asyncio
import os
import socket
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2

import app

HOST = "127.0.0.1"
LOG = "server.log"

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class ServerDidNotStart(RuntimeError):
    """The server ended, or was not ready in time."""


def is_free(port: int) -> bool:
    """Return whether this port of this machine is free."""
    try:
        with socket.socket() as door:
            if os.name == "posix":  # there it skips ports that linger after a close, elsewhere it steals them
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((HOST, port))
    except OSError:
        return False
    return True


def any_free_port() -> int:
    """Return a port that is free at this moment."""
    with socket.socket() as door:
        door.bind((HOST, 0))
        return int(door.getsockname()[1])


def http_client(url: str, connections: int | None, read_seconds: float = 30.0) -> httpx2.AsyncClient:
    """Return an HTTP client for the server that never uses a proxy.

    Args:
        url: the server's address.
        connections: the largest number of connections; None for no limit.
        read_seconds: the seconds to wait for the next bytes.
    """
    # A connection is let go before the server does so, or a request might be sent into a closing one.
    limits = httpx2.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=2
    )
    timeout = httpx2.Timeout(30.0, read=read_seconds, pool=None)
    return httpx2.AsyncClient(base_url=url, limits=limits, timeout=timeout, trust_env=False)


@asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[tuple[str, Process]]:
    """Serve the register in a folder during the block. Yields the server's address and its process.

    Settings of this process's environment are not passed on: the demonstration must never touch another
    register. Ctrl-C at the terminal reaches this process alone, which ends the server when its streams are closed.

    Raises:
        ServerDidNotStart: the server ended or was not ready in time.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CEKAL_")}
    environment["CEKAL_DATA_DIR"] = str(folder)
    package = str(Path(app.__file__).parents[1])
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (package, environment.get("PYTHONPATH"))))
    command = [sys.executable, "-m", "app.cli", "serve", "--host", HOST, "--port", str(port)]
    with (folder / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=STDOUT,
            start_new_session=True,
        )
    url = f"http://{HOST}:{port}"
    try:
        await _ready(url, process)
        yield url, process
    finally:
        await _stop(process)


async def _ready(url: str, process: Process) -> None:
    until = asyncio.get_running_loop().time() + _START_SECONDS
    async with http_client(url, 1) as http:
        while asyncio.get_running_loop().time() < until:
            if process.returncode is not None:
                break
            try:
                if (await http.get("/readyz")).is_success:
                    return
            except httpx2.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.05)
    raise ServerDidNotStart("The server did not start.")


async def _stop(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
