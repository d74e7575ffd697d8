"""The process of `cekal witness`: starts the witness, its HTTP server and its signals."""

import asyncio
import logging
import os
import signal
import socket
import sys
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, Final

import uvicorn

from app.kit import logs
from app.kit.clock import FileClock, Machine
from app.kit.plausibility import Plausibility
from app.settings import Settings
from app.tlog.policy import Policy, PolicyMalformed
from app.web.connections import Connections, Limits
from app.web.protocol import BoundedConfig, BoundedProtocol
from app.witness.http import Service, create_witness_app
from app.witness.service import Witness, open_witness

GRACE_SECONDS: Final = 3
"""Seconds for running requests to finish after a signal to stop."""

MOST_CONNECTIONS: Final = 512
_BACKLOG: Final = 512

logger = logging.getLogger(__name__)


class WitnessRefused(RuntimeError):
    """The witness can't be started with these arguments; the message gives the reason."""


def serve_witness(
    settings: Settings,
    policy_file: Path,
    data_dir: Path,
    name: str | None,
    address: tuple[str, int],
    *,
    accept_clock: bool = False,
) -> int:
    """Serve a witness over HTTP until the process receives a signal to stop.

    Args:
        settings: only the settings of logging, connections and a test's clock are used.
        policy_file: the file of the policy, which is read again on SIGHUP.
        data_dir: the witness's folder.
        name: the name that the witness must have; None for the stored name, or at the first start the machine's.
        address: the host and port to listen on; port 0 for any free port.
        accept_clock: whether to accept the present time although stored cosignatures have later times.

    Returns:
        The exit code: 0 after a signal to stop, 1 if the server could not start.

    Raises:
        WitnessRefused: the address can't be listened on, a test's clock is set for another address than a loopback, or
            the policy names no log.
        PolicyMalformed: the policy breaks a rule.
        IdentityRefused: the name or the keys are not the witness's, or can't be used.
        OSError: the policy can't be read, or the folder can't be written.
        sqlite3.Error: the witness's file can't be used.
    """
    logs.configure(settings.log_level, json=settings.log_json)
    if settings.test_clock is not None and not _is_loopback(address[0]):
        raise WitnessRefused("CEKAL_TEST_CLOCK works on a loopback address only: --host 127.0.0.1")
    policy = read_policy(policy_file)
    machine = Machine()
    clock = machine.wall if settings.test_clock is None else FileClock(settings.test_clock)
    plausibility = Plausibility(machine, clock) if settings.test_clock is None else None
    witness = open_witness(data_dir, policy, name, clock, plausibility)
    if accept_clock:
        witness.accept_clock()
    door = _door(address)
    service = Service(witness, lambda: _trust_again(witness, policy_file))
    host, port = door.getsockname()[:2]
    app = create_witness_app(service, lambda: _begin(service, witness, host, port))
    config = _Config(
        app,
        host=host,
        port=port,
        http=BoundedProtocol,
        backlog=_BACKLOG,
        lifespan="on",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    config.bound(Connections(_limits(settings)))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _leave)  # uvicorn hands the signal on to this when all is closed
    try:
        uvicorn.Server(config).run(sockets=[door])
    except SystemExit as ended:
        return 1 if ended.code else 0
    return 0


def read_policy(path: Path) -> Policy:
    """Return the policy of a witness from its file.

    Raises:
        PolicyMalformed: the policy breaks a rule.
        WitnessRefused: the policy names no log.
        OSError: the file can't be read.
    """
    policy = Policy.parse(path.read_bytes())
    if not policy.logs:
        raise WitnessRefused(f"{path} names no log: a line is the word log and the log's vkey.")
    return policy


class _Config(BoundedConfig):
    """uvicorn's configuration, without its chatter."""

    def load_app(self) -> Any:
        """Return the application; our own line says that it is ready."""
        logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
        return super().load_app()


def _begin(service: Service, witness: Witness, host: str, port: int) -> None:
    """Say that the witness is ready, and read the policy again at each SIGHUP."""
    loop = asyncio.get_running_loop()
    if hasattr(signal, "SIGHUP"):  # not on every system
        reloading: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(service.reload())
            reloading.add(task)
            task.add_done_callback(reloading.discard)

        loop.add_signal_handler(signal.SIGHUP, reload)
    said = {"host": host, "port": port, "witness": witness.identity.name, "logs": witness.origins}
    logger.info("ready", extra=said)


def _trust_again(witness: Witness, policy_file: Path) -> None:
    """Read the policy again; the former one stays where the new one is none."""
    try:
        witness.trust(read_policy(policy_file))
    except (OSError, PolicyMalformed, WitnessRefused) as error:
        logger.error("the policy stays as it was: %s", error)  # noqa: TRY400 - an operator reads the reason
    else:
        logger.info("policy", extra={"logs": witness.origins})


def _door(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise WitnessRefused(f"Can't listen on {host} port {port}: {os.strerror(error.errno or 0)}") from None


def _limits(settings: Settings) -> Limits:
    """Return the limits of connections: nobody has a key here, so each counts for its address."""
    return Limits(
        request_line_bytes=settings.request_line_bytes,
        header_fields=settings.header_fields,
        header_bytes=settings.header_bytes,
        header_seconds=settings.header_seconds,
        idle_seconds=settings.idle_seconds,
        known_idle_seconds=settings.known_idle_seconds,
        total=_most_connections(),
        reserve=0,
        per_address=settings.connections_per_address,
        per_key=settings.connections_per_key,
        proxies=settings.trusted_proxies,
    )


def _most_connections() -> int:
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft - 64))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _leave(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
