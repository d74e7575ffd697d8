"""The checkpoints' calls (contract section 5)."""

import asyncio
import json
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Generic, NamedTuple, TypeVar

import msgspec
from fastapi import APIRouter, Path, Request, Response, Security
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from app.access.domain import Role
from app.access.gate import Gate
from app.access.guard import (
    GuardedRoute,
    actor_for,
    admit,
    count_for_key,
    key_scheme,
    runtime_of,
    take,
    unit_for,
    within,
)
from app.access.quotas import Quota
from app.checks import service
from app.checks.batcher import LONGEST_ANSWER, Batcher, in_parts, not_stored
from app.checks.explain_schemas import ExplainIn, ExplanationOut
from app.checks.explaining import explain_entry, explain_subject
from app.checks.schemas import (
    MOST_IN_BATCH,
    Asked,
    BatchIn,
    BatchOut,
    CheckIn,
    CheckOut,
    understand,
    understood,
)
from app.checks.service import Question
from app.db.unit import Actor, Unit
from app.entries.sight import list_barred
from app.errors import (
    BodyTooLarge,
    CekalError,
    Fault,
    IdempotencyKeyNotAllowed,
    Invalid,
    MalformedJson,
    NotFound,
    NotStored,
    RateLimited,
    Unauthenticated,
    UnsupportedMediaType,
    WrongRole,
)
from app.kit.clock import legal_day
from app.kit.pace import beside, paced
from app.matching.policy import policy_of
from app.web.etag import UNCHANGED, IfNoneMatch, etag_of, not_modified
from app.web.openapi import problems
from app.web.problems import document_of
from app.web.raw import RawRoute, documented

router = APIRouter(prefix="/checks", tags=["checks"])
guarded = APIRouter(prefix="/checks", tags=["checks"], route_class=GuardedRoute)

CheckId = Annotated[str, Path(max_length=40, description="The check's id.")]
_JSON = b"application/json"

T = TypeVar("T")


async def _asker(scope: Scope) -> tuple[Actor, int]:
    """The checkpoint that asks, and the access version at which its key was seen to work.

    It is remembered from its last check while nothing about keys has changed.
    """
    headers = dict(scope["headers"])
    gate: Gate = scope["app"].state.gate
    version = gate.version
    client = scope["client"]
    actor = gate.recall(headers.get(b"authorization", b"").decode("latin-1"), client[0] if client else None)
    if actor is None:
        actor = await _admitted(scope)
    else:
        count_for_key(scope, actor)
    scope["state"]["actor"] = actor
    if not actor.holds(Role.CHECKPOINT):
        raise WrongRole(f"This call is for: {Role.CHECKPOINT}.")
    if b"idempotency-key" in headers:
        raise IdempotencyKeyNotAllowed("A check takes no Idempotency-Key: each is a new question.")
    if not headers.get(b"content-type", _JSON).lower().startswith(_JSON):
        raise UnsupportedMediaType("Checks are application/json.")
    return actor, version


class _Asked(NamedTuple, Generic[T]):
    """A request that was read.

    Attributes:
        what: the question.
        actor: the asker.
        version: the access version at which the asker was known.
        waited: seconds for which the asker has waited for the look-up of the key.
    """

    what: T
    actor: Actor
    version: int
    waited: float


async def _asked(
    scope: Scope, receive: Receive, read: Callable[[bytes], T], quota: Quota | None = None
) -> _Asked[T]:
    """The question and its asker.

    Where the asker takes of a quota, its turn is waited for before the body is read: what waits is in the socket.

    Before anybody is told what is wrong with the request, a key that was only remembered is looked up: one that
    was revoked or has expired a moment ago gets 401 for a bad question as for a good one.
    """
    now = asyncio.get_running_loop().time
    try:
        began = now()
        actor, version = await _asker(scope)
        waited = now() - began
        if quota is not None:
            await take(scope, quota, actor)
        body = await _body(receive)
        return _Asked(read(body), actor, version, waited)
    except (Unauthenticated, RateLimited, NotStored):
        raise
    except CekalError:
        await _admitted(scope)
        raise


async def _admitted(scope: Scope) -> Actor:
    """The asker, looked up: a counter must know in time when it gets no answer (R50).

    Raises:
        NotStored: the look-up failed, or took longer than an answer may.
    """
    try:
        async with asyncio.timeout(LONGEST_ANSWER):
            return await admit(Request(scope))
    except CekalError:
        raise
    except Exception as error:  # who can't be looked up can't be answered on record either
        scope["app"].state.runtime.outages.failed(error, writing=True)
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
    """Answer one check: the hot path, so without FastAPI's own handling of bodies and answers."""
    state = scope["app"].state
    today = legal_day(state.runtime.clock())
    asked = await _asked(scope, receive, lambda body: understand(body, today))
    body = await state.batcher.ask(Question(asked.what, asked.actor, asked.version), asked.waited)
    headers = [(b"content-type", _JSON), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@documented(serve_check)
async def make_check(_key: Annotated[str | None, Security(key_scheme)], body: CheckIn) -> CheckOut:  # type: ignore[empty-body]  # served by serve_check
    """Ask about one traveller. The answer is stored before it is given; nobody found is an answer too."""


router.add_api_route(
    "",
    make_check,
    methods=["POST"],
    summary="Check a traveller",
    operation_id="make_check",
    responses=problems("validation", "mrz-unreadable", "idempotency-not-allowed", "not-stored"),
    route_class_override=RawRoute,
)


async def serve_batch(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer many checks, each on its own; but none for a key that was revoked meanwhile."""
    state = scope["app"].state
    today = legal_day(state.runtime.clock())
    sent, actor, version, _ = await _asked(scope, receive, bytes, Quota.BATCHES)
    try:
        rows = await beside(_understood, sent, today)
    finally:
        await _admitted(scope)  # once more, since there may be no good row whose answer would depend on it
    batcher: Batcher = state.batcher
    lost: list[NotStored] = []

    async def one(row: Asked | CekalError) -> bytes:
        try:
            if isinstance(row, CekalError):
                raise row
            if lost:  # each of the rest would only wait for the database once more
                raise lost[0]
            return await batcher.ask_row(Question(row, actor, version))
        except Unauthenticated:  # there is nobody to be answered, not a bad row
            raise
        except NotStored as error:
            lost.append(error)
            return msgspec.json.encode({"problem": document_of(error)})
        except CekalError as error:
            return msgspec.json.encode({"problem": document_of(error)})

    answers = await in_parts(one, rows)
    body = b'{"items":[' + b",".join(answers) + b"]}"
    await Response(body, media_type="application/json")(scope, receive, send)


@documented(serve_batch)
async def make_checks(_key: Annotated[str | None, Security(key_scheme)], body: BatchIn) -> BatchOut:  # type: ignore[empty-body]  # served by serve_batch
    """Up to 1000 checks in one request, answered in order; a bad row gets a problem and spoils nothing."""


router.add_api_route(
    "/batch",
    make_checks,
    methods=["POST"],
    summary="Check many travellers",
    operation_id="make_checks",
    responses=problems("validation", "idempotency-not-allowed", "not-stored"),
    route_class_override=RawRoute,
)


def _understood(body: bytes, today: date) -> list[Asked | CekalError]:
    """Each row's question, or why it is none; in a thread, since a thousand names take a while to understand.

    Raises:
        MalformedJson, Invalid, BodyTooLarge: as `_rows`.
    """

    def one(row: Any) -> Asked | CekalError:
        try:
            return understand(row, today)
        except CekalError as error:
            return error

    return paced(one, _rows(body))


def _rows(body: bytes) -> list[Any]:
    try:
        # The standard library's reader lets a lone surrogate through to the row whose fault it is.
        sent = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise MalformedJson("The body is no JSON.") from None
    if not isinstance(sent, dict) or set(sent) != {"items"} or not isinstance(sent["items"], list):
        fault = Fault("", "items", "The body is an object with the one member `items`, a list.")
        raise Invalid(fault.detail, faults=[fault])
    if len(sent["items"]) > MOST_IN_BATCH:
        raise BodyTooLarge(f"A batch holds at most {MOST_IN_BATCH} checks.")
    return sent["items"]


@guarded.post(
    "/explain",
    summary="Explain a comparison",
    responses=problems("validation", "mrz-unreadable", "idempotency-not-allowed", "not-found"),
)
@within(Quota.SEARCHES)
async def explain_check(
    unit: Annotated[Unit, unit_for(Role.AUDITOR, repeats="refused")], body: ExplainIn, request: Request
) -> ExplanationOut:
    """Why two records match or not, step by step: an auditor's dry run of a check, logged like a search.

    How names are made ready, by which keys the entry is found, what agrees and contradicts in bits, which thresholds
    were met, and what the law makes of it in this direction. No check is stored, no hit opened, nobody told.
    """
    runtime = runtime_of(request)
    asked = understood(body, legal_day(unit.now))
    policy = policy_of(runtime.settings.match_policy)
    if body.entry_id is not None:
        explained = await explain_entry(unit, asked, body.entry_id, policy, runtime.pepper)
    else:
        assert body.subject is not None, "the model has one of the two"
        explained = await explain_subject(unit, asked, body.subject.subject(), policy, runtime.pepper)
    return ExplanationOut.of(explained)


@guarded.get(
    "/{check_id}",
    summary="Read a check again",
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
    """The answer that a check got, for the checkpoint that asked and for auditors."""
    async with runtime_of(request).reading_checks(actor) as reader:
        answer = await service.recall(reader, check_id)
    async with runtime_of(request).reading(actor) as register:
        own = await list_barred(register)
    if any(match["entry_id"] in own for match in answer.get("matches", ())):
        raise NotFound("There is no such check.")
    response.headers["ETag"] = tag = etag_of(1, answer)  # retention alone changes it, and who looks
    return not_modified(if_none_match, tag) or CheckOut.model_validate(answer)
