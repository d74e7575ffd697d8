import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from tests.support.lifespan import NeverStarted, started


async def test_the_application_lives_in_one_task_for_the_blocks_length():
    tasks = []

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks.append(asyncio.current_task())
        async with asyncio.TaskGroup():
            yield
        tasks.append(asyncio.current_task())

    async with started(Starlette(lifespan=lifespan)):
        assert len(tasks) == 1
    assert tasks[0] is tasks[1]
    assert tasks[0] is not asyncio.current_task()


async def test_what_the_application_raises_when_starting_is_raised():
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        raise LookupError("no database")
        yield

    with pytest.raises(LookupError, match="no database"):
        async with started(Starlette(lifespan=lifespan)):
            pytest.fail("it never started")


async def test_an_application_that_only_says_that_it_failed_is_told():
    async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    with pytest.raises(NeverStarted, match=r"lifespan\.startup\.complete"):
        async with started(refuse):
            pytest.fail("it never started")
