"""Notices under several writers: numbers without a hole, in commit order, and each fact told once."""

import asyncio
from contextlib import suppress

from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.notices.domain import NoticeContent, owner
from app.alerting.notices.names import NoticeName
from app.alerting.notices.service import notify, read_page
from app.runtime import Runtime

WRITERS = 8
EACH = 15


VERIFIER = Actor("cli_1", "A", frozenset({"verifier"}), "KPK")


class ChangedTheirMind(Exception):
    """A transaction that fails when everything is done."""


async def write(runtime: Runtime, writer: int) -> None:
    """Tell facts of one's own and facts that all others notify too; every fifth transaction fails at its end."""
    for number in range(EACH):
        keys = [f"own:{writer}:{number}", f"common:{number}"]
        with suppress(ChangedTheirMind):
            async with runtime.writing(SYSTEM) as unit:
                contents = [NoticeContent(NoticeName.OVERDUE, key, owner("KPK"), unit.now) for key in keys]
                await notify(unit, contents)
                if number % 5 == 4 and writer % 2:
                    raise ChangedTheirMind


async def test_a_reader_behind_many_writers_misses_nothing_and_sees_each_fact_once(
    processes: list[Runtime],
) -> None:
    written, seen = asyncio.Event(), []

    async def follow() -> None:
        cursor = None
        while True:
            over = written.is_set()
            async with processes[2].reading(VERIFIER) as reader:
                page = await read_page(reader, cursor, 7, "/v1/notices")
            seen.extend(page.records)
            cursor = page.head.cursor(page.position)
            if over and not page.more and not page.records:
                return
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as readers:
        readers.create_task(follow())
        async with asyncio.TaskGroup() as writers:
            for writer in range(WRITERS):
                writers.create_task(write(processes[writer % 2], writer))
        written.set()
    failed = {(writer, number) for writer in range(1, WRITERS, 2) for number in range(4, EACH, 5)}
    expected = {f"common:{number}" for number in range(EACH)} | {
        f"own:{writer}:{number}"
        for writer in range(WRITERS)
        for number in range(EACH)
        if (writer, number) not in failed
    }
    assert [notice.number for notice in seen] == list(range(1, len(expected) + 1))
    keys = [notice.content.key for notice in seen]
    assert set(keys) == expected
    assert len(keys) == len(expected)
