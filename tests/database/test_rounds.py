"""A round of the worker's loops is run once at a time, and its error is its own."""

import asyncio

import pytest

from app.db.rounds import Rounds
from app.errors import RolledBack
from app.runtime import Runtime

LOCK = 4711


async def test_a_round_that_fails_raises_its_own_error(runtime: Runtime):
    cause = KeyError("the cause")

    async def fail() -> None:
        raise RolledBack("its own") from cause

    with pytest.raises(RolledBack, match="its own") as raised:
        await Rounds(runtime.register, 1, 1.0).run(fail, LOCK)
    assert raised.value.__cause__ is cause


async def test_a_round_that_is_running_is_not_run_beside_itself(runtime: Runtime):
    if runtime.register.is_sqlite:
        pytest.skip("one process runs the loops")
    rounds, ran = Rounds(runtime.register, 2, 1.0), 0
    begun, done = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        nonlocal ran
        ran += 1
        begun.set()
        await done.wait()

    first = asyncio.create_task(rounds.run(act, LOCK))
    await begun.wait()
    await rounds.run(act, LOCK)
    done.set()
    await first
    assert ran == 1
