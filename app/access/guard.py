"""The guard of every route: who is it, may they, in which transaction.

A route says in its signature who may call it and what it gets: `unit: Annotated[Unit, unit_for(Role.SUBMITTER)]`.
Without the role there is no transaction, and without a transaction nothing can be read or changed.

`GuardedRoute` admits the caller before the body is even parsed, lets the endpoint render its answer inside the
transaction, keeps that answer for repeats, and commits before the answer leaves.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Depends, Header, Request, Security, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.responses import Response
from starlette.types import Scope

from app.access import idempotency
from app.access.domain import SYSTEM, Role
from app.access.gate import Gate
from app.access.quotas import Quota
from app.db.faults import Outage, outage, seconds_to_wait, unanswered
from app.db.lanes import Lane, using
from app.db.unit import Actor, Reader, Unit
from app.errors import (
    CekalError,
    IdempotencyKeyNotAllowed,
    IdempotencyKeyRequired,
    NotFound,
    Unavailable,
    WrongRole,
)
from app.kit.waits import renew, uncounted
from app.runtime import Runtime

key_scheme = HTTPBearer(auto_error=False, scheme_name="key", description="A client's key: `Bearer cekal_…`")

Repeats = Literal["allowed", "required", "refused"]

_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_UNKNOWN = {"outcome": "unknown"}
_QUOTA: Final = "quota"
_LANES: Final = {Quota.URGENT_ENTRIES: Lane.URGENT}
"""What has connections of its own to the database."""


def runtime_of(request: Request) -> Runtime:
    """The process's Runtime."""
    return request.app.state.runtime  # type: ignore[no-any-return]  # Starlette's state is untyped


def gate_of(request: Request) -> Gate:
    """The process's Gate."""
    return request.app.state.gate  # type: ignore[no-any-return]  # as above


E = TypeVar("E", bound=Callable[..., Any])


def within(quota: Quota) -> Callable[[E], E]:
    """Mark the endpoint of a guarded route: each of its requests takes of the caller's quota."""

    def mark(endpoint: E) -> E:
        setattr(endpoint, _QUOTA, quota)
        return endpoint

    return mark


async def take(scope: Scope, quota: Quota, actor: Actor) -> None:
    """Let a request take of the caller's quota, once it is its turn, until it is over; its answer says what is left.

    Raises:
        RateLimited: the key has no more to take.
    """
    state, quotas = scope["state"], scope["app"].state.quotas
    try:
        leave = await quotas.enter(quota, actor)
        state.setdefault("at_end", []).append(leave)
    finally:
        state["headers"] += quotas.headers(quota, actor)


async def take_if_known(request: Request, quota: Quota) -> bool:
    """Take of the quota of a caller whose key is remembered, so that a refusal costs no look-up; False for another.

    A key that was revoked a moment ago may be refused so too; it is not admitted by this.

    Raises:
        RateLimited: as `take`.
    """
    address = request.client.host if request.client else None
    known = gate_of(request).recall(request.headers.get("authorization"), address)
    if known is not None:
        await take(request.scope, quota, known)
    return known is not None


async def admit_within(request: Request, quota: Quota) -> Actor:
    """Admit the request's caller, who takes of a quota.

    Raises:
        Unauthenticated, RateLimited: as `Gate.admit` and `take`.
    """
    limit: asyncio.Timeout = request.state.limit
    taken = await uncounted(limit, take_if_known(request, quota))
    actor = await admit(request)
    if not taken:
        await uncounted(limit, take(request.scope, quota, actor))
    return actor


async def admit(request: Request) -> Actor:
    """Admit the request's caller and note it for the guards and the access log.

    Raises:
        Unauthenticated, RateLimited: as `Gate.admit`.
    """
    address = request.client.host if request.client else None
    gate = gate_of(request)
    request.state.access_version = gate.version  # first: what changes meanwhile is looked at again
    with using(Lane.ADMISSION):
        async with runtime_of(request).reading(SYSTEM) as reader:
            actor = await gate.admit(reader, request.headers.get("authorization"), address)
    request.state.actor = actor
    count_for_key(request.scope, actor)
    return actor


def count_for_key(scope: Scope, actor: Actor) -> None:
    """Let the connection count against the key that was seen on it, no longer against its address."""
    connection = scope["state"].get("connection")
    if connection is not None and actor.key_id is not None:
        connection.show_key(actor.key_id)


class _Replayed(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class GuardedRoute(APIRoute):
    """A route whose answer leaves only after its transaction is committed; it takes no parameters but its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler that FastAPI calls, wrapped."""
        handle = super().get_route_handler()
        known = {
            field.alias
            for field in get_flat_params(self.dependant)
            if isinstance(field.field_info, params.Query)
        }

        quota: Quota | None = getattr(self.endpoint, _QUOTA, None)

        lane = _LANES.get(quota) if quota else None

        async def guarded(request: Request) -> Response:
            with using(lane):
                async with in_time(request):
                    return await answered(request)

        async def answered(request: Request) -> Response:
            try:
                return await transacted(request)
            except CekalError as refusal:
                await _let_happen(request, refusal.afterwards)
                raise

        async def transacted(request: Request) -> Response:
            await (admit(request) if quota is None else admit_within(request, quota))
            if request.method in _WITH_BODY:
                await uncounted(request.state.limit, request.body())
            if "\0" in request.url.path:  # no id holds it, and PostgreSQL takes no text that does
                raise NotFound("There is no such path.")
            if unknown := request.query_params.keys() - known:  # a filter with a slip would list everything
                error = {"type": "extra_forbidden", "msg": ""}
                raise RequestValidationError([{**error, "loc": ("query", name)} for name in sorted(unknown)])
            request.state.claim = None
            async with AsyncExitStack() as stack:
                request.state.stack = stack
                try:
                    response = await handle(request)
                except _Replayed as replayed:
                    return replayed.response
                if request.state.claim is not None:
                    secret = getattr(request.state, "secret", False)
                    await idempotency.keep(request.state.unit, request.state.claim, response, secret=secret)
            return response

        return guarded


async def _let_happen(request: Request, afterwards: Sequence[object]) -> None:
    """Put on record what follows from a refusal; the refused act itself is rolled back."""
    if not afterwards:
        return
    async with runtime_of(request).writing(request.state.actor) as unit:
        for event in afterwards:
            unit.happened(event)
        await unit.conclude()


@asynccontextmanager
async def in_time(request: Request) -> AsyncIterator[None]:
    """Answer a request within `answer_seconds`, or say that it can't be: nothing is pretended, a repeat may work.

    The time in which its body arrives is not counted. `request.state.limit` is there to be moved on by waits that the
    caller asked for.

    Raises:
        Unavailable: the database can't be reached, or did not answer in time. Where it was lost while it stored the
            act, `outcome` says that nobody knows: a repeat with the same `Idempotency-Key` is answered by the truth.
    """
    request.state.unit = None
    try:
        async with asyncio.timeout(runtime_of(request).settings.answer_seconds) as request.state.limit:
            yield
    except (Exception, asyncio.CancelledError) as error:
        cut = isinstance(error, asyncio.CancelledError) and runtime_of(request).closing
        why = Outage.SILENT if cut else outage(error)  # the process ends, and waits no longer
        if why is None:
            raise
        runtime_of(request).outages.failed(error, writing=request.state.unit is not None)
        detail, extra = f"The call can't be served: {why}.", {}
        if unanswered(why) and request.state.unit is not None and request.state.unit.committing:
            detail = "The database was lost while it stored the act, so that it is not known whether it did."
            extra = _UNKNOWN
        raise Unavailable(detail, retry_after=seconds_to_wait(why), extra=extra) from error


def allow(request: Request, seconds: float) -> None:
    """Let a request wait from now for so many seconds, and then be answered in the usual time."""
    renew(request.state.limit, seconds + runtime_of(request).settings.answer_seconds)


def _demand(actor: Actor, roles: tuple[Role, ...]) -> None:
    if roles and not actor.holds(*roles):
        raise WrongRole(f"This call is for: {', '.join(roles)}.")


def actor_for(*roles: Role) -> Any:
    """A dependency that gives the Actor, if it holds one of the roles (none named: any client).

    For endpoints that open their own short transactions, such as streams and long polls.
    """

    async def actor(request: Request, _: Annotated[Any, Security(key_scheme)]) -> Actor:
        _demand(request.state.actor, roles)
        return request.state.actor  # type: ignore[no-any-return]  # Starlette's state is untyped

    return Depends(actor)


def reader_for(*roles: Role) -> Any:
    """A dependency that gives a Reader, if the caller holds one of the roles (none named: any client)."""

    async def reader(request: Request, _: Annotated[Any, Security(key_scheme)]) -> Reader:
        actor: Actor = request.state.actor
        _demand(actor, roles)
        stack: AsyncExitStack = request.state.stack
        return await stack.enter_async_context(runtime_of(request).reading(actor))

    return Depends(reader)


def unit_for(*roles: Role, repeats: Repeats = "allowed", despite_seals: bool = False) -> Any:
    """A dependency that gives a Unit, if the caller holds one of the roles (none named: any client).

    Args:
        roles: one of these must be held.
        repeats: whether an `Idempotency-Key` may, must or must not be sent with a POST.
        despite_seals: whether the caller is answered about entries whose seal keeps them out, so that a repeat is too;
            otherwise a repeat is 404 once the entry that the first answer was about is sealed from the caller.
    """

    async def unit(
        request: Request,
        _: Annotated[Any, Security(key_scheme)],
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Makes repeats of a POST safe: the first 2xx answer is given again for 24 hours."
            ),
        ] = None,
    ) -> Unit:
        actor: Actor = request.state.actor
        _demand(actor, roles)
        claimed = await claim_repeat(request, actor, idempotency_key, repeats)
        stack: AsyncExitStack = request.state.stack
        opened = await stack.enter_async_context(runtime_of(request).writing(actor))
        request.state.unit = opened
        if claimed is not None:
            kept = await idempotency.recall(opened, claimed)
            if kept is not None:
                if not despite_seals and await request.app.state.tells_closed(opened, bytes(kept.body)):
                    raise NotFound("What the first answer told is outside the caller's view now.")
                raise _Replayed(kept)
            request.state.claim = claimed
        return opened

    return Depends(unit)


async def claim_repeat(
    request: Request, actor: Actor, key: str | None, repeats: Repeats
) -> idempotency.Claim | None:
    """Claim an `Idempotency-Key` for the request until its `state.stack` is left; None where there is none to claim.

    Raises:
        IdempotencyKeyRequired, IdempotencyKeyNotAllowed: it is missing, or was sent where it may not be.
        IdempotencyInFlight: the first request with it is still running here.
    """
    if key is None:
        if repeats == "required":
            raise IdempotencyKeyRequired("This call needs an Idempotency-Key: a repeat must not act twice.")
        return None
    if repeats == "refused":
        raise IdempotencyKeyNotAllowed("This call takes no Idempotency-Key: each is a new question.")
    if request.method != "POST":
        return None
    claimed = idempotency.claim(actor.client_id, request.method, request.url.path, key, await request.body())
    running = runtime_of(request).in_flight
    if claimed.scope in running:
        raise idempotency.in_flight()
    running.add(claimed.scope)
    request.state.stack.callback(running.discard, claimed.scope)
    return claimed
