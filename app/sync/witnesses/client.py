"""The call to a witness: `add-checkpoint` (C2SP tlog-witness)."""

import asyncio
import base64
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

import httpx2

from app.sync.witnesses.domain import PATIENCE, Cosignature, PushedHead, PushFailed, Witness
from app.tlog.checkpoints import parse_size
from app.tlog.keys import SignatureInvalid
from app.tlog.notes import Note, NoteMalformed, parse_signatures
from app.tlog.signed import open_checkpoint

CLOCK_TOLERANCE: Final = 60
"""Seconds by which a witness's clock may be ahead of the register's."""

_LONGEST_ANSWER: Final = 64 * 1024
_CALLS: Final = 3
"""Calls of one attempt: for the size that is known, for the size that was answered, and one more where it grew."""

_SIZE_TYPE: Final = "text/x.tlog.size"

_REFUSALS: Final = {
    400: "it calls the head malformed",
    403: "it does not accept the signatures, or one of both clocks is wrong",
    404: "it does not know the origin: its operator adds the register's keys to its policy",
    422: "it says that the head does not continue the one that it cosigned before",
}

logger = logging.getLogger(__name__)

Prove = Callable[[int, int], Awaitable[list[bytes]]]
"""A function that returns the consistency proof between two sizes of the ledger."""


def http_client() -> httpx2.AsyncClient:
    """Return an HTTP client for `push`; it does not follow redirects. The caller must close it."""
    plain = {"accept-encoding": "identity"}
    return httpx2.AsyncClient(timeout=httpx2.Timeout(PATIENCE / 2), follow_redirects=False, headers=plain)


async def push(
    http: httpx2.AsyncClient, witness: Witness, head: PushedHead, known: int, now: datetime, prove: Prove
) -> list[Cosignature]:
    """Send a signed head to a witness, which is to cosign it; return its verified cosignatures, at least one.

    The head is sent with a proof that it continues the last head that the witness has. If the witness answers that it
    has another one, the head is sent again with the proof from there.

    Args:
        http: the HTTP client.
        witness: the witness.
        head: the head.
        known: the size of the last head that the witness is believed to have; 0 for none.
        now: the register's time.
        prove: function that returns the consistency proof between two sizes, the first at least 1; its errors are
            raised unchanged.

    Raises:
        PushFailed: the witness refused, has a larger head or another one of this size, can't be reached, did not answer
            in time, answered something that is not a valid cosignature, or has a clock that is ahead.
    """
    try:
        async with asyncio.timeout(PATIENCE):
            for _ in range(_CALLS):
                if known > head.size:
                    raise PushFailed(f"it has a head of {known} records, and the register's has {head.size}")
                status, kind, answer = await _call(http, witness, await _body(head, known, prove))
                if status == httpx2.codes.OK:
                    return _verified(witness, head, answer, now)
                if status != httpx2.codes.CONFLICT:
                    raise PushFailed(_REFUSALS.get(status, f"it answers {status}"))
                size = _size_of(kind, answer)
                if size == known == head.size:  # it has another root of this size
                    raise PushFailed(_REFUSALS[422])
                if (
                    size < known
                ):  # as after its file was put back from an older copy: it might cosign a second past
                    about = {"witness": witness.url, "cosigned": known, "has": size}
                    logger.warning("a witness has forgotten a head that it cosigned", extra=about)
                known = size
    except (TimeoutError, httpx2.TimeoutException):
        raise PushFailed("it does not answer in time") from None
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise PushFailed(f"it can't be reached: {type(error).__name__}") from None
    raise PushFailed("it answers another size each time")


async def _body(head: PushedHead, known: int, prove: Prove) -> bytes:
    path = await prove(known, head.size) if 0 < known < head.size else []
    proof = [base64.b64encode(step).decode() for step in path]
    return "\n".join([f"old {known}", *proof, "", head.note]).encode()


async def _call(http: httpx2.AsyncClient, witness: Witness, body: bytes) -> tuple[int, str, bytes]:
    """Return the status, media type and body of an answer.

    Raises:
        PushFailed: the answer is too long.
    """
    answer = bytearray()
    async with http.stream("POST", f"{witness.url}/add-checkpoint", content=body) as response:
        async for chunk in response.aiter_raw():  # nothing is unpacked, whatever is sent
            answer += chunk
            if len(answer) > _LONGEST_ANSWER:
                raise PushFailed("its answer is too long")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return response.status_code, kind, bytes(answer)


def _size_of(kind: str, answer: bytes) -> int:
    try:
        if kind == _SIZE_TYPE:
            return parse_size(answer.decode("ascii").removesuffix("\n"))
    except (NoteMalformed, UnicodeDecodeError):
        pass
    raise PushFailed("it answers 409 without a size")


def _verified(witness: Witness, head: PushedHead, answer: bytes, now: datetime) -> list[Cosignature]:
    """Return the cosignatures of an answer by the keys that the policy names.

    Raises:
        PushFailed: there is none, one is wrong, or its time is in the future or missing.
    """
    try:
        lines = parse_signatures(answer.decode())
        opened = open_checkpoint(Note(Note.parse(head.note.encode()).text, lines), witness.keys)
    except (NoteMalformed, UnicodeDecodeError):
        raise PushFailed("its answer is not signature lines") from None
    except SignatureInvalid as error:
        raise PushFailed(f"its cosignature can't be accepted: {error}") from None
    data = {(line.name, line.key_id): line.data for line in lines}
    found = []
    for key, time in opened.signed.items():
        if not time or time > now.timestamp() + CLOCK_TOLERANCE:
            raise PushFailed("its cosignature has no time, or one in the future: one of both clocks is wrong")
        found.append(Cosignature(key, data[key.name, key.key_id], datetime.fromtimestamp(time, UTC)))
    return found
