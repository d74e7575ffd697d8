"""Lanes: how many hold a place in each, and how many wait for one."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.db.lanes import Lane, Lanes, using
from app.db.sqlite import SQLite


def busy(lanes: Lanes | SQLite) -> dict[Lane, tuple[int, int]]:
    """The lanes in which somebody holds a place or waits for one."""
    return {lane: (held, waiting) for lane, held, waiting in lanes.in_use() if held or waiting}


async def hold(lanes: Lanes, lane: Lane, until: asyncio.Event) -> None:
    with using(lane):
        async with lanes.place(writes=False):
            await until.wait()


async def test_places_that_are_held_and_waited_for_are_counted_by_lane() -> None:
    lanes, done = Lanes(10, 5), asyncio.Event()
    assert {lane for lane, _, _ in lanes.in_use()} == set(Lane)
    tasks = [asyncio.create_task(hold(lanes, Lane.URGENT, done)) for _ in range(6)]
    tasks.append(asyncio.create_task(hold(lanes, Lane.CHECKS, done)))
    await asyncio.sleep(0.01)
    assert busy(lanes) == {Lane.URGENT: (4, 2), Lane.CHECKS: (1, 0)}
    tasks[5].cancel()  # a caller that waits, and leaves
    await asyncio.sleep(0.01)
    assert busy(lanes) == {Lane.URGENT: (4, 1), Lane.CHECKS: (1, 0)}
    done.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert busy(lanes) == {}


async def test_who_waits_in_vain_is_no_longer_counted() -> None:
    lanes, done = Lanes(10, 0.01), asyncio.Event()
    tasks = [asyncio.create_task(hold(lanes, Lane.URGENT, done)) for _ in range(4)]
    await asyncio.sleep(0)
    with pytest.raises(PoolTimeout):
        await hold(lanes, Lane.URGENT, done)
    assert busy(lanes) == {Lane.URGENT: (4, 0)}
    done.set()
    await asyncio.gather(*tasks)


async def test_writers_of_a_file_are_counted(tmp_path: Path) -> None:
    database, done = SQLite(make_url(f"sqlite+pysqlite:///{tmp_path / 'some.db'}")), asyncio.Event()

    async def write() -> None:
        async with database.writing():
            await done.wait()

    tasks = [asyncio.create_task(write()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert busy(database) == {Lane.WRITES: (1, 2)}
    tasks[2].cancel()
    await asyncio.sleep(0.01)
    assert busy(database) == {Lane.WRITES: (1, 1)}
    done.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert busy(database) == {}
    await database.dispose()
