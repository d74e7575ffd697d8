"""How fast is an alert at many webhook endpoints? Beside the same requests by aiohttp alone (Linux).

    python -m bench.webhooks                        # 500 endpoints, both engines
    python -m bench.webhooks --endpoints 1000 --rounds 30
    python -m bench.webhooks --quick --json         # a smoke run of a few seconds

Run it from the root of the repository with the `test` extra installed: PostgreSQL comes from there. The endpoints are
ports of one other process, whose connections are warm. The variants take turns, so trust the ratios:

- *bare*: aiohttp posts a signed body of the same size to all of them at once, without a database.
- *alert*: an alert is committed to the ledger; measured is the time from before that commit until the last endpoint
  has it: rows made, claimed, rendered, signed and sent.
- *with a dead one*: the same with one endpoint more, which takes connections and never answers.
"""

import argparse
import asyncio
import multiprocessing
import socket
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import ip_network
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.access.pepper import take_pepper
from app.kit.ids import new_id
from app.ledger.domain import Draft, RecordType
from app.ledger.service import append, head
from app.runtime import Runtime
from app.settings import Settings
from app.sync.webhooks import store, tables
from app.sync.webhooks.dispatcher import Dispatcher
from app.sync.webhooks.domain import Endpoint, EndpointState, Payload
from app.sync.webhooks.signing import Secrets, signed_headers
from app.wiring import wired_runtime
from bench.figures import median, percentile, shown, table
from bench.processes import raise_file_limit
from bench.registers import ENGINES, Registers, registers
from tests.support.actors import Actors

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_PATIENCE = 60.0
_BODY = 620
"""Bytes of a thin event of an alert."""


class _Taker(asyncio.Protocol):
    """Takes requests on one connection, and notes when each was whole."""

    def __init__(self, taken: list[float]) -> None:
        self._taken = taken
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            fields = bytes(self._buffer[:end]).lower()
            length = int(fields.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            del self._buffer[: end + 4 + length]
            self._taken.append(time.monotonic())
            self._transport.write(_ANSWER)


def _receive(pipe: Connection, ports: int) -> None:
    """Serve some ports; each message is a number of requests, answered by when the last of them was whole."""

    async def serve() -> None:
        raise_file_limit(2 * ports + 1000)
        taken: list[float] = []
        loop = asyncio.get_running_loop()
        servers = [await loop.create_server(lambda: _Taker(taken), "127.0.0.1", 0) for _ in range(ports)]
        pipe.send([server.sockets[0].getsockname()[1] for server in servers])
        while (wanted := await loop.run_in_executor(None, pipe.recv)) is not None:
            until = time.monotonic() + _PATIENCE
            while len(taken) < wanted and time.monotonic() < until:  # noqa: ASYNC110 - filled by protocols
                await asyncio.sleep(0.001)
            pipe.send(taken[wanted - 1] if len(taken) >= wanted else None)
            taken.clear()

    asyncio.run(serve())


class Receivers:
    """The process with the endpoints."""

    def __init__(self, ports: int) -> None:
        context = multiprocessing.get_context("fork")  # before there are threads and loops
        self._pipe, other = context.Pipe()
        self._process = context.Process(target=_receive, args=(other, ports), daemon=True)
        self._process.start()
        self.urls = [f"http://127.0.0.1:{port}/hook" for port in self._pipe.recv()]

    async def last_of(self, wanted: int) -> float:
        """When the last of so many requests was whole.

        Raises:
            TimeoutError: they did not come within a minute.
        """
        self._pipe.send(wanted)
        at: float | None = await asyncio.to_thread(self._pipe.recv)
        if at is None:
            raise TimeoutError("an endpoint was not reached")
        return at

    def end(self) -> None:
        """End the process."""
        self._pipe.send(None)
        self._process.join(5)
        if self._process.is_alive():
            self._process.terminate()


async def _add_endpoints(runtime: Runtime, client_id: str, urls: Sequence[str]) -> None:
    async with runtime.writing(SYSTEM) as unit:
        size = (await head(unit)).size
        for url in urls:
            endpoint_id, made = new_id("whe", unit.now), Secrets.generate()
            endpoint = Endpoint(
                id=endpoint_id,
                client_id=client_id,
                version=1,
                url=url,
                events=(RecordType.ALERT_RAISED.value,),
                payload=Payload.THIN,
                description=None,
                networks=(),
                ordered=False,
                state=EndpointState.ACTIVE,
                disabled_reason=None,
                secrets=made.encrypt(runtime.pepper, endpoint_id),
                public_key=made.public_text,
                former_secrets=None,
                former_until=None,
                position=size,
                alert_position=size,
                replay_position=None,
                replay_until=None,
                failures=0,
                failing_since=None,
                probe_at=None,
                succeeded_at=None,
                created_at=unit.now,
                created_by=client_id,
                updated_at=unit.now,
            )
            await store.add_endpoint(unit, endpoint)


async def _alert(runtime: Runtime, receivers: Receivers, endpoints: int) -> float:
    """Seconds from before the commit of an alert until the last endpoint has it."""
    draft = Draft(
        type=RecordType.ALERT_RAISED,
        entry_id=None,
        version=None,
        agency="KPK",
        facts={"kind": "exercise", "refers_to": None, "measure": None},
        personal={"kind": "exercise", "entry": None, "message": "Latihan / drill."},
        alert_id=new_id("alr", runtime.clock()),
    )
    begun = time.monotonic()
    async with runtime.writing(SYSTEM) as unit:
        await append(unit, [draft])
    return await receivers.last_of(endpoints) - begun


async def _bare(session: aiohttp.ClientSession, receivers: Receivers, secrets: Sequence[Secrets]) -> float:
    """Seconds until the last endpoint has a request that aiohttp alone sends to each at once."""
    begun = time.monotonic()

    async def post(url: str, signer: Secrets) -> None:
        body = b" " * _BODY
        headers = signed_headers("5f2b7c0e9d1a4b3c-42", int(time.time()), body, [signer])
        async with session.post(url, data=body, headers=headers, allow_redirects=False) as response:
            await response.read()

    await asyncio.gather(*map(post, receivers.urls, secrets))
    return await receivers.last_of(len(receivers.urls)) - begun


async def _disable(runtime: Runtime, url: str, state: EndpointState) -> None:
    endpoint = tables.endpoint
    fresh = {"state": state, "failures": 0, "failing_since": None, "probe_at": None}
    async with runtime.writing(SYSTEM) as unit:
        size = (await head(unit)).size
        changed = update(endpoint).where(endpoint.c.url == url)
        await unit.run(changed.values(**fresh, alert_position=size))


@asynccontextmanager
async def _opened(settings: dict[str, str]) -> AsyncIterator[Runtime]:
    """A Runtime on a register whose webhooks may reach this machine."""
    runtime = wired_runtime(
        Settings(
            database_url=settings["CEKAL_DATABASE_URL"],
            data_dir=Path(settings["CEKAL_DATA_DIR"]),
            webhook_networks=(ip_network("127.0.0.0/8"),),
        )
    )
    try:
        await take_pepper(runtime)
        yield runtime
    finally:
        await runtime.close()


@asynccontextmanager
async def _dispatching(runtime: Runtime) -> AsyncIterator[Dispatcher]:
    dispatcher = Dispatcher(runtime)
    # As the ledger's tail does in a service.
    runtime.follow.on_commit.append(lambda _records: runtime.bell.ring())
    task = asyncio.create_task(dispatcher.run())
    try:
        yield dispatcher
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _quiet(dispatcher: Dispatcher) -> None:
    """Wait until results are stored and nothing but a dead endpoint is under way."""
    await asyncio.sleep(0.3)
    while sum(dispatcher.in_flight.values()) > 1:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.05)


async def _measure(
    options: argparse.Namespace, made: Registers, engine: str, receivers: Receivers
) -> dict[str, Any]:
    settings = await made.make(engine, f"webhooks-{engine}")
    bare: list[float] = []
    alone: list[float] = []
    beside: list[float] = []
    secrets = [Secrets.generate() for _ in receivers.urls]
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        dead = f"http://127.0.0.1:{silent.getsockname()[1]}/hook"
        try:
            async with _opened(settings) as runtime:
                client = await Actors(runtime).client("integrator")
                await _add_endpoints(runtime, client.id, [*receivers.urls, dead])
                connector = aiohttp.TCPConnector(limit=0, keepalive_timeout=600)
                async with aiohttp.ClientSession(connector=connector) as session, _dispatching(runtime) as d:
                    for i in range(options.rounds + 1):  # the first makes the connections
                        bare.append(await _bare(session, receivers, secrets))
                        await _disable(runtime, dead, EndpointState.DISABLED)
                        alone.append(await _alert(runtime, receivers, options.endpoints))
                        await _quiet(d)
                        await _disable(runtime, dead, EndpointState.ACTIVE)
                        beside.append(await _alert(runtime, receivers, options.endpoints))
                        await _quiet(d)
                        if i == 0:
                            bare, alone, beside = [], [], []
        finally:
            receivers.end()
    return {
        "engine": engine,
        "bare_ms": 1000 * median(bare),
        "alert_ms": 1000 * median(alone),
        "alert_p95_ms": 1000 * percentile(sorted(alone), 0.95),
        "dead_ms": 1000 * median(beside),
        "to_bare": median(alone) / median(bare),
        "dead_to_alone": median(beside) / median(alone),
    }


def main() -> int:
    """The command; fails when an endpoint was not reached."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--endpoints", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, help="where databases lie; on a disk, or commits cost nothing")
    parser.add_argument("--quick", action="store_true", help="a smoke run: what it prints means nothing")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    if options.quick:
        options.endpoints, options.rounds = 20, 2
    raise_file_limit(4 * options.endpoints + 1000)
    with registers(options.folder) as made:
        each = [(engine, Receivers(options.endpoints)) for engine in options.engines]
        results = [asyncio.run(_measure(options, made, engine, at)) for engine, at in each]
    if options.json:
        print(msgspec.json.encode({"benchmark": "webhooks", "results": results}).decode())
        return 0
    rows = [
        (
            each["engine"],
            *(shown(each[name], 1) for name in ("bare_ms", "alert_ms", "alert_p95_ms")),
            shown(each["to_bare"], 2),
            shown(each["dead_ms"], 1),
            shown(each["dead_to_alone"], 2),
        )
        for each in results
    ]
    print(f"\nAn alert to {options.endpoints:,} endpoints, {options.rounds} rounds, in ms.\n")
    print(table(("engine", "bare", "alert", "p95", "/bare", "with a dead one", "/alone"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
