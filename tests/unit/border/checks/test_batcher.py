"""Group commit: which questions share a batch, and what a failing batch costs the others."""

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError

from app.border.checks import batcher as module
from app.border.checks.batcher import FEWEST_ROWS, LARGEST_BATCH, Batcher, in_parts
from app.errors import CekalError, NotStored, RateLimited, Unauthenticated
from tests.support.waiting import until


class Desk:
    """Answers after it is let, and notes what came together; a question is any word here."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.fails: Exception | None = None
        self.running = self.most_running = 0

    async def answer(self, questions: Sequence[Any]) -> list[bytes | CekalError]:
        self.batches.append([str(question) for question in questions])
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.open.wait()
            if self.fails is not None:
                raise self.fails
            if "bad" in questions:
                raise DBAPIError("insert", None, Told("22021"))  # a record that the database refuses
        finally:
            self.running -= 1
        return [Unauthenticated("revoked") if q == "revoked" else str(q).encode() for q in questions]


class Told(Exception):
    """What PostgreSQL says, with its SQLSTATE."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@pytest.fixture
def desk() -> Desk:
    return Desk()


class Word(str):
    """A question of a client."""

    __slots__ = ("actor",)

    actor: Any

    @classmethod
    def of(cls, client: str, word: str) -> "Word":
        asked = cls(word)
        asked.actor = SimpleNamespace(client_id=client)
        return asked


def asking(batcher: Batcher, *questions: str, client: str = "one") -> list[asyncio.Task[bytes]]:
    """Ask single questions at the same time."""
    return [asyncio.create_task(batcher.ask(Word.of(client, each))) for each in questions]  # type: ignore[arg-type]  # see Desk


def asking_rows(batcher: Batcher, *questions: str, client: str = "one") -> list[asyncio.Task[bytes]]:
    """Ask the rows of a batch at the same time."""
    return [asyncio.create_task(batcher.ask_row(Word.of(client, each))) for each in questions]  # type: ignore[arg-type]  # see Desk


async def settled(*asked: asyncio.Task[bytes]) -> list[Any]:
    """What became of them."""
    async with asyncio.timeout(5):
        return await asyncio.gather(*asked, return_exceptions=True)


async def turns() -> None:
    """Let everything that can run do so."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_questions_that_wait_for_a_batch_are_counted_by_their_kind(desk: Desk) -> None:
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]  # see Desk
    assert batcher.waiting() == {"single": 0, "row": 0}
    desk.open.clear()
    tasks = asking(batcher, "first")
    await until(lambda: desk.running == 1)
    tasks += asking(batcher, "second", "third", client="two") + asking_rows(batcher, "a", "b", "c")
    await asyncio.sleep(0)
    assert batcher.waiting() == {"single": 2, "row": 3}
    desk.open.set()
    await settled(*tasks)
    assert batcher.waiting() == {"single": 0, "row": 0}


async def test_a_lone_question_leaves_at_once(desk: Desk) -> None:
    assert await settled(*asking(Batcher(desk, 1), "one")) == [b"one"]  # type: ignore[arg-type]
    assert desk.batches == [["one"]]


async def test_what_arrives_meanwhile_shares_the_next_batch(desk: Desk) -> None:
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    first = asking(batcher, "first")
    await turns()
    crowd = asking(batcher, *(f"q{i}" for i in range(LARGEST_BATCH + 1)))
    await turns()
    assert desk.batches == [["first"]]
    desk.open.set()
    assert await settled(*first, *crowd) == [b"first", *(f"q{i}".encode() for i in range(LARGEST_BATCH + 1))]
    assert [len(batch) for batch in desk.batches] == [1, LARGEST_BATCH, 1]


@pytest.mark.parametrize("in_flight", [1, 2])
async def test_no_more_batches_than_allowed_are_on_their_way(desk: Desk, in_flight: int) -> None:
    batcher = Batcher(desk, in_flight)  # type: ignore[arg-type]
    desk.open.clear()
    asked = []
    for i in range(6):
        asked += asking(batcher, f"q{i}")
        await turns()
    desk.open.set()
    await settled(*asked)
    assert desk.most_running == in_flight


async def test_one_bad_row_spoils_none_of_the_others(desk: Desk) -> None:
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    answers = await settled(*asking(batcher, "one", "bad", "two"))
    assert [answers[0], answers[2]] == [b"one", b"two"]
    assert isinstance(answers[1], NotStored)


async def test_an_error_meant_for_one_asker_reaches_that_one(desk: Desk) -> None:
    answers = await settled(*asking(Batcher(desk, 1), "one", "revoked"))  # type: ignore[arg-type]
    assert answers[0] == b"one"
    assert isinstance(answers[1], Unauthenticated)


@pytest.mark.parametrize(
    "outage",
    [
        OSError("refused"),
        TimeoutError(),
        OperationalError("select", None, Exception("locked")),
        DBAPIError("select", None, Told("57P03")),
        DBAPIError("select", None, Exception("closed"), connection_invalidated=True),
    ],
)
async def test_an_outage_is_told_to_everybody_at_once(desk: Desk, outage: Exception) -> None:
    desk.fails = outage
    answers = await settled(*asking(Batcher(desk, 1), "one", "two", "three"))  # type: ignore[arg-type]
    assert [type(answer) for answer in answers] == [NotStored] * 3
    assert len(desk.batches) == 1


async def test_after_an_outage_it_answers_again(desk: Desk) -> None:
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    desk.fails = OSError("refused")
    await settled(*asking(batcher, "lost"))
    desk.fails = None
    assert await settled(*asking(batcher, "found")) == [b"found"]


async def test_a_database_that_never_answers_is_an_outage(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_ANSWER", 0.02)
    desk.open.clear()
    answers = await settled(*asking(Batcher(desk, 1), "one", "two"))  # type: ignore[arg-type]
    assert [type(answer) for answer in answers] == [NotStored] * 2


async def test_beyond_the_longest_queue_of_a_client_it_is_sent_away_and_nobody_else(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_QUEUE", 2)
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    first = asking(batcher, "one")
    await turns()
    waiting = asking(batcher, "two", "three", "four")
    innocent = asking(batcher, "innocent", client="other")
    rows = asking_rows(batcher, "row")
    await turns()
    desk.open.set()
    answers = await settled(*first, *waiting, *innocent, *rows)
    assert answers[:3] == [b"one", b"two", b"three"]
    assert isinstance(answers[3], RateLimited)
    assert answers[3].retry_after == 1
    assert answers[4:] == [b"innocent", b"row"]


async def test_an_asker_who_leaves_takes_nobody_along(desk: Desk) -> None:
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    gone, stays = asking(batcher, "gone", "stays")
    await turns()
    gone.cancel()
    await turns()
    desk.open.set()
    assert await settled(stays) == [b"stays"]
    assert await settled(*asking(batcher, "next")) == [b"next"]


async def test_clients_take_turns_however_many_one_asks(desk: Desk) -> None:
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    asked = asking(batcher, "first")
    await turns()
    asked += asking(batcher, *(f"greedy{i}" for i in range(100)))
    asked += asking(batcher, "modest0", "modest1", client="other")
    await turns()
    desk.open.set()
    await settled(*asked)
    assert desk.batches[1][:5] == ["greedy0", "modest0", "greedy1", "modest1", "greedy2"]


async def test_rows_wait_for_a_pause_of_the_single_questions(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_ROW_WAIT", 60)
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    asked = asking(batcher, "first")
    await turns()
    asked += asking_rows(batcher, "row")
    asked += asking(batcher, *(f"q{i}" for i in range(LARGEST_BATCH + 1)))
    await turns()
    desk.open.set()
    await settled(*asked)
    assert [len(batch) for batch in desk.batches] == [1, LARGEST_BATCH, 1, 1]
    assert desk.batches[-1] == ["row"]


async def test_rows_come_to_their_end_however_much_counters_ask(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST_ROW_WAIT", 0.01)
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    asked = asking(batcher, "never answered")
    await turns()
    asked += asking_rows(batcher, "row")
    await until(lambda: ["row"] in desk.batches)
    desk.open.set()
    await settled(*asked)


async def test_a_single_question_waits_for_no_row(desk: Desk) -> None:
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    asked = asking_rows(batcher, *(f"row{i}" for i in range(100)))
    await turns()
    asked += asking(batcher, "single", client="other")
    await turns()
    assert [len(batch) for batch in desk.batches] == [FEWEST_ROWS, 1]
    desk.open.set()
    await settled(*asked)


async def test_steps_of_rows_grow_while_they_are_short_and_shrink_when_they_are_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent, price = [0.0], [0.0]
    monkeypatch.setattr(module, "thread_time", lambda: spent[0])
    monkeypatch.setattr(module, "STEP_SECONDS", 0.001)
    answer = desk.answer

    async def costly(questions: Sequence[Any]) -> list[bytes | CekalError]:
        spent[0] += len(questions) * price[0]
        return await answer(questions)

    monkeypatch.setattr(desk, "answer", costly)
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    await settled(*asking_rows(batcher, *(f"cheap{i}" for i in range(300))))
    sizes = [len(batch) for batch in desk.batches]
    assert sizes[0] == FEWEST_ROWS
    assert max(sizes) == LARGEST_BATCH
    price[0] = 0.0011
    desk.batches.clear()
    await settled(*asking_rows(batcher, *(f"dear{i}" for i in range(130))))
    assert [len(batch) for batch in desk.batches[:8]] == [64, 32, 16, 8, 4, 2, 1, 1]


async def test_a_row_whose_asker_has_left_is_not_answered(desk: Desk) -> None:
    desk.open.clear()
    batcher = Batcher(desk, 1)  # type: ignore[arg-type]
    asked = asking_rows(batcher, *(f"row{i}" for i in range(100)))
    await turns()
    for each in asked[FEWEST_ROWS:]:
        each.cancel()
    await turns()
    desk.open.set()
    await settled(*asked[:FEWEST_ROWS])
    await settled(*asking_rows(batcher, "next"))
    assert [len(batch) for batch in desk.batches] == [FEWEST_ROWS, 1]


async def test_many_are_asked_in_parts_and_answered_in_order() -> None:
    running = most = 0

    async def ask(part: Sequence[int]) -> list[int]:
        nonlocal running, most
        running += len(part)
        most = max(most, running)
        await asyncio.sleep(0)
        running -= len(part)
        return [number * 2 for number in part]

    assert await in_parts(ask, range(150)) == [number * 2 for number in range(150)]
    assert most == LARGEST_BATCH


async def test_one_timer_ends_every_wait_that_is_too_long(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[Exception] = []
    batcher = Batcher(desk, 0, failed.append)  # type: ignore[arg-type]  # no batch ever has its turn
    monkeypatch.setattr(module, "LONGEST_ANSWER", 0.02)
    for _ in range(2):
        for answer in await settled(*asking(batcher, "one", "two")):
            assert isinstance(answer, NotStored)
    assert [type(error) for error in failed] == [TimeoutError] * 4
    assert desk.batches == []
