"""The assembly of the application: lifespan, middleware and routers."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from types import FrameType
from typing import Any, Final

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from app import __version__
from app.access.admission.callers import Callers
from app.access.admission.gate import Gate
from app.access.admission.quotas import quotas_of
from app.access.domain import SYSTEM
from app.access.pepper import take_pepper
from app.alerting.alerts.receipts import Receipts
from app.alerting.alerts.tail import Tail
from app.alerting.notices.tail import NoticeTail
from app.alerting.streams.hub import Hub
from app.border.breadth.service import Travellers
from app.border.checks.batcher import Batcher
from app.border.checks.partitions import make_months
from app.border.checks.service import CheckService
from app.border.hits.crossings import last_crossing
from app.border.hits.service import list_resolved_ids, traveller_of_open_hit
from app.border.manifests.tail import ManifestTail
from app.db.migrate import require_served
from app.gauges import measure, measure_escalation, measure_feed, measure_load, measure_webhooks
from app.kit.clock import Clock, Machine, legal_day
from app.ledger.service import require_head
from app.operation import Readiness
from app.operation import router as operation
from app.process import Process
from app.register.amendments.service import expect_amendment
from app.register.entries.ports import Ports
from app.register.entries.seal_queries import names_closed
from app.settings import Settings
from app.sync.feed.tail import FeedTail
from app.sync.heads.keeper import keeper_of
from app.sync.heads.service import check_name
from app.sync.heads.watch import HeadWatch
from app.sync.log.routes import tiles
from app.sync.snapshots.files import Snapshots
from app.sync.webhooks.published import router as published_webhooks
from app.v1 import TAGS, router
from app.web import docs_page, openapi, problem_pages, problems
from app.web.metrics import Metrics
from app.web.middleware import BodyLimits, Edge
from app.web.raw import RawRoute
from app.web.stream_connection import LEAVING_SECONDS
from app.wiring import granted, trace_alerts, wired_runtime
from app.worker import Worker

logger = logging.getLogger(__name__)

_SIGNAL_SECONDS: Final = 0.1
"""Longest time from a signal to stop until uvicorn closes the listening socket."""

DESCRIPTION = """
Cekal holds Indonesia's exit bans (*pencegahan*, `prevention`) and entry bans (*penangkalan*, `deterrence`).

Officers submit entries, and other persons decide on them; checkpoints check travellers and receive urgent
alerts; integrators keep a copy up to date. Every error is a problem document (RFC 9457) whose `type` explains it: a
reference relative to this service, `/problems/<slug>`, that leads to its cause and remedy.

For all calls: HEAD works wherever GET does, and opens no stream, waits for nothing and makes no file; OPTIONS needs no
key, and answers `Allow`. A request that accepts none of a call's formats gets 406. A body is JSON in UTF-8 unless its
`Content-Type` says otherwise, and another type, or any `Content-Encoding`, is 415; a byte order mark before JSON is
ignored. A query parameter that is unknown, or given twice, is 422. All this is checked after the key and before the
role.

Reads are compressed with gzip where `Accept-Encoding` allows it; each coding has its own `ETag`, and both may be sent
back. Photos, letters, manifests, snapshots and this document have an `ETag` and take a `Range`. Times are in UTC
(`…_at`), legal days are dates in Asia/Jakarta (`…_on`).
"""

EIGHT_MIB = 8 * 1024 * 1024

NO_TELEMETRY: Final[TelemetryConfig] = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""FastAPI's own telemetry hands bodies and messages of exceptions, which hold personal data, to whatever exporter the
environment names; the traces of alerts (`web.traces`) and the metrics do not."""


class Application(FastAPI):
    """A FastAPI application whose HTTP requests go first through an `Edge` and then through FastAPI's own layers.

    The edge serves raw routes itself, without FastAPI's layers: these cost more time than the whole answer to a check,
    and every open stream would keep their frames in memory until it ends.
    """

    edge: Edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve an HTTP request through the edge; FastAPI handles the other kinds of ASGI connections."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.edge(scope, receive, send)

    def put_edge(self, metrics: Metrics, body_limit: BodyLimits, settings: Settings) -> None:
        """Create the `Edge`. Call this after all routes were added, and before the first request.

        Args:
            metrics: the metrics that count answered requests.
            body_limit: the largest allowed size of a body, by path.
            settings: the time limit of bodies, and the origins of web pages that may call.
        """
        self.edge = Edge(
            super().__call__,
            metrics=metrics,
            body_limit=body_limit,
            body_timeout=settings.body_timeout_seconds,
            origins=settings.cors_origins,
        )
        for context in iter_route_contexts(self.routes):
            route = context.original_route
            if isinstance(route, RawRoute) and context.path and "{" not in context.path:
                for method in route.methods or ():
                    self.edge.express[method, context.path] = route


def create_app(
    settings: Settings, clock: Clock | None = None, *, work: bool = True, machine: Machine | None = None
) -> FastAPI:
    """Return the application with these settings; connections are opened when it starts.

    The start fails with SchemaOutdated, HeadMissing, NameRefused or PepperRefused if the register can't be served.

    Args:
        settings: the settings of the deployment.
        clock: a test's clock; None for the real one.
        work: whether this process runs the worker's loops too.
        machine: a test's clocks of this machine; None for the real ones.
    """
    runtime = wired_runtime(settings, clock, machine)
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        trace_alerts(runtime)
        try:
            async with _running(app, process, check_service if work else None):
                yield
        finally:
            await runtime.close()

    app = Application(
        title="Cekal",
        version=__version__,
        lifespan=lifespan,
        routes=[*_routes()],
        webhooks=published_webhooks,
        openapi_url=None,  # see openapi.install
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=NO_TELEMETRY,
    )
    gate = Gate(settings)
    check_service = CheckService(runtime, gate, list_resolved_ids)
    hub, quotas, travellers = _hub(settings), quotas_of(settings), Travellers(runtime)
    notice_tail, manifest_tail = NoticeTail(runtime, _hub(settings)), ManifestTail(runtime, _hub(settings))
    tail = Tail(runtime, hub, gate, notice_tail, manifest_tail)
    feed_tail = FeedTail(runtime, _hub(settings), tail)
    tail.hand_on_to(feed_tail)
    measure(metrics, hub, tail, check_service, quotas, travellers)
    head_watch = HeadWatch(runtime)
    measure_feed(metrics, feed_tail.hub, head_watch)
    batcher = Batcher(
        check_service,
        in_flight=1 if runtime.checks.is_sqlite else 2,
        failed=partial(runtime.outages.failed, writing=True),
    )
    hubs = {
        "alerts": hub,
        "notices": notice_tail.hub,
        "manifests": manifest_tail.hub,
        "changes": feed_tail.hub,
    }
    measure_load(metrics, runtime, batcher, hubs)
    app.state.process = process = Process(
        runtime=runtime,
        metrics=metrics,
        gate=gate,
        callers=Callers(runtime, gate),
        quotas=quotas,
        names_closed=names_closed,
        hub=hub,
        tail=tail,
        notice_tail=notice_tail,
        manifest_tail=manifest_tail,
        feed_tail=feed_tail,
        snapshots=Snapshots(runtime),
        travellers=travellers,
        head_watch=head_watch,
        batcher=batcher,
        receipts=Receipts(runtime, in_flight=1 if runtime.register.is_sqlite else 2),
        ports=Ports(
            last_crossing=partial(last_crossing, runtime=runtime),
            sees_photo=check_service.sees_photo,
            expect_open_hit=partial(traveller_of_open_hit, runtime=runtime),
            expect_amendment=expect_amendment,
            granted=granted,
            see_newest=travellers.catch_up,
            count_travellers=travellers.breadth,
        ),
        readiness=Readiness(runtime),
    )
    problems.install(app)
    limits = BodyLimits(larger=dict.fromkeys(("/v1/checks/batch", "/v1/manifests"), EIGHT_MIB))
    app.put_edge(metrics, limits, settings)
    openapi.install(
        app,
        today=lambda: legal_day(runtime.clock()),
        title="Cekal",
        version=__version__,
        description=DESCRIPTION,
        tags=[*TAGS, problem_pages.TAG],
    )
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Return the router with all routes, made once for a process, since FastAPI takes 0.1 s to analyse them."""
    all_routes = APIRouter(redirect_slashes=False)
    for part in (router, tiles, operation, problem_pages.router, docs_page.router):
        all_routes.include_router(part)
    return tuple(all_routes.routes)


def _hub(settings: Settings) -> Hub:
    return Hub(
        unsent_limit=settings.stream_unsent_bytes,
        limit=settings.streams_limit,
        heartbeat_seconds=settings.heartbeat_seconds,
        stream_minutes=settings.stream_minutes,
    )


@contextlib.asynccontextmanager
async def _running(
    app: Application, process: Process, check_service: CheckService | None
) -> AsyncIterator[None]:
    """Start the application's tasks and end them after the block; with a check service the worker's loops too."""
    runtime = process.runtime
    await require_served(runtime.register, runtime.checks)
    async with runtime.reading(SYSTEM) as reader:
        await require_head(reader)
        await check_name(reader, runtime.settings)
    await keeper_of(runtime).round(runtime)
    await take_pepper(runtime)
    await make_months(runtime)
    await process.tail.start()
    loops = (process.tail, process.travellers, process.head_watch, process.snapshots)
    tasks = [asyncio.create_task(each.run()) for each in loops]
    if check_service is not None:
        worker = Worker(runtime, check_service)
        measure_webhooks(process.metrics, worker.dispatcher)
        measure_escalation(process.metrics, worker.escalation)
        tasks.append(asyncio.create_task(worker.run()))
    for task in tasks:
        task.add_done_callback(_log_failure)
    restore = _act_on_signal(partial(_leave, app, process))
    process.readiness.serving = True
    database = "sqlite" if runtime.register.is_sqlite else "postgresql"
    logger.info("ready", extra={**process.address, "database": database})
    try:
        yield
    finally:
        process.readiness.serving = False
        restore()
        _stop_waiting(app, process)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _log_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a loop of the service has stopped", exc_info=task.exception())


def _leave(app: Application, process: Process) -> None:
    """Report the process as not ready, and end streams and long polls once it takes no connections any more.

    The connections that it has are served until then, each for one more request, so that proxies and clients go
    elsewhere before they open their streams again.
    """
    process.readiness.serving = False
    delay = _SIGNAL_SECONDS + LEAVING_SECONDS
    asyncio.get_running_loop().call_later(delay, _stop_waiting, app, process)


def _stop_waiting(app: Application, process: Process) -> None:
    process.runtime.closing = app.edge.closing = True
    process.hub.close()
    process.notice_tail.hub.close()
    process.manifest_tail.hub.close()
    process.feed_tail.hub.close()
    process.runtime.bell.ring()


def _act_on_signal(act: Callable[[], None]) -> Callable[[], None]:
    """Register signal handlers that call a function as soon as the process receives a signal to stop.

    uvicorn waits for open connections before it shuts the application down, so the streams must be ended
    before.

    Returns:
        A function that restores the former handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        if callable(before[number]):
            before[number](number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, handle)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
