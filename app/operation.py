"""Health, readiness, metrics and the OpenAPI document (contract section 8)."""

import asyncio
import math
from datetime import timedelta
from time import monotonic
from typing import Annotated, Literal

from fastapi import APIRouter, Request, Response, Security
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from app.access.domain import SYSTEM, Role
from app.access.guard import admit, in_time, key_scheme, runtime_of
from app.alerts.tail import Tail
from app.db.faults import Outage, outage
from app.db.lanes import Lane, using
from app.db.migrate import SchemaOutdated, require_newest
from app.db.probe import why_unwritable
from app.entries.name_keys import count_outdated
from app.errors import WrongRole
from app.ledger.service import check_tail
from app.runtime import Runtime
from app.web.metrics import Metrics
from app.web.openapi import problems
from app.web.wire import WireOut

router = APIRouter(tags=["operation"])

LARGEST_SKEW = timedelta(seconds=2)
_PATIENCE = 5.0
_PROBED_SECONDS = 3.0


class Readiness:
    """What the databases can do, found out at most once in a while however often it is asked.

    So calls without a key cost nothing, and many callers at the same moment wait for one answer.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._looking = asyncio.Lock()
        self._looked_at = self._tried_at = -math.inf
        self._found: tuple[dict[str, str], int | None] = {}, None
        self._unwritable: Outage | None = None

    async def look(self) -> tuple[dict[str, str], int | None]:
        """What each check has found, and how many entries have outdated names (None where that can't be asked)."""
        async with self._looking:
            if monotonic() - self._looked_at >= self._runtime.settings.readiness_seconds:
                with using(Lane.TAIL):
                    self._found = await self._ask()
                self._looked_at = monotonic()
        checks, outdated = self._found
        if "writing" in checks and self._runtime.unwritten:  # by what was last to be written
            checks = {**checks, "writing": self._runtime.unwritten}
        return dict(checks), outdated

    async def _ask(self) -> tuple[dict[str, str], int | None]:
        try:
            async with asyncio.timeout(_PATIENCE):
                checks, outdated = await _look(self._runtime)
                return {**checks, "writing": await self._try_to_write() or "ok"}, outdated
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            why = outage(error)
            return {"database": "unreachable" if why in {None, Outage.UNREACHABLE} else str(why)}, None

    async def _try_to_write(self) -> Outage | None:
        """Why the databases can't be written; tried even less often than they are read."""
        runtime = self._runtime
        if monotonic() - self._tried_at >= _PROBED_SECONDS:
            databases = {id(each): each for each in (runtime.register, runtime.checks)}
            self._unwritable = await why_unwritable(*databases.values())
            self._tried_at = monotonic()
        return self._unwritable


class HealthOut(WireOut):
    """The process answers."""

    status: Literal["ok"]


class ReadyOut(WireOut):
    """Whether the service can do its work, and what can't be done."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
    names_outdated: Annotated[
        int | None,
        Field(
            description="Entries that are found by their names only as an earlier release made names ready, until the "
            "worker has come to them; null where the database can't be asked."
        ),
    ]
    held_back: Annotated[
        str | None,
        Field(
            description="Why ends by law, erasures and what else can't be undone wait: the clock is not plausible. "
            "Checks, alerts and officers' acts go on; see `cekal clock accept`."
        ),
    ]
    test_clock: str | None


@router.get("/healthz", summary="Is the process alive?")
async def read_health() -> HealthOut:
    """Answers as long as the process does."""
    return HealthOut(status="ok")


@router.get(
    "/readyz",
    summary="Can the service do its work?",
    responses={503: {"model": ReadyOut, "description": "It can't now; `checks` says why."}},
)
async def read_readiness(request: Request, response: Response) -> ReadyOut:
    """Database, writing, schema, the ledger's tail, and this machine's clock against the database's (two seconds)."""
    runtime = runtime_of(request)
    tail: Tail = request.app.state.tail
    readiness: Readiness = request.app.state.readiness
    checks, outdated = await readiness.look()
    if tail.gone_back is not None:
        checks["ledger"] = tail.gone_back
    elif tail.degraded and "ledger" in checks:
        checks["ledger"] = f"not read for {tail.age:.0f} seconds"
    if not request.app.state.ready:
        checks["process"] = "starting or stopping"
    ready = all(found == "ok" for found in checks.values())
    response.status_code = 200 if ready else 503
    clock = runtime.settings.test_clock
    return ReadyOut(
        status="ready" if ready else "not_ready",
        checks=checks,
        names_outdated=outdated,
        held_back=runtime.doubt(),
        test_clock=runtime.clock().isoformat() if clock else None,
    )


async def _look(runtime: Runtime) -> tuple[dict[str, str], int | None]:
    checks = {"database": "ok", "schema": "ok", "ledger": "ok", "clock": "ok"}
    try:
        await require_newest(runtime.register, runtime.checks)
    except SchemaOutdated:
        return {**checks, "schema": "outdated: run `cekal migrate`"}, None
    async with runtime.reading(SYSTEM) as reader:
        if not await check_tail(reader):
            checks["ledger"] = "the tail does not hold"
        outdated = await count_outdated(reader)
    if runtime.plausibility is not None and abs(runtime.clock() - runtime.machine.wall()) > LARGEST_SKEW:
        checks["clock"] = "this machine's differs from the database's by more than two seconds"
    return checks, outdated


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."},
        **problems("unauthenticated", "wrong-role", "rate-limited", "unavailable"),
    },
)
async def read_metrics(request: Request, _key: Annotated[str | None, Security(key_scheme)]) -> Response:
    """Counters and histograms, for an admin's key; without one on the address set by CEKAL_METRICS_BIND."""
    async with in_time(request):
        actor = await admit(request)
    if not actor.holds(Role.ADMIN):
        raise WrongRole(f"This call is for: {Role.ADMIN}.")
    metrics: Metrics = request.app.state.metrics
    body, content_type = metrics.exposition()
    return Response(body, headers={"content-type": content_type})
