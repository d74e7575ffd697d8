"""The application: lifespan, middleware, routers; nothing else."""

import asyncio
import contextlib
import logging
import signal
import threading
from collections.abc import AsyncIterator, Callable
from functools import cache, partial
from types import FrameType
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from app import __version__
from app.access.gate import Gate
from app.access.pepper import take_pepper
from app.access.quotas import quotas_of
from app.alerts.hub import Hub
from app.alerts.tail import Tail
from app.amendments.service import expect_amendment
from app.checks.batcher import Batcher
from app.checks.partitions import make_months
from app.checks.service import Desk
from app.db.migrate import require_newest
from app.entries.ports import Ports
from app.entries.sight import tells_closed
from app.hits.crossings import last_crossing
from app.hits.service import expect_open, resolved
from app.kit.clock import Clock, Machine
from app.manifests.tail import ManifestTail
from app.measures import measure
from app.notices.tail import NoticeTail
from app.operation import Readiness
from app.operation import router as operation
from app.runtime import Runtime
from app.settings import Settings
from app.v1 import TAGS, router
from app.web import docs_page, openapi, problem_pages, problems
from app.web.metrics import Metrics
from app.web.middleware import BodyLimits, Edge
from app.web.raw import RawRoute
from app.wiring import granted, wired_runtime
from app.worker import Worker

logger = logging.getLogger(__name__)

DESCRIPTION = """
Cekal holds Indonesia's exit bans (*pencegahan*, `prevention`) and entry bans (*penangkalan*, `deterrence`).

Officers submit entries and decide on them with four eyes; checkpoints ask about travellers and receive urgent
alerts; integrators keep a copy in step. Every error is a problem document (RFC 9457) whose `type` explains it.
"""

EIGHT_MIB = 8 * 1024 * 1024


class Application(FastAPI):
    """FastAPI with the edge in front of all its own layers.

    Raw routes are served by the edge itself: FastAPI's layers cost more than the whole answer to a check, and
    every open stream would carry their frames in memory for as long as it lives.
    """

    edge: Edge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.edge(scope, receive, send)

    def put_edge(self, metrics: Metrics, body_limit: BodyLimits, body_timeout: float) -> None:
        """Put the edge in place, once every route is there."""
        self.edge = Edge(super().__call__, metrics=metrics, body_limit=body_limit, body_timeout=body_timeout)
        for context in iter_route_contexts(self.routes):
            route = context.original_route
            if isinstance(route, RawRoute) and context.path and "{" not in context.path:
                for method in route.methods or ():
                    self.edge.express[method, context.path] = route


def create_app(
    settings: Settings, clock: Clock | None = None, *, work: bool = True, machine: Machine | None = None
) -> FastAPI:
    """The application with these settings; connections are opened when it starts.

    Args:
        settings: the deployment's.
        clock: the time, where a test sets it.
        work: whether this process runs the worker's loops too.
        machine: the clocks of this machine, where a test sets them.
    """
    runtime = wired_runtime(settings, clock, machine)
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        try:
            async with _running(app, runtime, desk if work else None):
                yield
        finally:
            await runtime.close()

    app = Application(
        title="Cekal",
        version=__version__,
        lifespan=lifespan,
        routes=[*_routes()],
        openapi_url=None,  # see openapi.install
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    gate = Gate(settings)
    desk = Desk(runtime, gate, resolved)
    app.state.runtime = runtime
    app.state.metrics = metrics
    app.state.gate = gate
    app.state.quotas = quotas_of(settings)
    app.state.hub = _hub(settings)
    app.state.notice_tail = NoticeTail(runtime, _hub(settings))
    app.state.manifest_tail = ManifestTail(runtime, _hub(settings))
    app.state.tail = tail = Tail(runtime, app.state.hub, gate, app.state.notice_tail, app.state.manifest_tail)
    measure(metrics, app.state.hub, tail, desk, app.state.quotas)
    app.state.batcher = Batcher(
        desk,
        in_flight=1 if runtime.checks.is_sqlite else 2,
        failed=partial(runtime.outages.failed, writing=True),
    )
    app.state.ports = Ports(
        last_crossing=partial(last_crossing, runtime=runtime),
        sees_photo=desk.sees_photo,
        expect_open_hit=partial(expect_open, runtime=runtime),
        expect_amendment=expect_amendment,
        granted=granted,
    )
    app.state.readiness = Readiness(runtime)
    app.state.tells_closed = tells_closed
    app.state.ready = False
    app.state.address = {}
    problems.install(app)
    limits = BodyLimits(larger=dict.fromkeys(("/v1/checks/batch", "/v1/manifests"), EIGHT_MIB))
    app.put_edge(metrics, limits, settings.body_timeout_seconds)
    openapi.install(
        app,
        title="Cekal",
        version=__version__,
        description=DESCRIPTION,
        tags=[*TAGS, problem_pages.TAG],
    )
    return app


@cache
def _routes() -> tuple[BaseRoute, ...]:
    """Every route, for all applications of the process: FastAPI takes 0.1 s to analyse them."""
    all_routes = APIRouter(redirect_slashes=False)
    for part in (router, operation, problem_pages.router, docs_page.router):
        all_routes.include_router(part)
    return tuple(all_routes.routes)


def _hub(settings: Settings) -> Hub:
    return Hub(
        queue=settings.stream_queue,
        limit=settings.streams_limit,
        heartbeat_seconds=settings.heartbeat_seconds,
        stream_minutes=settings.stream_minutes,
    )


@contextlib.asynccontextmanager
async def _running(app: Application, runtime: Runtime, desk: Desk | None) -> AsyncIterator[None]:
    """Run the application; with a desk the worker's loops too, which ask it."""
    await require_newest(runtime.register, runtime.checks)
    await take_pepper(runtime)
    await make_months(runtime)
    tail: Tail = app.state.tail
    await tail.start()
    tasks = [asyncio.create_task(tail.run())]
    if desk is not None:
        tasks.append(asyncio.create_task(Worker(runtime, desk).run()))
    for task in tasks:
        task.add_done_callback(_tell_failure)
    restore = _close_on_signal(lambda: _stop_waiting(app))
    app.state.ready = True
    database = "sqlite" if runtime.register.is_sqlite else "postgresql"
    logger.info("ready", extra={**app.state.address, "database": database})
    try:
        yield
    finally:
        app.state.ready = False
        restore()
        _stop_waiting(app)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _tell_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("a loop of the service has stopped", exc_info=task.exception())


def _stop_waiting(app: Application) -> None:
    runtime: Runtime = app.state.runtime
    runtime.closing = app.edge.closing = True
    app.state.hub.close()
    app.state.notice_tail.hub.close()
    app.state.manifest_tail.hub.close()
    runtime.bell.ring()


def _close_on_signal(close: Callable[[], None]) -> Callable[[], None]:
    """End streams and long polls as soon as the process is told to stop.

    uvicorn waits for open connections before it shuts the application down, so the streams must be ended in
    front of it.

    Returns:
        What puts the handlers back as they were.
    """
    if threading.current_thread() is not threading.main_thread():
        return lambda: None
    loop = asyncio.get_running_loop()
    before: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(close)
        if callable(before[number]):
            before[number](number, frame)

    for number in (signal.SIGTERM, signal.SIGINT):
        before[number] = signal.signal(number, handle)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore
