"""What receivers of webhooks must serve, for the `webhooks` of the OpenAPI document."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header

from app.ledger.domain import RecordType
from app.sync.webhooks.domain import RECOVERED_TYPE, TEST_TYPE
from app.sync.webhooks.schemas import EndpointEventOut, RecordEventOut

_ABOUT: Final = (
    "Posted to each endpoint that asks for it, until it answers with a 2xx. The signatures are those of Standard "
    "Webhooks 1.0: over `webhook-id`, `webhook-timestamp` and the body's bytes, joined by dots."
)

MessageId = Annotated[
    str, Header(alias="webhook-id", description="Id of the event: a receiver ignores one that it has taken.")
]
Timestamp = Annotated[
    int,
    Header(
        alias="webhook-timestamp",
        description="Time of this attempt, in seconds since 1970.",
        ge=0,
        le=2**53 - 1,
        json_schema_extra={"format": "int64"},
    ),
]
Signature = Annotated[
    str,
    Header(
        alias="webhook-signature",
        description="Signatures with a blank between them: `v1,` and base64 of an HMAC-SHA256, `v1a,` and base64 of an "
        "Ed25519 signature; of both secrets after a rotation.",
    ),
]


async def _receive_record(
    body: RecordEventOut, webhook_id: MessageId, webhook_timestamp: Timestamp, webhook_signature: Signature
) -> None:
    """See the description of the route."""


async def _receive_endpoint_event(
    body: EndpointEventOut, webhook_id: MessageId, webhook_timestamp: Timestamp, webhook_signature: Signature
) -> None:
    """See the description of the route."""


router = APIRouter()
"""A route for each type of event, for the `webhooks` of the OpenAPI document; the service serves none of them."""


def _publish(kind: str, endpoint: Any, summary: str) -> None:
    router.add_api_route(
        kind,
        endpoint,
        methods=["POST"],
        operation_id="receive_" + kind.replace(".", "_"),
        status_code=204,
        tags=["webhooks"],
        summary=summary,
        description=_ABOUT,
        response_description="Taken. Any 2xx will do; everything else, also a redirect, is tried again.",
        response_model=None,
        openapi_extra={"security": []},  # the signature is the proof
    )


for record_type in RecordType:
    _publish(record_type.value, _receive_record, f"Take a record `{record_type.value}`")
_publish(TEST_TYPE, _receive_endpoint_event, "Take a test")
_publish(RECOVERED_TYPE, _receive_endpoint_event, "Take the end of an outage")
