"""Group commit: whatever arrives while a batch is on its way goes into the next one.

No timer: a lone check leaves at once, a crowd shares one look-up and one commit. The clients take turns, one question
each; a counter's single question goes before the rows of batches and manifests; a few such rows join its
batch.
"""

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from app.checks.service import Desk, Question
from app.db.faults import outage
from app.errors import CekalError, NotStored, RateLimited

logger = logging.getLogger(__name__)

LARGEST_BATCH = 64
ROWS_ALONE = 8
"""Rows of batches and manifests that are answered together: so long a counter's question waits at most."""

ROWS_BESIDE = 8
"""Rows that go along with counters' questions, so that they come to their end however much counters ask."""

LONGEST_QUEUE = 1024
"""Questions of one client that wait at most, single ones and rows apart."""

LONGEST_ANSWER = 5.0
"""Seconds after which a batch, or a single check since it came, counts as not stored (R50)."""


T = TypeVar("T")
U = TypeVar("U")

_Waiting = tuple[Question, asyncio.Future[bytes]]


class _Queue:
    """Questions of many clients, who take turns."""

    def __init__(self) -> None:
        self._by_client: OrderedDict[str, deque[_Waiting]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._by_client)

    def put(self, question: Question, answered: asyncio.Future[bytes]) -> None:
        """Let a question wait.

        Raises:
            RateLimited: too many of this client's are waiting.
        """
        own = self._by_client.setdefault(question.actor.client_id, deque())
        if len(own) >= LONGEST_QUEUE:
            raise RateLimited("Too many checks of this client are waiting here.", retry_after=1)
        own.append((question, answered))

    def take(self, most: int) -> list[_Waiting]:
        """The next questions, at most so many: of each client one, and again."""
        taken: list[_Waiting] = []
        while self._by_client and len(taken) < most:
            client, own = self._by_client.popitem(last=False)
            waiting = own.popleft()
            if not waiting[1].done():  # else its asker has left
                taken.append(waiting)
            if own:
                self._by_client[client] = own
        return taken


class _Limits:
    """Ends the waits of single questions that take too long.

    One timer serves all of them: a timer for each question costs a tenth of its whole answer.
    """

    def __init__(self, failed: Callable[[Exception], object]) -> None:
        self._failed = failed
        self._waiting: deque[tuple[float, asyncio.Future[bytes]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def bound(self, answered: asyncio.Future[bytes], seconds: float) -> None:
        """Let a wait end as not stored after so many seconds, or as soon as those before it have ended."""
        loop = answered.get_loop()
        self._drop_ended()
        self._waiting.append((loop.time() + seconds, answered))
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._look, loop)

    def _drop_ended(self) -> None:
        while self._waiting and self._waiting[0][1].done():
            self._waiting.popleft()

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        self._drop_ended()
        while self._waiting and self._waiting[0][0] <= loop.time():
            error = TimeoutError("the check was not answered in time")
            self._failed(error)
            _settle(self._waiting.popleft()[1], not_stored(error))
            self._drop_ended()
        self._timer = loop.call_at(self._waiting[0][0], self._look, loop) if self._waiting else None


def _ignore(_error: Exception) -> None:
    pass


class Batcher:
    """Collects the questions of one process and lets the desk answer them in batches.

    Args:
        desk: who answers.
        in_flight: how many batches may be on their way at once.
        failed: notes the error of a question that was not answered in time.
    """

    def __init__(self, desk: Desk, in_flight: int, failed: Callable[[Exception], object] = _ignore) -> None:
        self._desk = desk
        self._limits = _Limits(failed)
        self._singles = _Queue()
        self._rows = _Queue()
        self._free = in_flight
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question, waited: float = 0.0) -> bytes:
        """The answer to a single question, as JSON, once it is durably stored.

        Args:
            question: the question.
            waited: seconds of `LONGEST_ANSWER` for which its asker has waited already.

        Raises:
            NotStored: the record could not be made durable in time, so there is no answer.
            RateLimited: too many questions of this client are waiting; other clients' are not in question.
            Unauthenticated: the asking key was revoked meanwhile.
        """
        answered = self._put(self._singles, question)
        self._limits.bound(answered, LONGEST_ANSWER - waited)
        return await answered

    async def ask_row(self, question: Question) -> bytes:
        """The same for one of many that are asked together: single ones go before it.

        Raises:
            NotStored, RateLimited, Unauthenticated: as `ask`.
        """
        return await self._put(self._rows, question)

    def _put(self, queue: _Queue, question: Question) -> asyncio.Future[bytes]:
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        queue.put(question, answered)
        if self._free:
            self._free -= 1
            task = asyncio.create_task(self._work())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return answered

    async def _work(self) -> None:
        try:
            while self._singles or self._rows:
                await asyncio.sleep(0)  # let in what the sockets hold already: no timer, and larger batches
                room = LARGEST_BATCH - (ROWS_BESIDE if self._rows else 0)
                batch = self._singles.take(room)
                batch += self._rows.take(ROWS_BESIDE if batch else ROWS_ALONE)
                if batch:  # another worker may have taken them
                    await self._answer(batch)
        finally:
            self._free += 1

    async def _answer(self, batch: list[_Waiting]) -> None:
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                answers = await self._desk.answer([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it was, every asker must get an answer
            await self._recover(batch, error)
            return
        for (_, answered), answer in zip(batch, answers, strict=True):
            _settle(answered, answer)

    async def _recover(self, batch: list[_Waiting], error: Exception) -> None:
        """A batch fails as a whole; ask again one by one, so that one bad row never spoils the others.

        Where it is the database that fails, each would only wait for it once more.
        """
        if len(batch) > 1 and outage(error) is None:
            for one in batch:
                await self._answer([one])
            return
        if outage(error) is None:  # `db.outages` tells the others once
            logger.error("checks could not be stored", exc_info=error, extra={"checks": len(batch)})
        for _, answered in batch:
            _settle(answered, not_stored(error))


def not_stored(why: Exception) -> NotStored:
    """The error for a check that has no answer, since it is not on record."""
    error = NotStored("The check could not be stored, so it has no answer.", retry_after=1)
    error.__cause__ = why
    return error


async def in_parts(ask: Callable[[U], Awaitable[T]], asked: Sequence[U]) -> list[T]:
    """Ask many, no more of them at once than one batch holds, and give the answers in their order."""
    answers: list[T] = []
    for first in range(0, len(asked), LARGEST_BATCH):
        answers += await asyncio.gather(*map(ask, asked[first : first + LARGEST_BATCH]))
    return answers


def _settle(answered: asyncio.Future[bytes], answer: bytes | CekalError) -> None:
    if answered.done():  # its asker has left
        return
    if isinstance(answer, bytes):
        answered.set_result(answer)
    else:
        answered.set_exception(answer)
