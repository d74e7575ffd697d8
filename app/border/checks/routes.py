"""Routes of checks: the calls of checkpoints, and the auditor's explanation (API section 5)."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from fastapi import APIRouter, Path, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import (
    GuardedRoute,
    actor_for,
    admit,
    gate_of,
    key_scheme,
    runtime_of,
    take,
    unit_for,
    within,
)
from app.access.admission.quotas import Quota
from app.access.admission.state import count_for_key
from app.access.domain import Role
from app.actor import Actor
from app.border.checks import service
from app.border.checks.batcher import LONGEST_ANSWER, batcher_of, in_parts, not_stored
from app.border.checks.explain_schemas import ExplainIn, ExplanationOut
from app.border.checks.explaining import explain_entry, explain_subject
from app.border.checks.parsing import ParsedQuestion, parse_question, parse_traveller
from app.border.checks.questions import Question
from app.border.checks.schemas import MAX_IN_BATCH, BatchIn, BatchOut, CheckIn, CheckOut
from app.db.unit import Unit
from app.errors import (
    BodyTooLarge,
    CekalError,
    Fault,
    IdempotencyKeyNotAllowed,
    Invalid,
    NotStored,
    RateLimited,
    Unauthenticated,
    WrongRole,
)
from app.kit.clock import legal_day
from app.kit.pace import paced, run_in_pool
from app.matching.policy import policy_of
from app.register.entries.seal_queries import list_barred
from app.web.bodies import expect_single, read_json
from app.web.etag import UNCHANGED, IfNoneMatch, etag_of, not_modified
from app.web.openapi import problems
from app.web.problems import document_of
from app.web.raw import RawRoute, documented, while_connected
from app.web.request_rules import expect_rules

router = APIRouter(prefix="/checks", tags=["checks"])
guarded = APIRouter(prefix="/checks", tags=["checks"], route_class=GuardedRoute)

CheckId = Annotated[str, Path(max_length=40, description="The check's id.")]
_JSON = b"application/json"

T = TypeVar("T")


async def _caller(scope: Scope) -> tuple[Actor, int]:
    """Return the checkpoint's actor, and the access version at which its key was valid.

    The actor is cached from the last check until any access right changes.
    """
    headers = dict(scope["headers"])
    gate = gate_of(scope)
    version = gate.version
    client = scope["client"]
    actor = gate.recall(headers.get(b"authorization", b"").decode("latin-1"), client[0] if client else None)
    if actor is None:
        actor = await _admitted(scope)
    else:
        count_for_key(scope, actor)
    scope["state"]["actor"] = actor
    expect_rules(scope)
    if not actor.holds(Role.CHECKPOINT):
        raise WrongRole(f"This call is for: {Role.CHECKPOINT}.")
    if b"idempotency-key" in headers:
        raise IdempotencyKeyNotAllowed("A check takes no Idempotency-Key: each is a new question.")
    return actor, version


class _ParsedRequest(NamedTuple, Generic[T]):
    """A parsed request.

    Attributes:
        what: the question.
        actor: the caller.
        version: the access version at which the caller's key was valid.
        waited: seconds that the look-up of the key took.
    """

    what: T
    actor: Actor
    version: int
    waited: float


async def _read_request(
    scope: Scope, receive: Receive, read: Callable[[bytes], T], quota: Quota | None = None
) -> _ParsedRequest[T]:
    """Read a request and its caller.

    If the call counts against a quota, the wait for it comes before the body is read, so that the body stays in the
    socket. Before a fault of the request is answered, a cached key is looked up, so that a key that was revoked or has
    expired gets 401 for a faulty question too.
    """
    now = asyncio.get_running_loop().time
    try:
        began = now()
        actor, version = await _caller(scope)
        waited = now() - began
        if quota is not None:
            await take(scope, quota, actor)
        body = await _body(receive)
        return _ParsedRequest(read(body), actor, version, waited)
    except (Unauthenticated, RateLimited, NotStored):
        raise
    except (CekalError, RequestValidationError):
        await _admitted(scope)
        raise


async def _admitted(scope: Scope) -> Actor:
    """Look up the caller within the time of an answer, because a counter must learn in time that it gets none (R50).

    Raises:
        NotStored: the look-up failed or took too long.
    """
    try:
        async with asyncio.timeout(LONGEST_ANSWER):
            return await admit(Request(scope))
    except CekalError:
        raise
    except Exception as error:  # if the look-up fails, the check cannot be stored either
        runtime_of(scope).outages.failed(error, writing=True)
        raise not_stored(error) from error


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return parts[0] if len(parts) == 1 else b"".join(parts)


async def serve_check(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `POST /v1/checks` at the ASGI level, without FastAPI.

    Raises:
        CekalError: there is no answer, for any reason; the middleware sends the error to the caller as a problem.
    """
    today = legal_day(runtime_of(scope).clock())
    parsed = await _read_request(scope, receive, lambda body: parse_question(body, today))
    body = await batcher_of(scope).ask(Question(parsed.what, parsed.actor, parsed.version), parsed.waited)
    headers = [(b"content-type", _JSON), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@documented(serve_check)
async def make_check(_key: Annotated[str | None, Security(key_scheme)], body: CheckIn) -> CheckOut:  # type: ignore[empty-body]  # served by serve_check
    """Check one traveller. The check is stored before it is answered. The outcome is `clear` if no entry stops them.

    This function only describes the call in the OpenAPI document; `serve_check` answers it.
    """


router.add_api_route(
    "",
    make_check,
    methods=["POST"],
    summary="Check a traveller",
    operation_id="make_check",
    response_description="The answer about the traveller, stored before it was given; `clear` if no entry stops them.",
    responses=problems("validation", "mrz-unreadable", "idempotency-not-allowed", "not-stored"),
    route_class_override=RawRoute,
)


async def serve_batch(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer `POST /v1/checks/batch` at the ASGI level: each row gets its answer or a problem.

    Raises:
        CekalError: the request as a whole is refused, for example because the body is not a batch, or because the
            caller's key was revoked while rows were being answered. Then no answer is sent, not even for rows whose
            checks are stored already.
    """
    today = legal_day(runtime_of(scope).clock())
    sent, actor, version, _ = await _read_request(scope, receive, bytes, Quota.BATCHES)
    batcher = batcher_of(scope)
    lost: list[NotStored] = []

    async def one(row: ParsedQuestion | CekalError) -> bytes:
        try:
            if isinstance(row, CekalError):
                raise row
            if lost:  # the other rows would only wait for the database again
                raise lost[0]
            return await batcher.ask_row(Question(row, actor, version))
        except Unauthenticated:  # the whole request fails, not this row
            raise
        except NotStored as error:
            lost.append(error)
            return msgspec.json.encode({"problem": document_of(error)})
        except CekalError as error:
            return msgspec.json.encode({"problem": document_of(error)})

    async def part(rows: Sequence[Any]) -> list[bytes]:
        return await asyncio.gather(*map(one, await run_in_pool(_understood, rows, today)))

    try:
        rows = await run_in_pool(_rows, sent)
        answers = await while_connected(receive, in_parts(part, rows))
    finally:
        await _admitted(scope)  # again, since a request without valid rows has no check that verifies the key
    body = b'{"items":[' + b",".join(answers) + b"]}"
    await Response(body, media_type="application/json")(scope, receive, send)


@documented(serve_batch)
@within(Quota.BATCHES)
async def make_checks(_key: Annotated[str | None, Security(key_scheme)], body: BatchIn) -> BatchOut:  # type: ignore[empty-body]  # served by serve_batch
    """Make up to 1000 checks, answered in order; a faulty row gets a problem and does not affect the others."""


router.add_api_route(
    "/batch",
    make_checks,
    methods=["POST"],
    summary="Check many travellers",
    operation_id="make_checks",
    response_description="An answer or a problem for each row, in the order of the rows.",
    responses=problems("validation", "idempotency-not-allowed", "not-stored"),
    route_class_override=RawRoute,
)


def _understood(rows: Sequence[Any], today: date) -> list[ParsedQuestion | CekalError]:
    """Return the question or the error of each row; called in a thread, because parsing names is slow."""

    def one(row: Any) -> ParsedQuestion | CekalError:
        try:
            expect_single(row)
            return parse_question(row, today)
        except CekalError as error:
            return error

    return paced(one, rows)


def _rows(body: bytes) -> list[Any]:
    """Return the rows of a batch.

    Raises:
        MalformedJson, Invalid, BodyTooLarge: the body is not a batch.
    """
    sent = read_json(body)
    expect_single(sent, inside=False)
    if not isinstance(sent, dict) or set(sent) != {"items"} or not isinstance(sent["items"], list):
        fault = Fault("", "items", "The body is an object with the one member `items`, a list.")
        raise Invalid(fault.detail, faults=[fault])
    if len(sent["items"]) > MAX_IN_BATCH:
        raise BodyTooLarge(f"A batch holds at most {MAX_IN_BATCH} checks.")
    return sent["items"]


@guarded.post(
    "/explain",
    summary="Explain a comparison",
    response_description="Every step of the comparison, and what a check would answer.",
    responses=problems("validation", "mrz-unreadable", "idempotency-not-allowed", "not-found"),
)
@within(Quota.SEARCHES)
async def explain_check(
    unit: Annotated[Unit, unit_for(Role.AUDITOR, repeats="refused")], body: ExplainIn, request: Request
) -> ExplanationOut:
    """Explain step by step why a traveller matches an entry, or a made-up subject, or does not match.

    This is an auditor's dry run of a check: no check is stored, no hit is opened and no notice is sent. The audit trail
    records the request. The steps show how names are prepared, by which keys the entry is found, the evidence for and
    against a match (in bits), the thresholds that were met, and the answer by law in this direction.
    """
    runtime = runtime_of(request)
    parsed = parse_traveller(body, legal_day(unit.now))
    policy = policy_of(runtime.settings.match_policy)
    if body.entry_id is not None:
        explained = await explain_entry(unit, parsed, body.entry_id, policy, runtime.pepper)
    else:
        assert body.subject is not None, "the model has one of the two"
        explained = await explain_subject(unit, parsed, body.subject.subject(), policy, runtime.pepper)
    return ExplanationOut.of(explained)


@guarded.get(
    "/{check_id}",
    summary="Read a check again",
    response_description="The answer that the check got.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=CheckOut,
)
async def read_check(
    actor: Annotated[Actor, actor_for(Role.CHECKPOINT, Role.AUDITOR)],
    check_id: CheckId,
    request: Request,
    response: Response,
    if_none_match: IfNoneMatch = None,
) -> CheckOut | Response:
    """Read the answer of a check, for its own checkpoint and for auditors.

    Other callers get 404, and so does an auditor if the check matched an entry that may be about the auditor.
    """
    async with runtime_of(request).reading(actor) as register:
        own = await list_barred(register)
    async with runtime_of(request).reading_checks(actor) as reader:
        answer = await service.recall(reader, check_id, own)
    response.headers["ETag"] = tag = etag_of(1, answer)  # it changes only by retention and with the reader
    return not_modified(if_none_match, tag) or CheckOut.model_validate(answer)
