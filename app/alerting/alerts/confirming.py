"""Confirming an alert at the ASGI level, because every checkpoint confirms it in the same second (API section 4)."""

from contextlib import AsyncExitStack, suppress

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.access.admission.guard import (
    admit,
    claim_repeat,
    demand,
    gate_of,
    in_time,
    recall,
    runtime_of,
)
from app.access.admission.state import count_for_key, state_of
from app.access.domain import Role
from app.actor import Actor
from app.alerting.alerts.domain import Receipt, ReceiptLevel
from app.alerting.alerts.receipts import Confirmation, Confirmed, receipts_of
from app.alerting.alerts.service import expect_reason
from app.alerting.alerts.tail import tail_of
from app.errors import CekalError, NotFound
from app.kit.ids import instant_of
from app.kit.waits import uncounted
from app.web.request_rules import expect_rules, read_content, read_sent


async def serve_receipt(scope: Scope, receive: Receive, send: Send) -> None:
    """Store the receipt of a `POST /v1/alerts/{alert_id}/receipts`, and answer once it is stored.

    Many receipts share one transaction.

    Raises:
        CekalError: the request was refused, so that nothing is stored; the middleware sends the error as a problem.
    """
    request = Request(scope, receive)
    if (traces := runtime_of(scope).traces) is not None:
        traces.begin_request(scope)
    async with in_time(request):
        response = await _answer(request)
    await response(scope, receive, send)


async def _answer(request: Request) -> Response:
    """Confirm for a caller whose key is cached; if this is refused, look the key up and begin anew.

    So a key that was revoked or has expired, or whose client has changed, is never answered from the cache.
    """
    version, cached = gate_of(request).version, recall(request)
    if cached is not None:
        state_of(request).actor = cached
        count_for_key(request.scope, cached)
        with suppress(CekalError, RequestValidationError):
            return await _confirm(request, cached, version)
    return await _confirm(request, await admit(request), None)


async def _confirm(request: Request, actor: Actor, access_version: int | None) -> Response:
    state = state_of(request)
    if "\0" in request.url.path:  # no id contains it, and PostgreSQL refuses such text
        raise NotFound("There is no such path.")
    expect_rules(request.scope)
    sent = read_sent(await uncounted(state.limit, request.body()))
    demand(actor, (Role.CHECKPOINT,))
    async with AsyncExitStack() as state.stack:
        claim = await claim_repeat(request, actor, request.headers.get("idempotency-key"), "allowed")
        given = await read_content(request.scope, sent)
        alert_id, body = given["alert_id"], given["body"]
        expect_reason(body.level, body.note)
        assert actor.checkpoint is not None, "a client with this role belongs to a checkpoint"
        receipt = Receipt(
            alert_id, actor.client_id, body.level, actor.checkpoint, body.officer_reference, body.note
        )
        asked = Confirmation(receipt, actor, access_version, claim)
        try:
            confirmed = await receipts_of(request).store(asked)
        finally:
            state.unit = asked.unit
    _measure(request, asked, confirmed)
    return confirmed.response


def _measure(request: Request, asked: Confirmation, confirmed: Confirmed) -> None:
    """Count and trace the first receipt of a client at its level."""
    if confirmed.first_at is None:
        return
    receipt, traces = asked.receipt, runtime_of(request).traces
    issued_at = instant_of(receipt.alert_id)
    if traces is not None:
        traces.confirm(receipt.alert_id, level=receipt.level, checkpoint=receipt.checkpoint)
    if receipt.level is ReceiptLevel.RECEIVED and issued_at is not None:
        tail_of(request).arrivals.measure(asked.actor, (confirmed.first_at - issued_at).total_seconds())
