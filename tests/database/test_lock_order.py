"""Transactions that lock the same rows take them in one order, so that none waits for another for ever (PostgreSQL)."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from sqlalchemy import text, update

from app.access.domain import SYSTEM
from app.alerting.notices import rounds
from app.border.hits import store as hits
from app.border.hits.creation import create_hits
from app.border.hits.service import erase_hits
from app.border.manifests import store as manifests
from app.border.manifests.tables import manifest
from app.register.entries import store as entries
from app.register.entries.events import EntryErased
from app.runtime import Runtime
from app.worker import Worker
from tests.api.register.test_seals import OFFICER
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    deterrence_body,
    entry_body,
    extension_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, say
from tests.support.interleaving import act_after
from tests.support.manifests import manifest_body, passenger, read, send, statuses, stranger
from tests.support.steps import expect, file_amendment, impose, settle, sound

pytestmark = pytest.mark.parametrize("engine_url", ["postgresql"], indirect=True)

BLOCKED_SECONDS = 0.3
"""Long enough for a transaction to take its locks up to the one that another holds."""


class Meanwhile:
    """A transaction that begins at the first statement with these words of another, and waits for its locks."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, words: str, act: Callable[[], Awaitable[Any]]
    ) -> None:
        self._act = act
        self._task: asyncio.Future[Any] | None = None
        act_after(monkeypatch, words, self._begin)

    async def _begin(self) -> None:
        self._task = asyncio.ensure_future(self._act())
        await asyncio.wait([self._task], timeout=BLOCKED_SECONDS)

    async def result(self) -> Any:
        """Return its result; raise its error, such as that of a deadlock."""
        assert self._task is not None, "the other transaction has no such statement"
        return await self._task


async def test_a_hit_is_resolved_while_its_entry_is_erased(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = entry_body()
    entry, supervisor = await impose(http, actors, body), await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, check_body(body["subject"])))

    async def erase() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await erase_hits(unit, EntryErased(await entries.lock(unit, entry["id"])))

    erasure = Meanwhile(monkeypatch, "FOR NO KEY UPDATE", erase)
    expect(await say(http, supervisor, hit, "not_same_person"), 201)
    await erasure.result()


async def test_a_hit_is_created_while_its_entries_are_locked(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    processes: list[Runtime],
    counter: Caller,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    subject = entry_body()["subject"]
    another = merged(subject, {"documents": [{**subject["documents"][0], "number": "B7654321"}]})
    first = await impose(http, actors, entry_body(subject=another))
    clock.advance(seconds=1)  # ids are in the order of the clock
    second = await impose(http, actors, entry_body(subject=subject))
    answer = await ask(http, counter, check_body(subject))
    assert [each["entry_id"] for each in answer["matches"]] == [second["id"], first["id"]], (
        "the gravest first"
    )
    creation = Meanwhile(monkeypatch, "FOR NO KEY UPDATE", lambda: create_hits(processes[0]))
    async with runtime.writing(SYSTEM) as unit:
        await entries.lock(unit, first["id"])
        await entries.lock(unit, second["id"])
    assert await creation.result() == 1


async def test_a_hit_on_two_manifests_is_resolved_while_one_of_them_is_checked_again(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    body, later = deterrence_body(), deterrence_body()
    await impose(http, actors, body)
    banned = passenger(body["subject"], "a")
    alone = await send(http, carrier, manifest_body(banned))
    clock.advance(seconds=1)  # ids are in the order of the clock
    together = await send(http, carrier, manifest_body(banned, passenger(later["subject"], "b")))
    (hit,) = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    await impose(http, actors, later)
    resolution = Meanwhile(
        monkeypatch, "manifest.id FOR NO KEY UPDATE", lambda: say(http, supervisor, hit, "confirmed", "allow")
    )
    assert await worker.watch_manifests() == 1
    expect(await resolution.result(), 201)
    assert statuses(await read(http, carrier, alone)) == ["board"]
    assert statuses(await read(http, carrier, together)) == ["board", "do_not_board"]


async def test_manifests_are_closed_while_others_lock_them(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    worker: Worker,
    carrier: Caller,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = await send(http, carrier, manifest_body(stranger()))
    clock.advance(seconds=1)  # ids are in the order of the clock
    second = await send(http, carrier, manifest_body(stranger()))
    async with runtime.writing(
        SYSTEM
    ) as unit:  # from now on a scan of the table meets the second before the first
        await unit.run(update(manifest).where(manifest.c.id == first["id"]).values(number=1))
        await unit.run(text("ANALYZE manifest"))
    clock.advance(days=2)
    closing = Meanwhile(monkeypatch, "manifest.id FOR NO KEY UPDATE", worker.watch_manifests)
    async with runtime.writing(SYSTEM) as unit:
        for each in (first, second):
            await manifests.lock(unit, [each["id"]])
    await closing.result()
    assert (await read(http, carrier, second))["closed_at"] is not None


async def test_an_extension_is_refused_while_another_entry_ends(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    extended = await impose(http, actors, entry_body())
    await impose(http, actors, entry_body(ends_on="2026-11-23"))
    body = extension_body(extended, "2027-11-23")
    extension = expect(await file_amendment(http, await actors.client("submitter"), extended, body), 201)
    extension = await settle(http, await actors.client("verifier"), extension, "verify")
    clock.advance(days=1)
    approver = await actors.client("approver")
    end = Meanwhile(monkeypatch, "UPDATE ledger_head", worker.end_by_law)
    await settle(http, approver, extension, "reject", "Unsigned.")
    assert await end.result() == 1


async def test_two_entries_are_sealed_while_officers_are_notified_of_the_alert_of_the_second(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submitter = await actors.client("submitter")
    await sound(http, submitter, urgent_body(subject={"full_name": OFFICER}))
    clock.advance(seconds=1)  # ids are in the order of the clock
    second = await sound(http, submitter, urgent_body(subject={"full_name": OFFICER}))
    clock.advance(minutes=2)

    async def notify() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await rounds._notify_unacknowledged(unit, second["alert"]["id"], frozenset())

    notices = Meanwhile(monkeypatch, "INSERT INTO notice ", notify)
    await actors.client("verifier", name=OFFICER)
    await notices.result()


async def test_an_urgent_entry_is_ended_while_officers_are_notified_of_its_alert(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    submitter = await actors.client("submitter")
    urgent = (await sound(http, submitter))["entry"]
    clock.advance(minutes=2)
    revocation = expect(await file_amendment(http, submitter, urgent, revocation_body(urgent)), 201)
    revocation = await settle(http, await actors.client("verifier"), revocation, "verify")
    approver = await actors.client("approver")
    notices = Meanwhile(monkeypatch, "UPDATE entry SET", worker.notify_unacknowledged_alerts)
    await settle(http, approver, revocation, "approve")
    assert await notices.result() == 1


async def test_a_hit_is_confirmed_while_another_supervisor_locks_its_entries(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    counter: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = entry_body()
    entry, supervisor = await impose(http, actors, body), await actors.client("supervisor")
    hit = await hit_of(http, supervisor, await ask(http, counter, check_body(body["subject"])))

    async def lock() -> None:
        async with runtime.writing(SYSTEM) as unit:
            await entries.lock(unit, entry["id"])
            await hits.lock(unit, hit["id"])

    other = Meanwhile(monkeypatch, "UPDATE hit SET", lock)
    expect(await say(http, supervisor, hit, "confirmed", "hold"), 201)
    await other.result()
