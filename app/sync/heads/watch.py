"""The age of the newest signed head and of each witness's cosignature, for the metrics of a process."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import datetime
from math import inf
from typing import Final

from app.access.domain import SYSTEM
from app.runtime import Runtime
from app.sync.heads.service import head_to_push
from app.sync.witnesses.service import list_states, read_policy
from app.tlog.policy import Policy

_ROUND_SECONDS: Final = 5.0

logger = logging.getLogger(__name__)


class HeadWatch:
    """Measures for metrics how long ago the newest head was signed, and when each witness last cosigned.

    `run` reads these times from the database every few seconds. While the database can't be reached, the ages continue
    to grow, because nothing is signed then.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._has_looked = False
        self._signed_at: datetime | None = None
        self._cosigned_at: dict[str, datetime | None] = {}

    async def run(self) -> None:
        """Call `look` every few seconds until cancelled; errors of the database are logged.

        Raises:
            WitnessPolicyRefused: the witness policy of the settings can't be used.
        """
        policy = read_policy(self._runtime.settings)
        while True:
            try:
                await self.look(policy)
            except Exception as error:  # after any error: a later round may succeed
                if not self._runtime.outages.failed(error):
                    logger.exception("the age of heads can't be read now")
            await asyncio.sleep(_ROUND_SECONDS)

    async def look(self, policy: Policy | None) -> None:
        """Read and remember when the newest head was signed, and when each witness of the policy last cosigned a head.

        With the policy None, no witness is read. Errors of the database are raised.
        """
        async with self._runtime.reading(SYSTEM) as reader:
            head = await head_to_push(reader)
            states = [] if policy is None else await list_states(reader, policy)
        self._signed_at = head.signed_at if head else None
        self._cosigned_at = {each.url: each.cosigned_at for each in states}
        self._has_looked = True

    def head_age(self) -> float | None:
        """Return the seconds since the newest head was signed.

        The result is infinity if no head was signed, and None before the first call of `look`.
        """
        return self._age(self._signed_at) if self._has_looked else None

    def cosignature_ages(self) -> Iterator[tuple[str, float]]:
        """Yield pairs of a witness's address and the seconds since its last cosignature; infinity if it has none yet.

        Before the first call of `look`, nothing is yielded.
        """
        for url, at in self._cosigned_at.items():
            yield url, self._age(at)

    def _age(self, at: datetime | None) -> float:
        return inf if at is None else max(0.0, (self._runtime.clock() - at).total_seconds())
