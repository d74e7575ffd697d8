"""Sending signed heads to the witnesses: a new size at once, and the same size each time that it is signed again.

Like other rarely needed libraries, the HTTP client is imported only where there are witnesses: most registers have
none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from app.access.domain import SYSTEM
from app.db.lanes import Lane, using
from app.db.unit import Reader
from app.ledger import service as ledger
from app.runtime import Runtime
from app.sync.witnesses import store
from app.sync.witnesses.domain import (
    PATIENCE,
    Cosignature,
    PushedHead,
    PushFailed,
    Witness,
    WitnessState,
    delay,
    witnesses_of,
)
from app.sync.witnesses.service import read_policy

if TYPE_CHECKING:
    import httpx2

ROUND_SECONDS: Final = 0.5
"""Seconds between two searches for a head that must be sent to a witness."""

_CLAIM: Final = timedelta(seconds=3 * PATIENCE)
"""How long a process that pushes keeps the others from pushing to the same witness, at most."""

Newest = Callable[[Reader], Awaitable[PushedHead | None]]

logger = logging.getLogger(__name__)


class Pusher:
    """Sends signed heads to the witnesses of the policy, and stores their cosignatures; each process has one.

    A slow witness does not delay the others. Several processes may each run one: a process claims a witness in the
    database before it sends a head to this witness.

    Args:
        runtime: the runtime of the process.
        newest: function that reads the newest signed head of the ledger's present epoch; None without one.

    Attributes:
        witnesses: the witnesses to which heads are sent; empty without a policy.

    Raises:
        WitnessPolicyRefused: the policy in the settings can't be used.
    """

    def __init__(self, runtime: Runtime, newest: Newest) -> None:
        policy = read_policy(runtime.settings)
        self.witnesses = witnesses_of(policy) if policy else []
        self._runtime = runtime
        self._newest = newest
        self._busy: set[str] = set()

    async def run(self) -> None:
        """Send heads to the witnesses until cancelled; return at once if there are none. Failures are logged."""
        if not self.witnesses:
            return
        from app.sync.witnesses.client import http_client

        async with http_client() as http, asyncio.TaskGroup() as group:
            while True:
                try:
                    for witness, state, head in await self.due():
                        self._busy.add(witness.url)
                        group.create_task(self._push_apart(http, witness, state, head))
                except Exception as error:  # the database may be out: the next look finds the same heads
                    if not self._runtime.outages.failed(error):
                        logger.exception("heads can't be pushed to witnesses now")
                await asyncio.sleep(ROUND_SECONDS)

    async def due(self) -> list[tuple[Witness, WitnessState, PushedHead]]:
        """Return (witness, its known state, newest head) for each witness to which the newest head must be sent now.

        The list is empty while no head is signed, and while the register is rolled back to an earlier state: then the
        witnesses have newer heads.
        """
        if self._runtime.rollback is not None:
            return []
        with using(Lane.WORKER):
            async with self._runtime.reading(SYSTEM) as reader:
                head = await self._newest(reader)
                known = await store.list_states(reader)
                now = reader.now
        if head is None:
            return []
        each = ((witness, known.get(witness.url, WitnessState(witness.url))) for witness in self.witnesses)
        return [
            (witness, state, head)
            for witness, state in each
            if witness.url not in self._busy and state.wants(head, now)
        ]

    async def _push_apart(
        self, http: "httpx2.AsyncClient", witness: Witness, state: WitnessState, head: PushedHead
    ) -> None:
        """Push to one witness, whatever happens to it."""
        try:
            await self._push(http, witness, state, head)
        except Exception as error:  # one witness must not keep the others from their heads
            if not self._runtime.outages.failed(error):
                logger.exception("a head can't be pushed now", extra={"witness": witness.url})
        finally:
            self._busy.discard(witness.url)

    async def _push(
        self, http: "httpx2.AsyncClient", witness: Witness, state: WitnessState, head: PushedHead
    ) -> bool:
        """Push a head to a witness and store what came of it. Returns whether it was cosigned."""
        if not await self._claim(state):
            return False
        from app.sync.witnesses.client import push

        found: list[Cosignature] = []
        failure = ""
        try:
            known = state.size_in(head.epoch)
            found = await push(http, witness, head, known, self._runtime.clock(), self._prove)
        except PushFailed as error:
            failure = str(error)[:200]
        with using(Lane.WORKER):
            async with self._runtime.writing(SYSTEM) as unit:
                if found:
                    await store.save_cosignatures(unit, head, found)
                    signed_at = max(each.signed_at for each in found)
                    after = WitnessState(witness.url, head.epoch, head.size, head.signed_at, signed_at)
                else:
                    after = replace(
                        state,
                        failures=state.failures + 1,
                        failing_since=state.failing_since or unit.now,
                        failure=failure,
                        retry_at=unit.now + delay(state.failures + 1),
                    )
                await store.save_state(unit, after)
        self._say(state, after)
        return bool(found)

    async def _claim(self, state: WitnessState) -> bool:
        if self._runtime.register.is_sqlite:  # served by one process
            return True
        with using(Lane.WORKER):
            async with self._runtime.writing(SYSTEM) as unit:
                return await store.claim(unit, state, unit.now + _CLAIM)

    async def _prove(self, old: int, new: int) -> list[bytes]:
        with using(Lane.WORKER):
            async with self._runtime.reading(SYSTEM) as reader:
                return await ledger.prove_consistency(reader, old, new)

    def _say(self, before: WitnessState, after: WitnessState) -> None:
        """Log a witness that begins to fail, fails otherwise, or cosigns again."""
        about = {"witness": after.url}
        if after.failure and after.failure != before.failure:
            logger.warning("a witness does not cosign", extra={**about, "why": after.failure})
        elif before.failure and not after.failure:
            logger.info("a witness cosigns again", extra={**about, "size": after.size})
