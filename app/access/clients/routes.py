"""Routes to administer clients and their keys, and to read the audit trail (API section 8)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from app.access import store
from app.access.admission.guard import GuardedRoute, reader_for, runtime_of, unit_for
from app.access.admission.state import state_of
from app.access.clients import revocations, service
from app.access.domain import Client, Role
from app.access.pending.schemas import WAITS, waiting
from app.access.schemas import (
    AuditOut,
    ClientIn,
    ClientOut,
    KeyIn,
    KeyOut,
    KeysOut,
    NewKeyOut,
    expiry,
)
from app.db.unit import Reader, Unit
from app.web.etag import UNCHANGED, IfNoneMatch, etag_of, not_modified
from app.web.openapi import REPEATS, problems
from app.web.openapi_headers import carrying
from app.web.paging import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode_last_id
from app.web.wire import Code

router = APIRouter(route_class=GuardedRoute)

Admin = Annotated[Unit, unit_for(Role.ADMIN)]
AdminReader = Annotated[Reader, reader_for(Role.ADMIN, Role.AUDITOR)]
ClientId = Annotated[str, Path(max_length=40, description="The client's id.")]
KeyId = Annotated[str, Path(max_length=40, description="The key's id.")]


def _tag(client: Client) -> str:
    """Return the client's ETag; only its standing and its confirming admin can ever change."""
    return etag_of(1, client.standing.value, client.confirmed_by)


@router.post(
    "/clients",
    status_code=201,
    tags=["administration"],
    summary="Register a client",
    response_description="The client was registered; its `state` shows whether a second admin has to confirm it.",
    responses={**carrying(201, "ETag", "Location"), **problems("validation", *REPEATS)},
)
async def register_client(unit: Admin, body: ClientIn, response: Response) -> ClientOut:
    """Register an account of a person or a machine.

    An account that submits, decides or reads everything (`submitter`, `verifier`, `approver`, `duty_officer`,
    `auditor`, `admin`, an integrator of IMIGRASI) works only once a second admin confirms it.
    """
    requested = service.NewClient(
        name=body.name,
        roles=frozenset(body.roles),
        kind=body.kind,
        agency=body.agency,
        office=body.office,
        checkpoint=body.checkpoint,
        person=body.person,
        networks=tuple(body.networks),
    )
    client = await service.register_client(unit, requested)
    response.headers["Location"] = f"/v1/clients/{client.id}"
    response.headers["ETag"] = _tag(client)
    return ClientOut.of(client)


@router.get(
    "/clients",
    tags=["administration"],
    summary="List clients",
    response_description="A page of clients, oldest first.",
    responses=problems("validation"),
)
async def list_clients(
    reader: AdminReader, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
) -> Page[ClientOut]:
    """List every account, oldest first."""
    rows = await store.list_clients(reader, decode_last_id(cursor), limit + 1)
    page, after = cut(rows, limit, lambda row: (row.id,))
    return Page(items=[ClientOut.of(row) for row in page], next_cursor=after)


@router.get(
    "/clients/{client_id}",
    tags=["administration"],
    summary="Read a client",
    response_description="The client, without its keys.",
    responses={**UNCHANGED, **problems("not-found")},
    response_model=ClientOut,
)
async def read_client(
    reader: AdminReader, client_id: ClientId, response: Response, if_none_match: IfNoneMatch = None
) -> ClientOut | Response:
    """Read one account."""
    client = await store.get_client(reader, client_id)
    response.headers["ETag"] = tag = _tag(client)
    return not_modified(if_none_match, tag) or ClientOut.of(client)


@router.delete(
    "/clients/{client_id}",
    status_code=204,
    tags=["administration"],
    summary="Revoke a client",
    response_description="The client and its keys were revoked.",
    responses={**WAITS, **problems("not-found")},
    response_model=None,
)
async def revoke_client(unit: Admin, client_id: ClientId) -> Response:
    """End an account and its keys at once: the next request fails, open streams close within a second.

    An admin's account is suspended at once, and revoked once a second admin confirms the change that the answer shows.
    """
    change = await revocations.revoke_client(unit, client_id)
    return Response(status_code=204) if change is None else waiting(change)


@router.post(
    "/clients/{client_id}/confirmation",
    status_code=201,
    tags=["administration"],
    summary="Confirm a client as second admin",
    response_description="The client was confirmed and works from now on.",
    responses={**carrying(201, "ETag"), **problems("not-found", "wrong-state", "four-eyes")},
)
async def confirm_client(unit: Admin, client_id: ClientId, response: Response) -> ClientOut:
    """Confirm, as second admin, an account and its keys that wait for the confirmation; from then on they work."""
    client = await service.confirm_client(unit, client_id)
    response.headers["ETag"] = _tag(client)
    return ClientOut.of(client)


@router.post(
    "/clients/{client_id}/keys",
    status_code=201,
    tags=["administration"],
    summary="Issue a key",
    response_description="The key, with its text, which is shown this once.",
    responses=problems("validation", "not-found", "wrong-state", "secret-already-shown"),
)
async def issue_key(
    unit: Admin, client_id: ClientId, request: Request, body: KeyIn | None = None
) -> NewKeyOut:
    """Issue a key; its text is in this answer only. A client has at most two live keys, to replace one by another."""
    lifetime = runtime_of(request).settings.key_lifetime_days
    gateway = body is not None and body.gateway
    key, text = await service.issue_key(unit, client_id, expiry(body), lifetime, gateway=gateway)
    state_of(request).secret = True
    return NewKeyOut.shown(key, text)


@router.get(
    "/clients/{client_id}/keys",
    tags=["administration"],
    summary="List a client's keys",
    response_description="The client's keys, without their texts.",
    responses=problems("not-found"),
)
async def list_keys(reader: AdminReader, client_id: ClientId) -> KeysOut:
    """List a client's keys, oldest first, without their secrets."""
    await store.get_client(reader, client_id)
    return KeysOut(items=[KeyOut.of(key) for key in await store.list_keys(reader, client_id)])


@router.delete(
    "/clients/{client_id}/keys/{key_id}",
    status_code=204,
    tags=["administration"],
    summary="Revoke a key",
    response_description="The key was revoked.",
    responses={**WAITS, **problems("not-found")},
    response_model=None,
)
async def revoke_key(unit: Admin, client_id: ClientId, key_id: KeyId) -> Response:
    """End a key at once: the next request fails, open streams close within a second.

    A key of another admin is suspended at once, and revoked once a second admin confirms the change that the answer
    shows.
    """
    change = await revocations.revoke_key(unit, client_id, key_id)
    return Response(status_code=204) if change is None else waiting(change)


@router.get(
    "/audit",
    tags=["administration"],
    summary="Read the audit trail",
    response_description="A page of acts, newest first.",
    responses=problems("validation"),
)
async def list_audit(
    reader: AdminReader,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = None,
    act: Annotated[Code | None, Query(description="Only this act.")] = None,
    about: Annotated[Code | None, Query(description="Only acts on this object's id.")] = None,
) -> Page[AuditOut]:
    """List the audit trail, newest first: who did or looked at what, apart from the changes that the ledger has."""
    rows = await store.list_audit(reader, decode_last_id(cursor), limit + 1, act, about)
    page, after = cut(rows, limit, lambda row: (row["id"],))
    return Page(items=[AuditOut(**row) for row in page], next_cursor=after)
