"""The real server: uvicorn in a process of its own, on a real port of this machine."""

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
    """Whether nobody listens on this port of this machine."""
    try:
        with socket.socket() as door:
            if os.name == "posix":  # there it skips ports that linger after a close, elsewhere it steals them
                door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind((HOST, port))
    except OSError:
        return False
    return True


def any_free_port() -> int:
    """A port on which nobody listens at this moment."""
    with socket.socket() as door:
        door.bind((HOST, 0))
        return int(door.getsockname()[1])


def http_client(url: str, connections: int | None, read_seconds: float = 30.0) -> httpx2.AsyncClient:
    """A client of the server, which never goes through a proxy.

    Args:
        url: the server's address.
        connections: how many it opens at most; None for as many as it likes.
        read_seconds: how long it waits for the next bytes.
    """
    # A connection is let go before the server does so, or a request might be sent into a closing one.
    limits = httpx2.Limits(
        max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=2
    )
    timeout = httpx2.Timeout(30.0, read=read_seconds, pool=None)
    return httpx2.AsyncClient(base_url=url, limits=limits, timeout=timeout, trust_env=False)


@asynccontextmanager
async def serving(folder: Path, port: int) -> AsyncIterator[tuple[str, Process]]:
    """The register of a folder, served for the block's length; gives its address and its process.

    Settings of this process's environment are not passed on: the demonstration must never touch another
    register.

    Raises:
        ServerDidNotStart: as it says.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CEKAL_")}
    environment["CEKAL_DATA_DIR"] = str(folder)
    command = [
        sys.executable,
        "-m",
        "uvicorn",
        "app.asgi:app",
        "--app-dir",
        str(Path(app.__file__).parents[1]),
    ]
    options = ["--host", HOST, "--port", str(port), "--ws", "none", "--timeout-graceful-shutdown", "3"]
    with (folder / LOG).open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command, *options, env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=STDOUT
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
