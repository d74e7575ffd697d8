"""Webhook endpoints and their deliveries (API section 7)."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.access.admission.state import state_of
from app.access.domain import Role
from app.db.unit import Reader, Unit
from app.sync.webhooks import service
from app.sync.webhooks.bodies import ChangedEndpointBody, NewEndpointBody
from app.sync.webhooks.domain import DeliveryState, Endpoint
from app.sync.webhooks.schemas import (
    DeliveryOut,
    EndpointOut,
    NewEndpointOut,
    ReplayIn,
    ReplayOut,
    RotationIn,
)
from app.web.etag import UNCHANGED, IfNoneMatch, RequiredVersion, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id

router = APIRouter(tags=["webhooks"], route_class=GuardedRoute)

OwnerUnit = Annotated[Unit, unit_for(*service.OWNERS)]
OwnerReader = Annotated[Reader, reader_for(*service.OWNERS, Role.AUDITOR)]
EndpointId = Annotated[str, Path(max_length=40, description="The endpoint's id.")]
DeliveryId = Annotated[str, Path(max_length=40, description="The delivery's id.")]


def _tag(endpoint: Endpoint) -> str:
    return etag_of(endpoint.version, EndpointOut.of(endpoint))


@router.post(
    "/webhook-endpoints",
    status_code=201,
    summary="Make an endpoint of webhooks",
    response_description="The endpoint, with its secret, which is shown this once.",
    responses={
        **carrying(201, "ETag", "Location"),
        **problems("validation", "wrong-state", "secret-already-shown", *REPEATS),
    },
)
async def create_endpoint(
    body: NewEndpointBody, unit: OwnerUnit, request: Request, response: Response
) -> NewEndpointOut:
    """Make an endpoint: an address to which new records of the ledger are posted, signed as Standard Webhooks.

    The endpoint belongs to the client `client_id`, or to the caller. Only what this client may see is sent: to an
    integrator as in `GET /v1/changes`, to a checkpoint as in `GET /v1/alerts`.

    With `payload: thin`, the default, a post has the record's ids, and a link at which the receiver reads the record.
    With `payload: full` a post has the whole record. Only an admin may request `full`, and only for hosts that the
    deployment names (`CEKAL_WEBHOOK_FULL_HOSTS`).
    """
    runtime = runtime_of(request)
    endpoint, made = await service.create(
        unit, body.requested(), body.client_id, runtime.settings, runtime.pepper
    )
    state_of(request).secret = True
    response.headers["Location"] = f"/v1/webhook-endpoints/{endpoint.id}"
    response.headers["ETag"] = _tag(endpoint)
    return NewEndpointOut.shown(endpoint, made)


@router.get(
    "/webhook-endpoints",
    summary="List endpoints of webhooks",
    response_description="A page of endpoints, oldest first.",
    responses=problems("validation"),
)
async def list_endpoints(
    reader: OwnerReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[EndpointOut]:
    """List the caller's endpoints, oldest first; admins and auditors get the endpoints of all clients."""
    rows = await service.list_all(reader, decode_last_id(cursor), limit + 1)
    page, after = cut(rows, limit, lambda row: (row.id,))
    return Page(items=[EndpointOut.of(row) for row in page], next_cursor=after)


@router.get(
    "/webhook-endpoints/{endpoint_id}",
    summary="Read an endpoint of webhooks",
    response_description="The endpoint, without its secret.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=EndpointOut,
)
async def read_endpoint(
    reader: OwnerReader, endpoint_id: EndpointId, response: Response, if_none_match: IfNoneMatch = None
) -> EndpointOut | Response:
    """Read one endpoint. `failing_since` and `succeeded_at` show whether deliveries arrive."""
    endpoint = await service.read(reader, endpoint_id)
    response.headers["ETag"] = tag = _tag(endpoint)
    return not_modified(if_none_match, tag) or EndpointOut.of(endpoint)


@router.put(
    "/webhook-endpoints/{endpoint_id}",
    summary="Change an endpoint of webhooks",
    response_description="The endpoint as it is now.",
    responses={
        **carrying(200, "ETag"),
        **problems("validation", "not-found", "stale-version", "version-required"),
    },
)
async def change_endpoint(
    body: ChangedEndpointBody,
    unit: OwnerUnit,
    endpoint_id: EndpointId,
    expected: RequiredVersion,
    request: Request,
    response: Response,
) -> EndpointOut:
    """Replace all members of an endpoint that its owner may change; a member that the body omits gets its default.

    `state: active`, which is the default, activates an endpoint that was disabled: the events that happened while it
    was disabled are sent then.
    """
    settings = runtime_of(request).settings
    endpoint = await service.change(unit, endpoint_id, body.requested(), expected, settings)
    response.headers["ETag"] = _tag(endpoint)
    return EndpointOut.of(endpoint)


@router.delete(
    "/webhook-endpoints/{endpoint_id}",
    status_code=204,
    summary="Delete an endpoint of webhooks",
    response_description="The endpoint, its deliveries and their log are gone for its owner.",
    responses=problems("not-found"),
    response_model=None,
)
async def delete_endpoint(unit: OwnerUnit, endpoint_id: EndpointId) -> Response:
    """Delete an endpoint with its deliveries. A request that is already being sent may still arrive.

    The stored deliveries are deleted in the following minutes.
    """
    await service.delete(unit, endpoint_id)
    return Response(status_code=204)


@router.post(
    "/webhook-endpoints/{endpoint_id}/test",
    status_code=202,
    summary="Send a test to an endpoint",
    response_description="The delivery of the test.",
    responses=problems("not-found", "wrong-state", *REPEATS),
)
async def test_endpoint(unit: OwnerUnit, endpoint_id: EndpointId) -> DeliveryOut:
    """Send the event `endpoint.test`, which is signed and repeated like any other event.

    The answer is its delivery, before the first attempt; read the endpoint's deliveries for the result.
    """
    return DeliveryOut.of(service.Logged(await service.test(unit, endpoint_id), []))


@router.post(
    "/webhook-endpoints/{endpoint_id}/rotate-secret",
    status_code=201,
    summary="Replace the secret of an endpoint",
    response_description="The endpoint, with its new secret, which is shown this once.",
    responses={
        **carrying(201, "ETag"),
        **problems("validation", "not-found", "secret-already-shown", *REPEATS),
    },
)
async def rotate_secret(
    unit: OwnerUnit,
    endpoint_id: EndpointId,
    request: Request,
    response: Response,
    body: RotationIn | None = None,
) -> NewEndpointOut:
    """Replace both secrets of an endpoint, of the signatures `v1` and `v1a`. The answer shows the new `v1` secret.

    Until `overlap_until` each request is signed with the former secrets too. With `overlap_hours: 0`, for example after
    a theft, the former secrets are not used any more.
    """
    overlap = timedelta(hours=(body or RotationIn()).overlap_hours)
    endpoint, made = await service.rotate(unit, endpoint_id, overlap, runtime_of(request).pepper)
    state_of(request).secret = True
    response.headers["ETag"] = _tag(endpoint)
    return NewEndpointOut.shown(endpoint, made)


@router.get(
    "/webhook-endpoints/{endpoint_id}/deliveries",
    summary="List the deliveries of an endpoint",
    response_description="A page of deliveries, newest first, each with its newest attempts.",
    responses=problems("validation", "not-found"),
)
async def list_deliveries(
    reader: OwnerReader,
    endpoint_id: EndpointId,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    state: Annotated[
        DeliveryState | None, Query(description="Only these; `exhausted` for dead letters.")
    ] = None,
) -> Page[DeliveryOut]:
    """List the past and pending deliveries to an endpoint, newest first, each with its newest attempts.

    Finished deliveries are kept for 30 days, unless the deployment has another setting.
    """
    rows = await service.list_deliveries(reader, endpoint_id, state, decode_last_id(cursor), limit + 1)
    page, after = cut(rows, limit, lambda row: (row.delivery.id,))
    return Page(items=[DeliveryOut.of(row) for row in page], next_cursor=after)


@router.post(
    "/webhook-endpoints/{endpoint_id}/replay",
    status_code=202,
    summary="Send records once more",
    response_description="The replay has begun.",
    responses=problems("validation", "not-found", "wrong-state", "cursor-gone", *REPEATS),
)
async def replay_deliveries(unit: OwnerUnit, endpoint_id: EndpointId, body: ReplayIn) -> ReplayOut:
    """Send the records between two cursors or times once more. Only records of the endpoint's types are sent.

    Their events have the same ids as before, and show the data that the receiver may see now. New records are sent
    first.
    """
    span = await service.replay(unit, endpoint_id, body.after, body.before)
    return ReplayOut(endpoint_id=endpoint_id, after=span.after, until=span.until)


@router.post(
    "/deliveries/{delivery_id}/retry",
    status_code=202,
    summary="Send a delivery once more",
    response_description="The delivery, which is due again.",
    responses=problems("not-found", "wrong-state", *REPEATS),
)
async def retry_delivery(unit: OwnerUnit, delivery_id: DeliveryId) -> DeliveryOut:
    """Make a finished delivery due again, for example a dead letter (`exhausted`). Its event keeps its id."""
    return DeliveryOut.of(await service.retry(unit, delivery_id))
