"""Routes of health, readiness, metrics and the OpenAPI document (API section 8)."""

import asyncio
import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from time import monotonic
from typing import Annotated, Any, Literal, NamedTuple, cast

from fastapi import APIRouter, Request, Response, Security
from pydantic import Field
from sqlalchemy.exc import SQLAlchemyError

from app.access.admission.guard import admit, in_time, key_scheme, runtime_of
from app.access.domain import SYSTEM, Role
from app.alerting.alerts.tail import tail_of
from app.db.faults import Outage, outage
from app.db.lanes import Lane, using
from app.db.migrate import SchemaOutdated, require_served
from app.db.probe import why_unwritable
from app.db.rollback import Rollback
from app.errors import WrongRole
from app.kit.clock import rfc3339
from app.ledger.service import check_tail, find_head
from app.register.entries.names.index import count_outdated
from app.runtime import Runtime
from app.sync.heads.service import newest_head
from app.web.metrics import Metrics
from app.web.openapi import problems
from app.web.wire import MomentText, WireOut

router = APIRouter(tags=["operation"])

LARGEST_SKEW = timedelta(seconds=2)
_PATIENCE = 5.0
_PROBED_SECONDS = 3.0


class Found(NamedTuple):
    """The result of a readiness check of the databases.

    Attributes:
        checks: the result of each single check by its name, such as `schema`: `ok`, or the fault.
        names_outdated: number of entries whose name keys (by which names are found) were made by an earlier release;
            None if unknown.
        head_signed_at: when the newest signed head was signed; None without one, or if unknown.
    """

    checks: dict[str, str]
    names_outdated: int | None
    head_signed_at: datetime | None


class Readiness:
    """The cached result of the readiness check of the databases, refreshed at most once in `readiness_seconds`.

    Because of the cache, frequent calls without a key put no load on the databases. Simultaneous callers wait for one
    refresh.

    Attributes:
        serving: whether the process has started and is not stopping; the application sets it.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.serving = False
        self._runtime = runtime
        self._looking = asyncio.Lock()
        self._looked_at = self._tried_at = -math.inf
        self._found: Found = Found({}, None, None)
        self._unwritable: Outage | None = None

    async def look(self) -> "Found":
        """Return the state of the databases, at most `readiness_seconds` old.

        Whether they can be written is tried at most every three seconds. An outage is not raised: the result then has
        only the check `database`, with the reason.
        """
        async with self._looking:
            if monotonic() - self._looked_at >= self._runtime.settings.readiness_seconds:
                with using(Lane.TAIL):
                    self._found = await self._ask()
                self._looked_at = monotonic()
        checks = dict(self._found.checks)
        if "writing" in checks and self._runtime.unwritten:  # by what was last to be written
            checks["writing"] = self._runtime.unwritten
        return self._found._replace(checks=checks)

    async def _ask(self) -> "Found":
        try:
            async with asyncio.timeout(_PATIENCE):
                found = await _look(self._runtime)
                writing = {"writing": await self._try_to_write() or "ok"}
                return found._replace(checks={**found.checks, **writing})
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            why = outage(error)
            why_not = "unreachable" if why in {None, Outage.UNREACHABLE} else str(why)
            return Found({"database": why_not}, None, None)

    async def _try_to_write(self) -> Outage | None:
        """Return why the databases can't be written, None if they can; the trial is rarer than that of reading."""
        runtime = self._runtime
        if monotonic() - self._tried_at >= _PROBED_SECONDS:
            databases = {id(each): each for each in (runtime.register, runtime.checks)}
            self._unwritable = await why_unwritable(*databases.values())
            self._tried_at = monotonic()
        return self._unwritable


def readiness_of(scope: Mapping[str, Any]) -> Readiness:
    """Return this process's `Readiness` object, which checks the databases; `scope` is a request, or its ASGI scope."""
    return cast(Readiness, scope["app"].state.process.readiness)


def metrics_of(scope: Mapping[str, Any]) -> Metrics:
    """Return this process's `Metrics` object; `scope` is a request, or its ASGI scope."""
    return cast(Metrics, scope["app"].state.process.metrics)


class HealthOut(WireOut):
    """The answer of a process that runs."""

    status: Literal["ok"]
    """Always `ok`."""


class RolledBackOut(WireOut):
    """The evidence that the register was rolled back."""

    problem: Literal["register-rolled-back"]
    """Slug of the problem with which writes are refused."""
    detail: str
    """What is known, as a sentence."""
    origin: str | None
    """The ledger's origin (its name) in the highest known head; null where no signed head shows it."""
    known_size: int | None
    """The number of records of the highest known head; null where the file of the database was replaced."""
    size: int | None
    """The number of records that the database had when the rollback was noticed; null where its file was replaced."""


class ReadyOut(WireOut):
    """Whether the service is ready, and the result of each check."""

    status: Literal["ready", "not_ready"]
    """Whether all checks are `ok`."""
    checks: dict[str, str]
    """The result of each check by its name: `ok`, or a description of what is wrong."""
    names_outdated: Annotated[
        int | None,
        Field(
            description="Number of entries whose names an earlier release has indexed. Until the worker has indexed "
            "them anew, they are found by that release's rules. Null where the database can't be asked."
        ),
    ]
    held_back: Annotated[
        str | None,
        Field(
            description="Why the clock may be wrong. Acts that can't be undone, such as ends by law and erasures, then "
            "wait; checks, alerts and urgent entries never wait. Null while the clock is plausible; see `cekal clock "
            "accept`."
        ),
    ]
    rolled_back: Annotated[
        RolledBackOut | None,
        Field(
            description="The evidence that the database was put back to an earlier state; null without any. Until "
            "`cekal restore`, writes get 503, and checks are answered with `stale`. This alone makes no process "
            "unready."
        ),
    ]
    mark: Annotated[
        str,
        Field(
            description="`ok`, or why the file with the highest signed head can't be used or written (CEKAL_MARK_FILE)."
        ),
    ]
    head_signed_at: MomentText | None
    """When the newest signed head of the ledger was signed; null before the first, or where it can't be read."""
    test_clock: MomentText | None
    """The time that a test has set; null outside tests."""


@router.get("/healthz", summary="Is the process alive?", response_description="The process is alive.")
async def read_health() -> HealthOut:
    """Answer 200 as long as the process runs."""
    return HealthOut(status="ok")


@router.get(
    "/readyz",
    summary="Can the service do its work?",
    response_description="The service can do all its work.",
    responses={503: {"model": ReadyOut, "description": "It can't now; `checks` has the reason."}},
)
async def read_readiness(request: Request, response: Response) -> ReadyOut:
    """Check the databases (reads, writes and schema), the ledger's end, and the clocks."""
    runtime = runtime_of(request)
    tail, readiness = tail_of(request), readiness_of(request)
    found = await readiness.look()
    checks = found.checks
    if tail.rollback_reason is not None:
        if runtime.rollback is None or runtime.register.replaced:  # else another process knows no more
            checks["ledger"] = tail.rollback_reason
    elif tail.degraded and "ledger" in checks:
        checks["ledger"] = f"not read for {tail.age:.0f} seconds"
    if not readiness.serving:
        checks["process"] = "starting or stopping"
    ready = all(found == "ok" for found in checks.values())
    response.status_code = 200 if ready else 503
    clock = runtime.settings.test_clock
    return ReadyOut(
        status="ready" if ready else "not_ready",
        checks=checks,
        names_outdated=found.names_outdated,
        held_back=runtime.doubt(),
        rolled_back=_rolled_back(runtime.rollback),
        mark=runtime.keeper.fault or "ok",
        head_signed_at=rfc3339(found.head_signed_at) if found.head_signed_at else None,
        test_clock=rfc3339(runtime.clock()) if clock else None,
    )


def _rolled_back(rollback: Rollback | None) -> RolledBackOut | None:
    if rollback is None:
        return None
    return RolledBackOut(
        problem="register-rolled-back",
        detail=f"The register was rolled back: {rollback}.",
        origin=rollback.origin or None,
        known_size=None if rollback.found is None else rollback.known,
        size=rollback.found,
    )


async def _look(runtime: Runtime) -> Found:
    checks = {"database": "ok", "schema": "ok", "ledger": "ok", "clock": "ok"}
    try:
        await require_served(runtime.register, runtime.checks)
    except SchemaOutdated:
        return Found({**checks, "schema": "outdated: run `cekal migrate`"}, None, None)
    async with runtime.reading(SYSTEM) as reader:
        end = await find_head(reader)
        if end is None:
            return Found({**checks, "ledger": "has no head: run `cekal restore`"}, None, None)
        if not await check_tail(reader):
            checks["ledger"] = "the tail does not hold"
        outdated = await count_outdated(reader)
        signed = await newest_head(reader, end.epoch)
    if runtime.plausibility is not None and abs(runtime.clock() - runtime.machine.wall()) > LARGEST_SKEW:
        checks["clock"] = "this machine's differs from the database's by more than two seconds"
    return Found(checks, outdated, signed.signed_at if signed else None)


@router.get(
    "/metrics",
    summary="Metrics for Prometheus",
    response_class=Response,
    response_description="The metrics, in Prometheus's text format.",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}},
        **problems("unauthenticated", "wrong-role", "rate-limited", "unavailable"),
    },
)
async def read_metrics(request: Request, _key: Annotated[str | None, Security(key_scheme)]) -> Response:
    """Read the process's metrics with an admin's key; the address of CEKAL_METRICS_BIND serves them without one."""
    async with in_time(request):
        actor = await admit(request)
    if not actor.holds(Role.ADMIN):
        raise WrongRole(f"This call is for: {Role.ADMIN}.")
    body, content_type = metrics_of(request).exposition()
    return Response(body, headers={"content-type": content_type})
