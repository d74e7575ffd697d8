"""Callers are taken from the cache only while nothing has changed; many that wait at once need one reading."""

import asyncio
from collections import Counter
from typing import Any

import httpx2
import pytest

from app.access import store
from app.access.admission.callers import Callers
from app.access.admission.gate import Gate
from app.access.domain import SYSTEM
from app.errors import Unauthenticated
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.clock import SettableClock


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the register was asked for its access version, and for a key."""
    counted: Counter[str] = Counter()

    def count(name: str) -> None:
        act = getattr(store, name)

        async def counting(*given: Any) -> Any:
            counted[name] += 1
            return await act(*given)

        monkeypatch.setattr(store, name, counting)

    count("version")
    count("find_key")
    return counted


@pytest.fixture
async def counter(actors: Actors) -> Caller:
    return await actors.client("checkpoint")


@pytest.fixture
async def callers(runtime: Runtime, counter: Caller) -> Callers:
    """A process's callers, of which one is cached."""
    gate = Gate(runtime.settings)
    async with runtime.reading(SYSTEM) as reader:
        gate.renew(await store.version(reader))
    made = Callers(runtime, gate)
    await made.find(header(counter), None)
    return made


def header(caller: Caller) -> str:
    return f"Bearer {caller.key}"


async def test_callers_that_wait_at_once_need_one_reading(
    callers: Callers, counter: Caller, asked: Counter[str]
) -> None:
    asked.clear()
    found = await asyncio.gather(*(callers.find(header(counter), None) for _ in range(20)))
    assert {each.client_id for each in found} == {counter.id}
    assert asked == {"version": 1}
    await callers.find(header(counter), None)
    assert asked == {"version": 2}, "a later caller needs a later reading"


async def test_a_key_that_was_revoked_elsewhere_is_refused_at_once(
    http: httpx2.AsyncClient, actors: Actors, callers: Callers, counter: Caller, asked: Counter[str]
) -> None:
    admin = await actors.client("admin")
    answer = await http.delete(f"/v1/clients/{counter.id}", headers=admin.headers)
    assert answer.status_code == 204
    asked.clear()
    with pytest.raises(Unauthenticated):
        await callers.find(header(counter), None)
    assert asked == {"version": 1, "find_key": 1}


async def test_a_cached_key_is_refused_once_it_has_expired(
    callers: Callers, counter: Caller, clock: SettableClock, runtime: Runtime
) -> None:
    clock.advance(days=runtime.settings.key_lifetime_days + 1)
    with pytest.raises(Unauthenticated):
        await callers.find(header(counter), None)


async def test_a_caller_that_leaves_takes_the_reading_from_no_other(
    callers: Callers, counter: Caller
) -> None:
    leaving = asyncio.create_task(callers.find(header(counter), None))
    staying = asyncio.create_task(callers.find(header(counter), None))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).client_id == counter.id
    assert leaving.cancelled()


async def test_a_key_that_is_not_cached_is_looked_up(
    actors: Actors, callers: Callers, asked: Counter[str]
) -> None:
    other = await actors.client("submitter")
    asked.clear()
    assert (await callers.find(header(other), None)).client_id == other.id
    assert asked == {"find_key": 1}
