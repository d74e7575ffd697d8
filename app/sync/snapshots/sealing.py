"""The sealer: seals the digest of the register's state once records are an hour old, or by an admin's order."""

import logging
from time import monotonic
from typing import Final

from app.ledger.service import LedgerBroken
from app.runtime import Runtime
from app.sync.snapshots.service import seal_if_due

logger = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 60.0
"""Seconds after which a state that contradicts the ledger's tree is read again."""


class Sealer:
    """Seals digests for one process; the worker's lock lets one process at a time do it.

    Attributes:
        failing: why no digest can be sealed; None while nothing is known against it.
    """

    def __init__(self, runtime: Runtime) -> None:
        self.failing: str | None = None
        self._runtime = runtime
        self._not_before = 0.0

    async def seal(self) -> bool:
        """Seal the digest of the present state where that is due. Returns whether one was sealed.

        A state that contradicts the ledger's tree is not sealed: the seal would testify to what was altered.
        """
        if monotonic() < self._not_before:
            return False
        try:
            sealed = await seal_if_due(self._runtime)
        except LedgerBroken as error:
            self.failing, self._not_before = str(error), monotonic() + _AGAIN_SECONDS
            logger.error("no digest is sealed", extra={"why": self.failing})  # noqa: TRY400 - the message is all
            return False
        self.failing = None
        if sealed is not None:
            logger.info(
                "a digest was sealed", extra={"sequence": sealed.digest.sequence, "seal": sealed.seal}
            )
        return sealed is not None
