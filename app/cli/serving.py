"""The long-running processes of `cekal serve` and `cekal worker`; Typer and rich are not loaded here."""

import asyncio
import logging
import os
import signal
import socket
import ssl
import sys
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn
from fastapi import FastAPI
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from app.access.clients.service import list_without_agency
from app.access.domain import SYSTEM
from app.access.pepper import pepper_path, take_pepper
from app.access.places.store import list_active
from app.cli.failures import FAILED, OK, Refused
from app.cli.handover import Job
from app.cli.register import expect_register
from app.db.addresses import driver_url
from app.db.engine import require_writable
from app.db.files import database_files, open_to_others
from app.db.lanes import most_connections
from app.db.migrate import require_served
from app.db.sessions import require_sessions
from app.gauges import measure_connections
from app.kit import logs
from app.kit.garbage import keep_loaded_objects
from app.ledger.service import require_head
from app.process import Process
from app.runtime import Runtime
from app.settings import Settings
from app.settings_sources import load_settings
from app.sync.witnesses.service import read_policy
from app.web.connections import Connections, Limits
from app.web.handshake import HandshakeProtocol
from app.web.metrics import Metrics
from app.web.protocol import BoundedConfig, BoundedProtocol
from app.wiring import trace_alerts, wired_runtime

logger = logging.getLogger(__name__)

BACKLOG: Final = 4096
"""Length of the queue of new connections; all checkpoints of the country may reconnect at the same time."""

DOORS: Final = 8
"""Number of copies of the listening descriptor; the event loop accepts one connection from each in a turn."""

_OTHER_FILES: Final = 128
"""File descriptors other than those of connections and the database: libraries, logs, the event loop, metrics."""
_FEWEST_CONNECTIONS: Final = 100
"""Smallest number of connections with which the service starts."""

GRACE_SECONDS: Final = 3
"""Seconds for running requests to finish after a signal to stop. The rest of the shutdown takes at most two seconds,
even if the database does not answer."""

HEALTH_SECONDS: Final = 60
"""Seconds within which a worker process must answer the supervising process, including its start with all imports."""


def run(job: Job) -> int:
    """Run a job until the process receives a signal to stop. Returns the exit code.

    Raises:
        Refused: arguments and settings contradict each other, or there is no register.
        SessionsShared: a connection pooler gives each transaction another session of PostgreSQL.
        SchemaOutdated: the register's schema is older than this program, or too new for it.
        HeadMissing: the register was restored from a backup by hand, and `cekal restore` has not accepted it.
        PermissionError: the register can't be written.
        PepperRefused: the pepper of this machine is not that of the register.
        WitnessPolicyRefused: the file of the witness policy can't be used.
    """
    settings = load_settings()
    logs.configure(settings.log_level, json=settings.log_json)
    if settings.trace_endpoint is not None:
        _expect_trace_packages()
    return _serve(job, settings) if job.serve else _work(settings)


def _serve(job: Job, settings: Settings) -> int:
    _refuse_impossible(job, settings)
    read_policy(settings)
    expect_register(settings)
    asyncio.run(_expect_register(settings))
    _expect_files(settings)
    doors = _doors(job, 2 * settings.heartbeat_seconds)
    host, port = doors[0].getsockname()[:2]
    config = _Config(
        "app.asgi:app",
        host=host,
        port=port,
        http=HandshakeProtocol if settings.tls_certificate else BoundedProtocol,
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
        timeout_worker_healthcheck=HEALTH_SECONDS,
        ssl_certfile=settings.tls_certificate,
        ssl_keyfile=settings.tls_key,
    )
    if job.workers == 1:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _leave)  # uvicorn hands the signal on to this when all is closed
        try:
            uvicorn.Server(config).run(sockets=doors)
        except SystemExit as ended:
            return FAILED if ended.code else OK
        return OK
    supervisor = Multiprocess(config, sockets=doors)
    supervisor.run()
    failed = any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes)
    return FAILED if failed else OK


class _Config(BoundedConfig):
    """uvicorn's configuration, which each process of the service receives and with which it loads its application."""

    def load_app(self) -> Any:
        """Load the application, limit its connections, and serve its metrics if an address for them is set."""
        app: FastAPI = super().load_app()
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)  # its chatter; our own line says "ready"
        process: Process = app.state.process
        process.address.update(host=self.host, port=self.port)
        settings = process.runtime.settings
        self.bound(Connections(_limits(settings)))
        measure_connections(process.metrics, self.connections)
        if settings.metrics_bind:
            _serve_metrics(process.metrics, settings.metrics_bind, self.workers)
        return app


def _serve_metrics(metrics: Metrics, bind: str, workers: int) -> None:
    """Serve /metrics without a key from a thread; each of several processes uses its own port."""
    from prometheus_client import start_http_server

    host, first = _split(bind)
    fault: OSError | None = None
    for port in range(first, first + workers):
        try:
            server, _ = start_http_server(port, host, registry=metrics.registry)
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
    if settings.tls_certificate:
        _expect_certificate(settings.tls_certificate, settings.tls_key)


def _expect_trace_packages() -> None:
    """Raise Refused unless the packages that make and export traces are installed."""
    try:
        import app.web.traces  # noqa: F401 - it imports them
    except ModuleNotFoundError as missing:
        detail = f"CEKAL_TRACE_ENDPOINT needs the packages of `pip install 'cekal[trace]'`: {missing.name} is missing."
        raise Refused(detail, usage=True) from None


def _expect_certificate(certificate: Path, key: Path | None) -> None:
    """Raise Refused unless the TLS certificate and key can be loaded, before any port is opened."""
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(
            certificate, key, password=lambda: b""
        )  # or a terminal would be asked for one
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        detail = f"CEKAL_TLS_CERTIFICATE and CEKAL_TLS_KEY can't be used: {error}"
        raise Refused(detail, usage=True) from None


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
        await require_sessions(runtime.register)
        await require_served(runtime.register, runtime.checks)
        await require_writable(runtime.register, runtime.checks)
        await take_pepper(runtime)
        async with runtime.reading(SYSTEM) as reader:
            await require_head(reader)
            without_agency = await list_without_agency(reader)
            known = await list_active(reader, [settings.manifest_checkpoint])
        if without_agency:
            message = "integrators of no agency are shown nobody's personal data"
            logger.warning(message, extra={"clients": without_agency})
        if not known:
            message = "CEKAL_MANIFEST_CHECKPOINT is no active checkpoint: nobody may resolve the hits of some manifests"
            logger.warning(message, extra={"checkpoint": settings.manifest_checkpoint})
        if exposed := open_to_others(_own_files(runtime)):
            remedy = "chmod 600 for files, chmod 700 for folders"
            message = "other users of this machine may use files of the register"
            logger.warning(message, extra={"paths": exposed, "remedy": remedy})
    finally:
        await runtime.close()


def _own_files(runtime: Runtime) -> list[Path]:
    """Return the files that only their owner should be able to read."""
    own = [*database_files(runtime.register, runtime.checks), pepper_path(runtime.settings)]
    secret = runtime.settings.tls_key or runtime.settings.tls_certificate
    return [*own, secret] if secret else own


def _most_connections(settings: Settings) -> int:
    """Return the largest number of connections of a process: the setting, or what the limit of open files allows."""
    if sys.platform == "win32":
        return settings.connections_limit
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return settings.connections_limit
    return min(settings.connections_limit, soft - _OTHER_FILES - most_connections(settings.pool_size))


def _expect_files(settings: Settings) -> None:
    """Raise the limit of open files as far as the machine allows; many shells start with 1024.

    The processes of the service inherit it.

    Raises:
        Refused: the limit leaves too few descriptors for connections.
    """
    if sys.platform != "win32":
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (ValueError, OSError):
            logger.warning("the limit of open files can't be raised")
    most = _most_connections(settings)
    if most < _FEWEST_CONNECTIONS:
        raise Refused("The limit of open files is too low to serve: raise it (`ulimit -n`, LimitNOFILE=).")
    if most < settings.connections_limit:
        stopped = {"connections": most, "wanted": settings.connections_limit}
        logger.warning("the limit of open files allows fewer connections than are set", extra=stopped)


def _limits(settings: Settings) -> Limits:
    """Return the limits of a process's connections."""
    total = _most_connections(settings)
    return Limits(
        request_line_bytes=settings.request_line_bytes,
        header_fields=settings.header_fields,
        header_bytes=settings.header_bytes,
        header_seconds=settings.header_seconds,
        idle_seconds=settings.idle_seconds,
        known_idle_seconds=settings.known_idle_seconds,
        total=total,
        reserve=min(settings.connections_reserve, total // 2),
        per_address=settings.connections_per_address,
        per_key=settings.connections_per_key,
        proxies=settings.trusted_proxies,
    )


def _doors(job: Job, lines_seconds: float) -> list[socket.socket]:
    """Open the listening socket and copy its descriptor, before the processes start, so that a used port is refused.

    The copies share one queue of connections. SO_REUSEPORT has separate queues, which lose their waiting connections
    when a process ends.
    """
    family = socket.AF_INET6 if ":" in job.host else socket.AF_INET
    try:
        door = socket.create_server((job.host, job.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise Refused(
            f"Can't listen on {job.host} port {job.port}: {os.strerror(error.errno or 0)}. "
            "Choose another --host or --port, or end what listens there."
        ) from None
    _notice_cut_lines(door, lines_seconds)
    doors = [door, *(door.dup() for _ in range(DOORS - 1))]
    for each in doors:
        each.set_inheritable(True)
    return doors


def _notice_cut_lines(door: socket.socket, seconds: float) -> None:
    """Set a listening socket's TCP user timeout, which its connections inherit, so that broken ones are closed.

    A connection that broke silently looks open until the kernel gives up after a quarter of an hour. Until then its
    checkpoint would count as connected, although alerts do not reach it (R55).
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
    asyncio.run(_work_until_signal(settings))
    return OK


async def _work_until_signal(settings: Settings) -> None:
    from app.worker import Worker

    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runtime = wired_runtime(settings)
    trace_alerts(runtime)
    await take_pepper(runtime)
    keep_loaded_objects()
    loops = asyncio.create_task(Worker(runtime).run())
    loops.add_done_callback(lambda _: stopped.set())
    logger.info("ready", extra={"job": "worker"})
    await stopped.wait()
    ended = loops.done()
    loops.cancel()
    (outcome,) = await asyncio.gather(loops, return_exceptions=True)
    await runtime.close()
    if ended and isinstance(outcome, Exception):
        raise outcome
