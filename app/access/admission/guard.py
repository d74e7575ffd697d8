"""The guard of every route: authenticates the caller, checks its role and opens the transaction.

A route's signature states the required roles and what the guard supplies, as in
`unit: Annotated[Unit, unit_for(Role.SUBMITTER)]`. Without the role there is no transaction, and without a transaction
nothing can be read or changed.

`GuardedRoute` admits the caller before it parses the body, renders the endpoint's answer inside the transaction,
stores that answer for repeats, and commits before it sends the answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Annotated, Any, Final, Literal, TypeVar, cast

from fastapi import Depends, Header, Request, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.responses import Response
from starlette.types import Scope

from app.access.admission import idempotency
from app.access.admission.callers import Callers
from app.access.admission.gate import Gate
from app.access.admission.quotas import Quota
from app.access.admission.state import count_for_key, names_closed_in, quotas_in, state_of
from app.access.domain import Role
from app.actor import Actor
from app.db.faults import Outage, outage, seconds_to_wait, unanswered
from app.db.lanes import Lane, using
from app.db.unit import Reader, Unit
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
from app.web.accept import JSON
from app.web.bodies import expect_single, read_json
from app.web.methods import WITH_BODY
from app.web.openapi import KEY_DEMANDED
from app.web.openapi_headers import KEY_PATTERN, QUOTA
from app.web.request_rules import RequestRules

key_scheme = HTTPBearer(auto_error=False, scheme_name="key", description="A client's key: `Bearer cekal_…`")

Repeats = Literal["allowed", "required", "refused"]

_NOTHING: Final[Mapping[str, str]] = {}
_UNKNOWN: Final = {"outcome": "unknown"}
_LANES: Final = {Quota.URGENT_ENTRIES: Lane.URGENT}
"""The separate lane of database connections, for quotas that have one."""


def runtime_of(scope: Mapping[str, Any]) -> Runtime:
    """Return the runtime of this process; `scope` is a request, or its ASGI scope."""
    return cast(Runtime, scope["app"].state.process.runtime)


def gate_of(scope: Mapping[str, Any]) -> Gate:
    """Return the gate of this process; `scope` is a request, or its ASGI scope."""
    return cast(Gate, scope["app"].state.process.gate)


def callers_of(scope: Mapping[str, Any]) -> Callers:
    """Return the finder of callers of this process; `scope` is a request, or its ASGI scope."""
    return cast(Callers, scope["app"].state.process.callers)


E = TypeVar("E", bound=Callable[..., Any])


def within(quota: Quota) -> Callable[[E], E]:
    """Return a decorator that marks an endpoint: each of its requests uses this quota of the caller's key.

    A `GuardedRoute` then takes the quota; a handler that is called at the ASGI level must call `take` itself.
    """

    def mark(endpoint: E) -> E:
        setattr(endpoint, QUOTA, quota)
        return endpoint

    return mark


async def take(scope: Scope, quota: Quota, actor: Actor) -> None:
    """Count a request against a quota of the caller's key; wait for a free place if the quota has a queue.

    A place in a quota of concurrent requests is held until the request ends. The remaining quota is added to the
    answer's header fields, also if this raises.

    Raises:
        RateLimited: the key's quota is used up.
    """
    state, quotas = scope["state"], quotas_in(scope)
    try:
        leave = await quotas.enter(quota, actor)
        state.setdefault("at_end", []).append(leave)
    finally:
        state["headers"] += quotas.headers(quota, actor)


async def take_for_cached_key(request: Request, quota: Quota) -> bool:
    """Count a request against a quota (see `take`), if the caller's key is cached. Returns whether it was counted.

    This refuses requests above the quota without a look-up of the key. The caller must still be admitted, because a
    cached key may have been revoked.

    Raises:
        RateLimited: the key's quota is used up (as `take`).
    """
    if (known := recall(request)) is not None:
        await take(request.scope, quota, known)
    return known is not None


def recall(request: Request) -> Actor | None:
    """Return the request's caller if its key is cached, without verifying that the key is still valid; else None."""
    address = request.client.host if request.client else None
    return gate_of(request).recall(request.headers.get("authorization"), address)


async def admit_within(request: Request, quota: Quota) -> Actor:
    """Authenticate the request's caller by its key, count the request against the key's quota, and return the caller.

    Raises:
        Unauthenticated: the key is not valid (as `Gate.admit`).
        RateLimited: too many failed attempts (as `Gate.admit`), or the key's quota is used up (as `take`).
    """
    limit = state_of(request).limit
    taken = await uncounted(limit, take_for_cached_key(request, quota))
    actor = await admit(request)
    if not taken:
        await uncounted(limit, take(request.scope, quota, actor))
    return actor


async def admit(request: Request) -> Actor:
    """Authenticate the request's caller by its key, store it in the request's state, and return it.

    Raises:
        Unauthenticated: the key is not valid (as `Gate.admit`).
        RateLimited: too many failed attempts (as `Gate.admit`).
    """
    address = request.client.host if request.client else None
    state = state_of(request)
    state.access_version = gate_of(request).version  # first, so that a change during the look-up is noticed
    state.actor = await callers_of(request).find(request.headers.get("authorization"), address)
    count_for_key(request.scope, state.actor)
    return state.actor


class _Sent(Request):
    """A request with a JSON body that was already read and checked; FastAPI gets it from here."""

    async def json(self) -> Any:
        """Return the body as it was read."""
        return state_of(self).sent


async def _read_body(request: Request, usual: str) -> None:
    """Read a request's body; without a `Content-Type` it has the route's usual media type.

    Ambiguous JSON is refused, even where the call takes no body.

    Raises:
        MalformedJson, Invalid: the body is no valid JSON, or an object in it has a member twice.
    """
    body = await request.body()
    if body and JSON in request.headers.get("content-type", usual).lower():
        state = state_of(request)
        state.sent = read_json(body)
        expect_single(state.sent)


class _Replayed(Exception):
    def __init__(self, response: Response) -> None:
        self.response = response


class GuardedRoute(APIRoute):
    """A route that sends its answer only after its transaction is committed, and refuses unknown query parameters."""

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **{**given, "strict_content_type": False})  # see `RequestRules.expect`

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler inside the guard: time limit, admission, transaction, stored answer for repeats."""
        handle = super().get_route_handler()
        rules = RequestRules.of(self)
        usual = JSON if rules.request_types else ""

        quota: Quota | None = getattr(self.endpoint, QUOTA, None)
        lane = _LANES.get(quota) if quota else None

        async def guarded(given: Request) -> Response:
            request = _Sent(given.scope, given.receive)
            if (traces := runtime_of(given).traces) is not None:
                traces.begin_request(given.scope)
            with using(lane):
                async with in_time(request):
                    return await answered(request)

        async def answered(request: Request) -> Response:
            try:
                return await transacted(request)
            except CekalError as refusal:
                await _handle_refusal_events(request, refusal.afterwards)
                raise

        async def transacted(request: Request) -> Response:
            await self.admit_caller(request, quota)
            if "\0" in request.url.path:  # no id contains it, and PostgreSQL refuses such text
                raise NotFound("There is no such path.")
            rules.expect(request.scope)
            if request.method in WITH_BODY:
                await uncounted(state_of(request).limit, _read_body(request, usual))
            state = state_of(request)
            state.claim = None
            async with AsyncExitStack() as stack:
                state.stack = stack
                try:
                    response = await handle(request)
                except _Replayed as replayed:
                    return replayed.response
                if state.claim is not None:
                    assert state.unit is not None, "a repeat is claimed on the way to its transaction"
                    secret = getattr(state, "secret", False)
                    await idempotency.keep(state.unit, state.claim, response, secret=secret)
            return response

        return guarded

    async def admit_caller(self, request: Request, quota: Quota | None) -> None:
        """Authenticate the caller and store it in the request's state; count the request against `quota`, unless None.

        Raises:
            Unauthenticated: the key is not valid.
            RateLimited: too many failed attempts, or the key's quota is used up.
            Unavailable: the register can't be read now.
        """
        await (admit(request) if quota is None else admit_within(request, quota))


async def _handle_refusal_events(request: Request, afterwards: Sequence[object]) -> None:
    """Handle the events of a refusal in a new transaction; the transaction of the refused act was rolled back."""
    if not afterwards:
        return
    async with runtime_of(request).writing(state_of(request).actor) as unit:
        for event in afterwards:
            unit.happened(event)
        await unit.conclude()


@asynccontextmanager
async def in_time(request: Request) -> AsyncIterator[None]:
    """Limit the time of a `with` block to `answer_seconds`; raise Unavailable at its end or if the database fails.

    The limit is stored as `RequestState.limit`. `uncounted` and `allow` extend it, for example while the body arrives.

    Raises:
        Unavailable: the database can't be reached, or did not answer in time. If it was lost during the commit, the
            error's `outcome` says that the result is unknown; a repeat with the same `Idempotency-Key` gets the result.
    """
    state = state_of(request)
    state.unit = None
    try:
        async with asyncio.timeout(runtime_of(request).settings.answer_seconds) as state.limit:
            yield
    except (Exception, asyncio.CancelledError) as error:
        cut = isinstance(error, asyncio.CancelledError) and runtime_of(request).closing
        why = Outage.SILENT if cut else outage(error)  # the process is shutting down
        if why is None:
            raise
        runtime_of(request).outages.failed(error, writing=state.unit is not None)
        detail, extra = f"The call can't be served: {why}.", _NOTHING
        if unanswered(why) and state.unit is not None and state.unit.committing:
            detail = "The database was lost while it stored the act, so that it is not known whether it did."
            extra = _UNKNOWN
        raise Unavailable(detail, retry_after=seconds_to_wait(why), extra=extra) from error


def allow(request: Request, seconds: float) -> None:
    """Set a request's time limit to `seconds` plus `answer_seconds` from now, so that it may wait for `seconds`."""
    renew(state_of(request).limit, seconds + runtime_of(request).settings.answer_seconds)


def demand(actor: Actor, roles: tuple[Role, ...]) -> None:
    """Raise WrongRole unless the actor holds one of the roles; without roles every actor passes."""
    if roles and not actor.holds(*roles):
        raise WrongRole(f"This call is for: {', '.join(roles)}.")


def actor_for(*roles: Role) -> Any:
    """Return a FastAPI dependency that supplies the caller, and raises WrongRole unless it holds one of the roles.

    Without roles every caller passes. This dependency is for endpoints that open their own transactions.
    """

    async def actor(request: Request, _: Annotated[Any, Security(key_scheme)]) -> Actor:
        caller = state_of(request).actor
        demand(caller, roles)
        return caller

    return Depends(actor)


def reader_for(*roles: Role) -> Any:
    """Return a FastAPI dependency that supplies a read transaction, and checks roles as `actor_for` does."""

    async def reader(request: Request, _: Annotated[Any, Security(key_scheme)]) -> Reader:
        actor = state_of(request).actor
        demand(actor, roles)
        stack = state_of(request).stack
        return await stack.enter_async_context(runtime_of(request).reading(actor))

    return Depends(reader)


def repeat_header(repeats: Repeats) -> Any:
    """Return the FastAPI parameter for `Idempotency-Key`. The OpenAPI document omits it if `repeats` is `refused`."""
    return Header(
        description=KEY_DEMANDED
        if repeats == "required"
        else "Makes repeats safe: the first 2xx answer is given again for 24 hours.",
        include_in_schema=repeats != "refused",
        json_schema_extra={"pattern": KEY_PATTERN, "maxLength": idempotency.LONGEST_KEY},
    )


def unit_for(
    *roles: Role,
    repeats: Repeats = "allowed",
    despite_seals: bool = False,
    despite_rollback: bool = False,
) -> Any:
    """Return a FastAPI dependency that supplies a write transaction; a repeated POST gets its first answer instead.

    Args:
        roles: WrongRole is raised unless the caller holds one of these; without roles every caller passes.
        repeats: whether an `Idempotency-Key` may, must or must not be sent with a POST.
        despite_seals: whether a repeat is answered even if the first answer names an entry that a seal now hides from
            the caller. If False, such a repeat raises NotFound.
        despite_rollback: whether the transaction is opened even in a register that was rolled back to an older state,
            which otherwise refuses writes. For calls that counters need and that store only a record of the call.
    """

    async def unit(
        request: Request,
        _: Annotated[Any, Security(key_scheme)],
        idempotency_key: Annotated[str | None, repeat_header(repeats)] = None,
    ) -> Unit:
        actor = state_of(request).actor
        demand(actor, roles)
        claimed = await claim_repeat(request, actor, idempotency_key, repeats)
        stack = state_of(request).stack
        opened = await stack.enter_async_context(runtime_of(request).writing(actor, always=despite_rollback))
        state_of(request).unit = opened
        if claimed is not None:
            kept = await idempotency.recall(opened, claimed)
            if kept is not None:
                if not despite_seals and await names_closed_in(request)(opened, bytes(kept.body)):
                    raise NotFound("The content of the first answer is outside the caller's view now.")
                raise _Replayed(kept)
            state_of(request).claim = claimed
        return opened

    return Depends(unit)


async def claim_repeat(
    request: Request, actor: Actor, key: str | None, repeats: Repeats
) -> idempotency.Claim | None:
    """Claim `key`, a POST's `Idempotency-Key`, until the request ends. Returns None if there is no key, or no POST.

    Raises:
        IdempotencyKeyRequired, IdempotencyKeyNotAllowed: `repeats` demands a missing key, or refuses the key sent.
        Invalid: the key is too long, or not printable ASCII.
        IdempotencyInFlight: an earlier request with this key is still running in this process.
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
    state_of(request).stack.callback(running.discard, claimed.scope)
    return claimed
