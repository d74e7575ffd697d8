"""`cekal import entries`, killed in the middle: what it has committed holds, and the same file again completes it."""

import asyncio
import signal
from pathlib import Path

from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.ledger.service import head
from app.register.entries import tables
from app.register.lists.takeover import MIN_STEP, STEP
from app.runtime import Runtime
from app.settings import Settings
from tests.support.cli import ended, started
from tests.support.takeovers import line, ndjson, taken, told

LINES = 2 * STEP + STEP // 2
WITHIN = 60.0
TWO = ("--approved-by", "198001012005011001", "--second-approver", "197505052000031002")
COUNTED = (tables.entry, tables.version, tables.source, tables.name_form, tables.name_key_set)


async def counts(runtime: Runtime) -> list[int]:
    """How many records the ledger has, and how many rows each table that gets one of every line."""
    async with runtime.reading(SYSTEM) as reader:
        sizes = [
            (await reader.run(select(func.count()).select_from(table))).scalar_one() for table in COUNTED
        ]
        return [(await head(reader)).size, *sizes]


async def keys(runtime: Runtime) -> tuple[int, int]:
    """How many name keys the entries have, and how many of them have not been settled."""
    async with runtime.reading(SYSTEM) as reader:
        listed = (await reader.run(select(func.sum(func.length(tables.name_key_set.c.packed))))).scalar_one()
        settled, waiting = (
            (await reader.run(select(func.count()).select_from(tables.name_key))).scalar_one(),
            (await reader.run(select(func.count()).select_from(tables.recent_name_key))).scalar_one(),
        )
    assert settled + waiting == listed // 8
    return settled, waiting


async def test_an_import_that_is_killed_leaves_whole_lines_and_is_completed_by_the_same_file(
    runtime: Runtime, settings: Settings, tmp_path: Path
):
    plain = {"subject": {"photo": None}}
    path = ndjson(tmp_path, *(line(f"old-{number}", entry=plain) for number in range(LINES)))
    clock = tmp_path / "clock"
    clock.write_text("2026-11-23T10:00:00+07:00")
    given = {"database_url": settings.url, "env": "test", "test_clock": clock}
    importing = started("import", "entries", path, *TWO, "--legacy", cwd=tmp_path, **given)
    async with asyncio.timeout(WITHIN):
        while (await counts(runtime))[0] == 0:  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)
    importing.send_signal(signal.SIGKILL)
    assert ended(importing).code == -signal.SIGKILL
    done = await counts(runtime)
    assert done == [done[0]] * len(done)
    assert MIN_STEP <= done[0] < LINES
    await keys(runtime)
    report = await taken(runtime, path, legacy=True)
    assert report == told(added=LINES - done[0], unchanged=done[0])
    assert await counts(runtime) == [LINES] * len(done)
    settled, waiting = await keys(runtime)
    assert (settled > LINES, waiting) == (True, 0)
