"""Group commit for checks: questions that arrive while a batch is being answered form the next batch.

A batch is a set of questions that share one look-up and one commit. There is no timer: a single question is answered at
once. The clients take turns, one question each. Rows, which are the questions of `POST /v1/checks/batch` and of
manifests, have a queue of their own. They are answered in pauses between single questions, in batches so small that a
single question or an alert hardly waits.
"""

import asyncio
import logging
import math
import sys
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from time import thread_time
from typing import Any, Final, TypeVar, cast

from app.border.checks.questions import Question
from app.border.checks.service import CheckService
from app.db.faults import outage
from app.errors import CekalError, NotStored, RateLimited

logger = logging.getLogger(__name__)

LARGEST_BATCH = 64
"""Greatest number of questions in a batch."""

_TURNS: Final = 3
"""Turns of the event loop before a batch of single questions begins, for larger batches.

In the first the answers of the last batch are written, in the second the next requests are read, and in the third these
put their questions in the queue. With one turn, the batches of two busy processes on two cores had a third of the
questions (0078).
"""

FEWEST_ROWS: Final = 8
"""Greatest number of rows in the first batch of rows; later batches grow or shrink with `STEP_SECONDS`."""

STEP_SECONDS: Final = 0.008
"""Target processor time of one batch of rows: about the longest wait of a single question. One row may take longer."""

REST: Final = 3.0
"""Rest after a batch of rows, as a multiple of its processor time, while single questions come; otherwise it is 1."""

RECENTLY: Final = 1.0
"""Seconds after a single question during which more of them are expected."""

LONGEST_ROW_WAIT: Final = 0.05
"""Longest time in seconds for which the next batch of rows waits for a pause between single questions.

Then it is answered without a pause, so that rows are always answered.
"""

LONGEST_QUEUE = 1024
"""Greatest number of waiting questions of one client, for single questions and for rows each."""

LONGEST_ANSWER = 5.0
"""Time limit of a batch, and of a single question since its arrival, in seconds; then it counts as not stored (R50)."""


T = TypeVar("T")
U = TypeVar("U")

_Waiting = tuple[Question, asyncio.Future[bytes]]


class _Queue:
    """A queue of questions in which the clients take turns."""

    def __init__(self) -> None:
        self._by_client: OrderedDict[str, deque[_Waiting]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._by_client)

    def __len__(self) -> int:
        return sum(len(own) for own in self._by_client.values())

    def put(self, question: Question, answered: asyncio.Future[bytes]) -> None:
        """Add a question.

        Raises:
            RateLimited: too many questions of this client are waiting.
        """
        own = self._by_client.setdefault(question.actor.client_id, deque())
        if len(own) >= LONGEST_QUEUE:
            raise RateLimited("Too many checks of this client are waiting here.", retry_after=1)
        own.append((question, answered))

    def take(self, limit: int) -> list[_Waiting]:
        """Remove and return at most `limit` questions, one of each client in turn."""
        taken: list[_Waiting] = []
        while self._by_client and len(taken) < limit:
            client, own = self._by_client.popitem(last=False)
            waiting = own.popleft()
            if not waiting[1].done():  # otherwise the caller has disconnected
                taken.append(waiting)
            if own:
                self._by_client[client] = own
        return taken


class _Limits:
    """Time limits of single questions.

    One timer serves all of them, because a timer for each question would take a tenth of its answer's time.
    """

    def __init__(self, failed: Callable[[Exception], object]) -> None:
        self._failed = failed
        self._waiting: deque[tuple[float, asyncio.Future[bytes]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def bound(self, answered: asyncio.Future[bytes], seconds: float) -> None:
        """Let a question fail as not stored after some seconds, at the earliest when all earlier ones have ended."""
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
    """Collects the questions of this process in two queues, and has the check service answer them in batches.

    A batch is a set of questions that share one look-up and one commit. Single questions go first. Rows of
    `POST /v1/checks/batch` and of manifests wait for a pause between single questions, at most `LONGEST_ROW_WAIT`
    seconds for each batch of rows. In each queue clients take turns, one question each.

    Args:
        check_service: the check service.
        in_flight: greatest number of concurrent batches of single questions.
        failed: callback that gets the error of each single question that was not answered in time.
    """

    def __init__(
        self, check_service: CheckService, in_flight: int, failed: Callable[[Exception], object] = _ignore
    ) -> None:
        self._check_service = check_service
        self._limits = _Limits(failed)
        self._singles = _Queue()
        self._rows = _Queue()
        self._most_rows = FEWEST_ROWS
        self._in_flight = self._free = in_flight
        self._pause = asyncio.Event()  # set while no single question is being answered
        self._pause.set()
        self._rows_under_way = False
        self._last_single = -math.inf  # time of the last single question, by the event loop's clock
        self._tasks: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question, waited: float = 0.0) -> bytes:
        """Put a single question in the queue, and return its answer as JSON once the check is durably stored.

        Args:
            question: the question.
            waited: seconds since the request came; they are subtracted from the time limit, `LONGEST_ANSWER` seconds.

        Raises:
            NotStored: the check could not be stored within the time limit, so there is no answer.
            RateLimited: too many questions of this client are waiting.
            Unauthenticated: the caller's key was revoked or expired after the request was admitted.
        """
        answered = _put(self._singles, question)
        self._last_single = answered.get_loop().time()
        if self._free:
            self._free -= 1
            self._pause.clear()
            self._begin(self._answer_singles())
        self._limits.bound(answered, LONGEST_ANSWER - waited)
        return await answered

    async def ask_row(self, question: Question) -> bytes:
        """Put one row in the queue of rows, and return its answer as JSON once the check is durably stored.

        A row is a question of `POST /v1/checks/batch` or of a manifest. Its wait in the queue has no time limit.

        Raises:
            NotStored: the check could not be stored, so there is no answer.
            RateLimited: too many questions of this client are waiting.
            Unauthenticated: the caller's key was revoked or expired after the request was admitted.
        """
        answered = _put(self._rows, question)
        if not self._rows_under_way:
            self._rows_under_way = True
            self._begin(self._answer_rows())
        return await answered

    def waiting(self) -> dict[str, int]:
        """Return the number of waiting questions by queue: `single` for single questions, `row` for rows."""
        return {"single": len(self._singles), "row": len(self._rows)}

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer_singles(self) -> None:
        try:
            while self._singles:
                for _ in range(_TURNS):
                    await asyncio.sleep(0)
                if batch := self._singles.take(LARGEST_BATCH):  # otherwise another task has taken them
                    await self._answer(batch)
        finally:
            self._free += 1
            if self._free == self._in_flight:
                self._pause.set()

    async def _answer_rows(self) -> None:
        """Answer rows in batches, with a rest after each, so that single questions get three quarters of the time."""
        try:
            while self._rows:
                with suppress(TimeoutError):
                    async with asyncio.timeout(LONGEST_ROW_WAIT):
                        await self._pause.wait()
                if batch := self._rows.take(self._most_rows):
                    began = thread_time()
                    lost = await self._answer(batch)
                    took = thread_time() - began
                    if lost is not None:  # the other rows would only wait for the database again
                        _lose(self._rows.take(sys.maxsize), lost)
                    self._most_rows = _next_step(self._most_rows, len(batch), took)
                    await asyncio.sleep(took * (REST if self._singles_expected() else 1.0))
        finally:
            self._rows_under_way = False

    def _singles_expected(self) -> bool:
        return asyncio.get_running_loop().time() - self._last_single < RECENTLY

    async def _answer(self, batch: list[_Waiting]) -> Exception | None:
        """Answer a batch. Returns the error if the database is not available, else None."""
        try:
            async with asyncio.timeout(LONGEST_ANSWER):
                answers = await self._check_service.answer([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001 - after any error, every caller must get an answer
            return await self._recover(batch, error)
        for (_, answered), answer in zip(batch, answers, strict=True):
            _settle(answered, answer)
        return None

    async def _recover(self, batch: list[_Waiting], error: Exception) -> Exception | None:
        """Answer the questions of a failed batch one by one, so that one faulty question does not affect the others.

        If the database is not available, all of them fail at once.
        """
        lost = error if outage(error) is not None else None
        if len(batch) > 1 and lost is None:
            for one in batch:
                lost = await self._answer([one]) or lost
            return lost
        if lost is None:  # `db.outages` logs an outage of the database, once
            logger.error("checks could not be stored", exc_info=error, extra={"checks": len(batch)})
        _lose(batch, error)
        return lost


def not_stored(why: Exception) -> NotStored:
    """Return the error for a check that has no answer because it could not be stored; `why` becomes its cause."""
    error = NotStored("The check could not be stored, so it has no answer.", retry_after=1)
    error.__cause__ = why
    return error


async def in_parts(ask: Callable[[Sequence[U]], Awaitable[list[T]]], items: Sequence[U]) -> list[T]:
    """Split items into parts of at most `LARGEST_BATCH`, and call `ask` with one part after the other.

    Returns all results, in the order of the items; an empty list without items. An error of `ask` is raised at once,
    and `ask` is not called with the remaining parts.
    """
    answers: list[T] = []
    for first in range(0, len(items), LARGEST_BATCH):
        answers += await ask(items[first : first + LARGEST_BATCH])
    return answers


def _put(queue: _Queue, question: Question) -> asyncio.Future[bytes]:
    answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    queue.put(question, answered)
    return answered


def _next_step(limit: int, rows: int, took: float) -> int:
    """Return the greatest number of rows of the next batch.

    Args:
        limit: the greatest number of rows of the last batch.
        rows: the last batch's actual number of rows.
        took: the last batch's processor time in seconds. It includes other work of the event loop, so that a busy loop
            gets smaller batches.
    """
    if took > STEP_SECONDS:
        return max(1, rows // 2)
    return min(LARGEST_BATCH, limit + max(1, limit // 2)) if rows == limit else limit


def _lose(waiting: list[_Waiting], why: Exception) -> None:
    for _, answered in waiting:
        _settle(answered, not_stored(why))


def _settle(answered: asyncio.Future[bytes], answer: bytes | CekalError) -> None:
    if answered.done():  # the caller has disconnected
        return
    if isinstance(answer, bytes):
        answered.set_result(answer)
    else:
        answered.set_exception(answer)


def batcher_of(scope: Mapping[str, Any]) -> Batcher:
    """Return the batcher of this process; `scope` is a request, or its ASGI scope."""
    return cast(Batcher, scope["app"].state.process.batcher)
