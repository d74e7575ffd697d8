"""Sealing digests: once new records are an hour old, or by an admin's order, a digest is computed and published."""

import logging
from time import monotonic
from typing import Final

from app.access.domain import SYSTEM
from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.snapshots.domain import is_due
from app.sync.snapshots.service import end_order, find_unsealed, seal

logger = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 60.0
"""Seconds after which a state that contradicts the ledger's tree is read again."""


class DigestSealer:
    """Seals the digest of the register's present state in the ledger whenever one is due, for later snapshots.

    The worker's lock ensures that only one process does it at a time.

    Attributes:
        failing: why the last due digest could not be sealed; None if it was sealed, or before the first.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.failing: str | None = None
        self._runtime = runtime
        self._not_before = 0.0
        self._quiet = 0

    async def seal(self) -> bool:
        """Seal the digest of the present state if one is due. Returns whether one was sealed.

        New records are those that no digest covers, other than records of type `seal`. A digest is due if the first new
        record is an hour old, or if there are new records and a snapshot is ordered. An order is deleted if there are
        no new records. A state that contradicts the ledger's tree is not sealed: `failing` then gives the reason, and
        calls in the next minute do nothing.
        """
        if monotonic() < self._not_before:
            return False
        async with self._runtime.reading(SYSTEM) as reader:
            found, now = await find_unsealed(reader, self._quiet), reader.now
        if found.news is None:
            self._quiet = found.size
        if not is_due(found.news, found.ordered, now):
            if found.ordered is not None:
                await end_order(self._runtime, found.ordered)
            return False
        try:
            sealed = await seal(self._runtime, found)
        except LedgerBroken as error:
            self.failing, self._not_before = str(error), monotonic() + _AGAIN_SECONDS
            logger.error("no digest is sealed", extra={"why": self.failing})  # noqa: TRY400 - the message is all
            return False
        self.failing = None
        logger.info("a digest was sealed", extra={"sequence": sealed.digest.sequence, "seal": sealed.seal})
        return True
