"""Group commit for receipts: the next transaction stores all that arrive while one is being written.

There is no timer: a single receipt is stored at once, and a thousand checkpoints that confirm one alert at the same
time share a few commits.
"""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from contextvars import Context
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, NamedTuple, cast

from starlette.responses import Response

from app.access.admission import idempotency
from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.alerts.domain import Receipt
from app.alerting.alerts.schemas import ReceiptOut
from app.alerting.alerts.store import add_receipts, read_access_and_known
from app.db.faults import outage
from app.db.unit import Unit
from app.errors import CekalError, NotFound, Unauthenticated
from app.runtime import Runtime
from app.web.accept import JSON

LARGEST_BATCH: Final = 200
"""Greatest number of receipts in one transaction. On SQLite so many take about 6 ms, for which checks have to wait."""


@dataclass(slots=True)
class Confirmation:
    """A request to store a receipt of an alert.

    Attributes:
        receipt: the receipt to store.
        actor: the caller.
        access_version: if the caller's key was found in the cache: the version of the access rights at which the key
            was valid. None if the key was looked up in the database for this request.
        claim: the claim on the request's `Idempotency-Key`, by which a repeat gets the same answer; None without a key.
        unit: the transaction that stores the receipt; None until `Receipts.store` sets it.
    """

    receipt: Receipt
    actor: Actor
    access_version: int | None = None
    claim: idempotency.Claim | None = None
    unit: Unit | None = None


class Confirmed(NamedTuple):
    """The answer to a request to store a receipt.

    Attributes:
        response: the HTTP answer; the receipt is committed when it is returned.
        first_at: when the receipt was stored, if it is its client's first for this alert at this level; else None.
    """

    response: Response
    first_at: datetime | None


class _CallerGone(Exception):
    """A caller has gone while its receipt was being written; the transaction must be rolled back."""


_Waiting = tuple[Confirmation, asyncio.Future[Confirmed]]


class Receipts:
    """Collects the receipts of one process and stores many in one transaction.

    Args:
        runtime: the databases.
        in_flight: greatest number of concurrent transactions.
    """

    def __init__(self, runtime: Runtime, in_flight: int) -> None:
        self._runtime = runtime
        self._in_flight = in_flight
        self._waiting: deque[_Waiting] = deque()
        self._storing: set[asyncio.Task[None]] = set()

    async def store(self, confirmation: Confirmation) -> Confirmed:
        """Store a receipt and return the answer once it is durably stored.

        The receipt's texts (note, officer reference) are left out if retention has erased the person from the alert's
        entry. If the caller is cancelled during the commit, the receipt may be stored all the same.

        Raises:
            Unauthenticated: the caller's cached key has expired, or access has changed since it was cached.
            IdempotencyInFlight: an earlier request with the same `Idempotency-Key` is still in progress.
            IdempotencyMismatch: the `Idempotency-Key` was used for another request.
            NotFound: there is no such alert.
            RolledBack: the database was put back to an earlier state.
            TimeoutError: the transaction took too long. This error, like every outage of the database, goes to each
                caller whose receipt is in the transaction. After an unexpected error the receipts are stored one by
                one.
        """
        answered: asyncio.Future[Confirmed] = asyncio.get_running_loop().create_future()
        self._waiting.append((confirmation, answered))
        if (
            len(self._storing) < self._in_flight
        ):  # in an empty context, because it works for other requests too
            self._storing.add(asyncio.create_task(self._store_waiting(), context=Context()))
        return await answered

    async def _store_waiting(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # let waiting requests in first, for larger batches
                await self._answer(self._take())
        finally:  # at once, and no callback later: a receipt that arrives in between would wait for ever
            self._storing.discard(cast(asyncio.Task[None], asyncio.current_task()))

    def _take(self) -> list[_Waiting]:
        """Remove and return the oldest waiting receipts, without those of callers that are gone."""
        count = min(len(self._waiting), LARGEST_BATCH)
        taken = [self._waiting.popleft() for _ in range(count)]
        return [each for each in taken if not each[1].done()]

    async def _answer(self, batch: Sequence[_Waiting]) -> None:
        """Store a batch; if a fault of this program prevents it, one by one, so that one receipt spoils no other."""
        if not batch:
            return
        answers: Sequence[Confirmed | Exception]
        try:
            answers = await self._store(batch)
        except _CallerGone:  # nothing is stored yet: again for those who wait
            await self._answer([each for each in batch if not each[1].done()])
            return
        except Exception as error:  # noqa: BLE001 - after any error, every caller must get an answer
            if len(batch) > 1 and outage(error) is None and not isinstance(error, CekalError):
                for one in batch:
                    await self._answer([one])
                return
            answers = [error] * len(batch)
        for (_, answered), answer in zip(batch, answers, strict=True):
            if answered.done():  # the caller is gone
                continue
            if isinstance(answer, Confirmed):
                answered.set_result(answer)
            else:
                answered.set_exception(answer)

    async def _store(self, batch: Sequence[_Waiting]) -> list[Confirmed | CekalError]:
        """Store receipts in one transaction. Returns the answer to each, or the error in place of it, in order.

        Raises:
            _CallerGone: a caller has gone meanwhile, and was answered that its receipt is not stored; none is.
        """
        confirmations = [confirmation for confirmation, _ in batch]
        async with (
            asyncio.timeout(self._runtime.settings.answer_seconds),
            self._runtime.writing(SYSTEM) as unit,
        ):
            for each in confirmations:
                each.unit = unit
            alert_ids = {each.receipt.alert_id for each in confirmations}
            version, known = await read_access_and_known(unit, alert_ids)
            settled = [await _settle(unit, each, version, known) for each in confirmations]
            new = [each for each, answer in zip(confirmations, settled, strict=True) if answer is None]
            stored = iter(await add_receipts(unit, [_kept(each.receipt, known) for each in new]))
            answers = [
                answer or await _confirm(unit, each, next(stored))
                for each, answer in zip(confirmations, settled, strict=True)
            ]
            if any(answered.done() for _, answered in batch):
                raise _CallerGone
            return answers


def _kept(receipt: Receipt, erased: Mapping[str, bool]) -> Receipt:
    """Return the receipt as it is stored: without its texts if the person was erased, for nothing erases them later."""
    return replace(receipt, officer_reference=None, note=None) if erased[receipt.alert_id] else receipt


async def _settle(
    unit: Unit, asked: Confirmation, version: int, known: Collection[str]
) -> Confirmed | CekalError | None:
    """Return the answer to a confirmation for which nothing is to be stored; None if its receipt is to be stored."""
    expires_at = asked.actor.expires_at
    expired = expires_at is not None and expires_at <= unit.now
    if asked.access_version is not None and (asked.access_version != version or expired):
        return Unauthenticated("Access has changed, or the key has expired, since the key was looked up.")
    try:
        if asked.claim is not None and (kept := await idempotency.recall(unit, asked.claim)) is not None:
            return Confirmed(kept, None)
    except CekalError as refusal:
        return refusal
    return None if asked.receipt.alert_id in known else NotFound("There is no such alert.")


async def _confirm(unit: Unit, asked: Confirmation, stored: tuple[bool, datetime]) -> Confirmed:
    """Return the answer to a confirmation whose receipt is stored, and keep it for repeats."""
    receipt, (is_first, first_at) = asked.receipt, stored
    shown = ReceiptOut(alert_id=receipt.alert_id, level=receipt.level, at=first_at)
    response = Response(shown.model_dump_json(by_alias=True), 201 if is_first else 200, media_type=JSON)
    if asked.claim is not None:
        await idempotency.keep(unit, asked.claim, response, secret=False)
    return Confirmed(response, first_at if is_first else None)


def receipts_of(scope: Mapping[str, Any]) -> Receipts:
    """Return the process's `Receipts`, which stores receipts; `scope` is a request, or its ASGI scope."""
    return cast(Receipts, scope["app"].state.process.receipts)
