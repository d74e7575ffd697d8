"""The long-running processes themselves; Typer and rich are not loaded here."""

import asyncio
import logging
import os
import signal
import socket
import sys
from ipaddress import ip_address
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.supervisors import Multiprocess

from app.cli.failures import FAILED, OK, Refused
from app.cli.handover import Job
from app.cli.register import expect_founded
from app.db.engine import driver_url, require_writable
from app.db.migrate import require_newest
from app.kit import logs
from app.settings import Settings, load_settings
from app.web.problems import problem_response
from app.wiring import wired_runtime

logger = logging.getLogger(__name__)

BACKLOG: Final = 4096
"""Connections that may wait to be taken: every checkpoint of the country may come back at once."""

GRACE_SECONDS: Final = 4
"""How long answers may take that are under way when the process is told to end."""


def run(job: Job) -> int:
    """Do a job until the process is told to end; gives the exit code.

    Raises:
        Refused: arguments and settings don't go together, or there is no register.
        SchemaOutdated: the register's schema is another program's.
        PermissionError: the register can't be written.
    """
    settings = load_settings()
    logs.configure(settings.log_level, json=settings.log_json)
    return _serve(job, settings) if job.serve else _work(settings)


def _serve(job: Job, settings: Settings) -> int:
    _refuse_impossible(job, settings)
    expect_founded(settings)
    asyncio.run(_expect_register(settings))
    _raise_file_limit()
    door = _door(job, 2 * settings.heartbeat_seconds)
    host, port = door.getsockname()[:2]
    config = _Config(
        "app.asgi:app",
        host=host,
        port=port,
        http=_Protocol,
        workers=job.workers,
        backlog=BACKLOG,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=[str(network) for network in settings.trusted_proxies],
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    if job.workers == 1:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)  # uvicorn hands the signal on to this when all is closed
        try:
            uvicorn.Server(config).run(sockets=[door])
        except SystemExit as ended:
            return FAILED if ended.code else OK
        return OK
    supervisor = Multiprocess(config, sockets=[door])
    supervisor.run()
    failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    return FAILED if failed else OK


class _Protocol(HttpToolsProtocol):
    """uvicorn's, which tells in a problem, as everything else is told, what it can't read as HTTP."""

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - its own words for it
        """Answer what is no request, and close."""
        answer = problem_response("bad-request")
        headers = [*self.server_state.default_headers, *answer.raw_headers, (b"connection", b"close")]
        lines = [name + b": " + value + b"\r\n" for name, value in headers]
        self.transport.write(b"".join([STATUS_LINE[400], *lines, b"\r\n", bytes(answer.body)]))
        self.transport.close()


class _Config(uvicorn.Config):
    """uvicorn's, which each process of the service gets, and by which it gets its application ready."""

    def load_app(self) -> Any:
        """The application, told where it can be reached; its metrics are served beside it."""
        app: FastAPI = super().load_app()
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its chatter; our own line says "ready"
        app.state.address = {"host": self.host, "port": self.port}
        settings: Settings = app.state.runtime.settings
        if settings.metrics_bind:
            _serve_metrics(app, settings.metrics_bind, self.workers)
        return app


def _serve_metrics(app: FastAPI, bind: str, workers: int) -> None:
    """Serve /metrics without a key from a thread; of several processes each takes a port of its own."""
    from prometheus_client import start_http_server

    host, first = _split(bind)
    fault: OSError | None = None
    for port in range(first, first + workers):
        try:
            server, _ = start_http_server(port, host, registry=app.state.metrics.registry)
        except OSError as error:
            fault = error
        else:
            logger.info("metrics", extra={"host": host, "port": server.server_port})
            return
    logger.critical("CEKAL_METRICS_BIND can't be listened on: %s", fault)
    sys.exit(STARTUP_FAILURE)


def _refuse_impossible(job: Job, settings: Settings) -> None:
    if job.workers > 1 and driver_url(settings.url).get_backend_name() == "sqlite":
        detail = "SQLite takes one writer at a time, so it is served by one process."
        raise Refused(f"{detail} For more --workers set CEKAL_DATABASE_URL=postgresql://…", usage=True)
    if settings.test_clock is not None and not _is_loopback(job.host):
        raise Refused("CEKAL_TEST_CLOCK works on a loopback address only: --host 127.0.0.1", usage=True)
    if settings.metrics_bind:
        _split(settings.metrics_bind)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _split(bind: str) -> tuple[str, int]:
    host, colon, port = bind.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit():
        raise Refused("CEKAL_METRICS_BIND is host:port, such as 127.0.0.1:9100", usage=True)
    return host.strip("[]"), int(port)


async def _expect_register(settings: Settings) -> None:
    runtime = wired_runtime(settings)
    try:
        await require_newest(runtime.register, runtime.checks)
        await require_writable(runtime.register, runtime.checks)
    finally:
        await runtime.close()


def _raise_file_limit() -> None:
    """Let the process have as many open connections as the machine allows; many shells start with 1024."""
    if sys.platform == "win32":
        return
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    except (ValueError, OSError):
        logger.warning("the limit of open files can't be raised")


def _door(job: Job, lines_seconds: float) -> socket.socket:
    """The listening socket; it is opened before the processes, so that a port in use is told at once."""
    family = socket.AF_INET6 if ":" in job.host else socket.AF_INET
    try:
        door = socket.create_server((job.host, job.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Refused(
            f"Can't listen on {job.host} port {job.port}: {os.strerror(error.errno or 0)}"
        ) from None
    door.set_inheritable(True)
    _notice_cut_lines(door, lines_seconds)
    return door


def _notice_cut_lines(door: socket.socket, seconds: float) -> None:
    """Close connections whose other end has confirmed nothing for so long, which those of this door inherit.

    A line that is cut without a word looks open until the kernel gives up, which takes a quarter of an hour; that
    long its checkpoint would count as connected, although alerts are lost on the way (R55).
    """
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # not on every system
        door.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(OK)


def _work(settings: Settings) -> int:
    if driver_url(settings.url).get_backend_name() == "sqlite":
        raise Refused(
            "On SQLite the loops run inside `cekal serve`; a worker alone needs PostgreSQL.", usage=True
        )
    asyncio.run(_expect_register(settings))
    asyncio.run(_work_until_told(settings))
    return OK


async def _work_until_told(settings: Settings) -> None:
    from app.access.service import take_pepper
    from app.worker import Worker

    told = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, told.set)
    runtime = wired_runtime(settings)
    await take_pepper(runtime)
    loops = asyncio.create_task(Worker(runtime).run())
    loops.add_done_callback(lambda _: told.set())
    logger.info("ready", extra={"job": "worker"})
    await told.wait()
    ended = loops.done()
    loops.cancel()
    (outcome,) = await asyncio.gather(loops, return_exceptions=True)
    await runtime.close()
    if ended and isinstance(outcome, Exception):
        raise outcome
