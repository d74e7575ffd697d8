"""The servers of the demonstration: `cekal` commands in processes of their own, on real ports of this machine."""

import asyncio
import os
import shlex
import socket
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx2

import app

HOST = "127.0.0.1"
LOG = "server.log"

_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


class ServerDidNotStart(RuntimeError):
    """Raised if a process of the demonstration, the register's or the witness's, ended or was not ready in time."""


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


class Server:
    """`cekal serve` of the register in a folder, in a separate process that can be replaced by another.

    Args:
        stack: ends the processes when it is closed.
        folder: the folder of the register.
        port: the port.
        settings: the settings of the processes, by environment variable.

    Attributes:
        url: the server's address.
        process: the process that was started last.
    """

    process: Process

    def __init__(self, stack: AsyncExitStack, folder: Path, port: int, **settings: str) -> None:
        self.url = f"http://{HOST}:{port}"
        self._stack = stack
        self._folder = folder
        self._port = port
        self._settings = settings

    async def start(self) -> None:
        """Start a process and wait until it is ready.

        Raises:
            ServerDidNotStart: the process ended or was not ready in time.
        """
        arguments = ("serve", "--host", HOST, "--port", str(self._port))
        serving = running(arguments, self._folder / LOG, f"{self.url}/readyz", **self._settings)
        self.process = await self._stack.enter_async_context(serving)

    async def kill(self) -> None:
        """Kill the process with SIGKILL, so that it can do nothing more, and wait for its end."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def serving(folder: Path, port: int, witness_policy: Path, page_command: Path) -> AsyncIterator[Server]:
    """Serve the register in a folder during the block. Yields the server.

    Args:
        folder: the folder of the register.
        port: the port.
        witness_policy: the policy file that names the register's witness.
        page_command: absolute path of the program that pages people.

    Raises:
        ServerDidNotStart: the server ended or was not ready in time.
    """
    settings = {
        "CEKAL_DATA_DIR": str(folder),
        "CEKAL_WITNESS_POLICY": str(witness_policy),
        "CEKAL_PAGE_COMMAND": shlex.quote(str(page_command)),
        "CEKAL_DAILY_DRILL": "false",  # the story counts what it does itself
    }
    async with AsyncExitStack() as stack:
        server = Server(stack, folder, port, **settings)
        await server.start()
        yield server


@asynccontextmanager
async def running(
    arguments: Sequence[str], log: Path, ready_at: str, **settings: str
) -> AsyncIterator[Process]:
    """Run a `cekal` command that serves, in a process of its own, during the block. Yields the process once it serves.

    Ctrl-C at the terminal does not reach the process; the end of the block ends it.

    Args:
        arguments: the command's arguments, without `cekal`.
        log: the file to which the command's output is appended.
        ready_at: the address that answers with success once the command serves.
        settings: the command's settings, by environment variable.

    Raises:
        ServerDidNotStart: the process ended or was not ready in time.
    """
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command(arguments),
            env=environment(**settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=STDOUT,
            start_new_session=True,
        )
    try:
        await _ready(ready_at, process, arguments[0])
        yield process
    finally:
        await _stop(process)


def command(arguments: Sequence[str]) -> list[str]:
    """Return the command line that runs `cekal` with these arguments by this Python."""
    return [sys.executable, "-m", "app.cli", *arguments]


def environment(**settings: str) -> dict[str, str]:
    """Return the environment of a `cekal` command with these settings, by environment variable.

    Settings of this process's environment are not passed on: the demonstration must never touch another register.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("CEKAL_")}
    package = str(Path(app.__file__).parents[1])
    path = os.pathsep.join(filter(None, (package, own.get("PYTHONPATH"))))
    return {**own, **settings, "PYTHONPATH": path}


async def _ready(url: str, process: Process, name: str) -> None:
    until = asyncio.get_running_loop().time() + _START_SECONDS
    async with http_client(url, 1) as http:
        while asyncio.get_running_loop().time() < until:
            if process.returncode is not None:
                break
            try:
                if (await http.get(url)).is_success:
                    return
            except httpx2.TransportError:
                pass  # not listening yet
            await asyncio.sleep(0.05)
    raise ServerDidNotStart(f"`cekal {name}` did not start.")


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
