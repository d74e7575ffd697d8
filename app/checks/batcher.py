"""Group commit: whatever arrives while a batch is on its way goes into the next one.

No timer: a lone check leaves at once, a crowd shares one look-up and one commit.
"""

import asyncio
import logging
from collections import deque

from app.checks.service import Desk, Question
from app.db.faults import outage
from app.errors import CekalError, NotStored, Unavailable

logger = logging.getLogger(__name__)

LARGEST_BATCH = 64
LONGEST_QUEUE = 4096
LONGEST_ANSWER = 5.0
"""Seconds after which a batch counts as not stored: a counter must know when it gets no answer (R50)."""


class Batcher:
    """Collects the questions of one process and lets the desk answer them in batches.

    Args:
        desk: who answers.
        in_flight: how many batches may be on their way at once.
    """

    def __init__(self, desk: Desk, in_flight: int) -> None:
        self._desk = desk
        self._waiting: deque[tuple[Question, asyncio.Future[bytes]]] = deque()
        self._free = in_flight
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question) -> bytes:
        """The answer to one question, as JSON, once it is durably stored.

        Raises:
            NotStored: the record could not be made durable, so there is no answer.
            Unavailable: too many questions are waiting.
            Unauthenticated: the asking key was revoked meanwhile.
        """
        if len(self._waiting) >= LONGEST_QUEUE:
            raise Unavailable("Too many checks are waiting here.", retry_after=1)
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answered))
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answered

    async def _work(self) -> None:
        try:
            while self._waiting:
                await asyncio.sleep(0)  # let in what the sockets hold already: no timer, and larger batches
                batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_BATCH))]
                if batch:  # another worker may have taken them
                    await self._answer(batch)
        finally:
            self._free += 1

    async def _answer(self, batch: list[tuple[Question, asyncio.Future[bytes]]]) -> None:
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                answers = await self._desk.answer([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it was, every asker must get an answer
            await self._recover(batch, error)
            return
        for (_, answered), answer in zip(batch, answers, strict=True):
            _settle(answered, answer)

    async def _recover(self, batch: list[tuple[Question, asyncio.Future[bytes]]], error: Exception) -> None:
        """A batch fails as a whole; ask again one by one, so that one bad row never spoils the others.

        Where it is the database that fails, each would only wait for it once more.
        """
        if len(batch) > 1 and outage(error) is None:
            for one in batch:
                await self._answer([one])
            return
        logger.error("checks could not be stored", exc_info=error, extra={"checks": len(batch)})
        for _, answered in batch:
            detail = "The check could not be stored, so it has no answer."
            _settle(answered, NotStored(detail, retry_after=1))


def _settle(answered: asyncio.Future[bytes], answer: bytes | CekalError) -> None:
    if answered.done():  # its asker has left
        return
    if isinstance(answer, bytes):
        answered.set_result(answer)
    else:
        answered.set_exception(answer)
