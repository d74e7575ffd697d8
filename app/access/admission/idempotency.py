"""Idempotent repeats: for 24 hours a repeated POST gets the first 2xx answer again, byte for byte.

The answer is stored in the act's own transaction, so that the act and its answer are stored together or not at all:
after a crash a repeat either finds the answer, or does the act for the first time.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

import msgspec
from sqlalchemy import BigInteger, bindparam, delete, func, insert, select
from starlette.responses import Response

from app.access.tables import answer
from app.db.driver import CompiledStatement
from app.db.unit import Unit
from app.errors import Fault, IdempotencyInFlight, IdempotencyMismatch, Invalid, SecretAlreadyShown

KEPT = timedelta(hours=24)
"""For how long an answer is given again."""

_KEPT_HEADERS = ("content-type", "location", "etag")
LONGEST_KEY = 255
"""Largest number of characters of an `Idempotency-Key`."""


_TRY = CompiledStatement(select(func.pg_try_advisory_xact_lock(bindparam("number", type_=BigInteger))))
_CLAIMED = (
    answer.c.client_id == bindparam("of"),
    answer.c.call == bindparam("about"),
    answer.c.key == bindparam("named"),
)
_KEPT = CompiledStatement(
    select(answer.c.body_hash, answer.c.status, answer.c.headers, answer.c.body, answer.c.created_at).where(
        *_CLAIMED
    )
)
_FORGET = delete(answer).where(*_CLAIMED)
_KEEP = CompiledStatement(insert(answer).values({column.name: bindparam(column.name) for column in answer.c}))


@dataclass(frozen=True, slots=True)
class Claim:
    """An `Idempotency-Key` that the current request has claimed.

    Attributes:
        client_id: the caller's client.
        call: the request's method and path.
        key: the header's value.
        body_hash: SHA-256 of the body; a repeat with another hash is refused.
    """

    client_id: str
    call: str
    key: str
    body_hash: bytes

    @property
    def scope(self) -> tuple[str, str, str]:
        """The client, the call and the key; a request with the same three values is a repeat."""
        return (self.client_id, self.call, self.key)


def claim(client_id: str, method: str, path: str, key: str, body: bytes) -> Claim:
    """Return the claim of a request for its `Idempotency-Key`; nothing is stored or looked up.

    Args:
        client_id: id of the caller's client.
        method: the request's method.
        path: the request's path.
        key: the header's value.
        body: the request's body; only its hash is kept.

    Raises:
        Invalid: the key is empty, longer than 255 characters, or not printable ASCII.
    """
    if not key or len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        fault = Fault("", "idempotency_key", "An Idempotency-Key has 1 to 255 printable ASCII characters.")
        raise Invalid("The Idempotency-Key can't be used.", faults=[fault])
    return Claim(client_id, f"{method} {path}"[:200], key, hashlib.sha256(body).digest())


async def recall(unit: Unit, claimed: Claim) -> Response | None:
    """Return the stored answer of an earlier request with this claim's scope (client, call and key).

    None if no answer is stored, or if it is older than 24 hours.

    Raises:
        IdempotencyInFlight: the first request is still running in another process.
        IdempotencyMismatch: the key was used with another body.
        SecretAlreadyShown: the first answer contained a secret.
    """
    if not unit.is_sqlite:
        number = int.from_bytes(hashlib.sha256("\0".join(claimed.scope).encode()).digest()[:8], signed=True)
        [(is_first,)] = await _TRY.run(unit, {"number": number})
        if not is_first:
            raise in_flight()
    parameters = {"of": claimed.client_id, "about": claimed.call, "named": claimed.key}
    kept = await _KEPT.run(unit, parameters)
    if not kept:
        return None
    body_hash, status, headers, body, created_at = kept[0]
    if created_at <= unit.now - KEPT:
        await unit.run(_FORGET, parameters)
        return None
    if body_hash != claimed.body_hash:
        raise IdempotencyMismatch("This Idempotency-Key was used with another body.")
    if body is None:
        raise SecretAlreadyShown("The first answer held a secret, which is shown once.")
    return Response(body, status, {**msgspec.json.decode(headers), "idempotency-replayed": "true"})


async def keep(unit: Unit, claimed: Claim, response: Response, *, secret: bool) -> None:
    """Store the answer for repeats in the act's transaction; do nothing unless its status is 2xx.

    `secret` is whether the answer contains a secret: then only the fact that it was given is stored.
    """
    if not 200 <= response.status_code < 300:  # noqa: PLR2004 - the 2xx range
        return
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    await _KEEP.run(
        unit,
        {
            "client_id": claimed.client_id,
            "call": claimed.call,
            "key": claimed.key,
            "body_hash": claimed.body_hash,
            "status": response.status_code,
            "headers": msgspec.json.encode(headers).decode(),
            "body": None if secret else bytes(response.body),
            "created_at": unit.now,
        },
    )


def in_flight() -> IdempotencyInFlight:
    """Return the error for a repeat that arrives before the first request was answered."""
    return IdempotencyInFlight("A request with this Idempotency-Key is still running.", retry_after=1)
