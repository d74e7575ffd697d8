"""A seal that comes while an act waits for its lock: the act is judged by what its officer may see afterwards (R61)."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.border.hits import store as hits
from app.register.entries import store
from app.register.entries.seals import bar
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import entry_body, revocation_body
from tests.support.crossings import hit_of, say
from tests.support.interleaving import waits_for_lock
from tests.support.offices import Offices
from tests.support.refusals import refused
from tests.support.steps import Json, etag
from tests.support.waiting import until_answered

pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

Act = Callable[[], Awaitable[httpx2.Response]]
Setting = Callable[[Offices], Awaitable[tuple[Json, Caller, Act]]]
"""Sets a case up: an entry, an officer, and an act of this officer about it."""


async def _of_a_decision(kpk: Offices) -> tuple[Json, Caller, Act]:
    entry = await kpk.submit(entry_body())
    return entry, kpk.verifier, lambda: kpk.try_decide(entry, "verify")


async def _of_a_resubmission(kpk: Offices) -> tuple[Json, Caller, Act]:
    colleague, body = await kpk.actors.client("submitter"), entry_body()
    entry = await kpk.decide(await kpk.submit(body), "return", kpk.verifier, "Unsigned.")
    path, headers = f"/v1/entries/{entry['id']}", colleague.on(etag(entry))
    return entry, colleague, lambda: kpk.http.put(path, json=body, headers=headers)


async def _of_an_amendment(kpk: Offices) -> tuple[Json, Caller, Act]:
    colleague, entry = await kpk.actors.client("submitter"), await kpk.impose(entry_body())
    return entry, colleague, lambda: kpk.try_file(entry, revocation_body(entry), colleague)


async def _of_a_decision_on_an_amendment(kpk: Offices) -> tuple[Json, Caller, Act]:
    entry = await kpk.impose(entry_body())
    amendment = await kpk.file(entry, revocation_body(entry))
    return entry, kpk.verifier, lambda: kpk.try_decide(amendment, "verify", stale=True)


async def _of_a_correction_request(kpk: Offices) -> tuple[Json, Caller, Act]:
    colleague, entry = await kpk.actors.client("submitter"), await kpk.impose(entry_body())
    requester = {"name": "Ratna Wulandari", "contact": "ratna@example.id"}
    body = {
        "entry_id": entry["id"],
        "kind": "wrong_person",
        "statement": "Bukan dia.",
        "requester": requester,
    }
    return (
        entry,
        colleague,
        lambda: kpk.http.post("/v1/correction-requests", json=body, headers=colleague.headers),
    )


RACES: dict[str, Setting] = {
    "a decision": _of_a_decision,
    "a resubmission": _of_a_resubmission,
    "an amendment": _of_an_amendment,
    "a decision on an amendment": _of_a_decision_on_an_amendment,
    "a correction request": _of_a_correction_request,
}


@pytest.mark.parametrize("against", RACES)
async def test_an_act_that_waited_for_the_seal_of_its_entry_finds_no_entry(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, against: str
) -> None:
    entry, officer, act = await RACES[against](await Offices.opened(http, actors))
    async with runtime.writing(SYSTEM) as unit:
        await bar(unit, await store.lock(unit, entry["id"]), {str(officer.person)})
        waiting = asyncio.ensure_future(act())
        await until_answered(partial(waits_for_lock, runtime))
    refused(await waiting, 404, "not-found")


async def test_a_resolution_that_waited_while_its_supervisor_was_barred_finds_no_hit(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    kpk = await Offices.opened(http, actors)
    supervisor, entry = await actors.client("supervisor"), await kpk.impose(entry_body())
    hit = await hit_of(http, supervisor, await kpk.ask(entry["subject"]))
    async with runtime.writing(SYSTEM) as unit:
        await hits.lock(unit, hit["id"])
        await bar(unit, await store.lock(unit, entry["id"]), {str(supervisor.person)})
        waiting = asyncio.ensure_future(say(http, supervisor, hit, "confirmed", "hold"))
        await until_answered(partial(waits_for_lock, runtime))
    refused(await waiting, 404, "not-found")
