"""kill -9 under load: whatever was answered is found after the restart (delivery.md calls it the promise)."""

import asyncio
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.settings import Settings
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body
from tests.support.processes import Process, process
from tests.support.steps import Json, expect

URGENT_WRITERS = 4
CHECKERS = 8
ENOUGH_ENTRIES = 20
ENOUGH_CHECKS = 60


class Load:
    """Officers and counters at work until the service is gone; remembers every answer that came."""

    def __init__(self, service: Process, submitter: Caller, counter: Caller) -> None:
        self._service, self._submitter, self._counter = service, submitter, counter
        self.entries: dict[str, Json] = {}
        self.checks: dict[str, Json] = {}
        self.enough = asyncio.Event()

    async def run(self) -> None:
        """Work until the service is gone."""
        async with asyncio.TaskGroup() as group:
            for writer in range(URGENT_WRITERS):
                group.create_task(self._until_gone(self._make_entries(writer)))
            for _ in range(CHECKERS):
                group.create_task(self._until_gone(self._ask()))

    async def _until_gone(self, work: Any) -> None:
        with pytest.raises(httpx2.TransportError):
            await work

    async def _make_entries(self, writer: int) -> None:
        while True:
            key = f"{writer}-{len(self.entries)}"
            body = urgent_body()
            answer = await self._service.http.post(
                "/v1/urgent-entries", json=body, headers=self._submitter.once(key)
            )
            self.entries[key] = {"body": body, "answer": expect(answer, 201)}
            self._look()

    async def _ask(self) -> None:
        while True:
            question = check_body(entry_body()["subject"])
            answer = await self._service.http.post("/v1/checks", json=question, headers=self._counter.headers)
            told = expect(answer, 200)
            self.checks[told["id"]] = told
            self._look()

    def _look(self) -> None:
        if len(self.entries) >= ENOUGH_ENTRIES and len(self.checks) >= ENOUGH_CHECKS:
            self.enough.set()


async def every_alert(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    """All alerts from the beginning."""
    told, cursor = list[Json](), None
    while True:
        asked = {"after": cursor} if cursor else {}
        page = expect(await http.get("/v1/alerts", params=asked, headers=by.headers), 200)
        told, cursor = told + page["items"], page["cursor"]
        if not page["more"]:
            return told


async def test_nothing_that_was_answered_is_lost(settings: Settings, actors: Actors, tmp_path: Path) -> None:
    submitter, counter = await actors.client("submitter"), await actors.client("checkpoint")
    async with process(settings, tmp_path, quota_urgent_entries="10000") as service:
        load = Load(service, submitter, counter)
        working = asyncio.create_task(load.run())
        await asyncio.wait(
            {working, enough := asyncio.create_task(load.enough.wait())}, return_when="FIRST_COMPLETED"
        )
        assert enough.done(), working.exception()
        service.kill()
        await working
    async with process(settings, tmp_path) as service:
        alerts = await every_alert(service.http, counter)
        sequences = {alert["id"]: alert["sequence"] for alert in alerts}
        for made in load.entries.values():
            told = made["answer"]
            assert sequences[told["alert"]["id"]] == told["alert"]["sequence"]
        known = {alert["entry"]["id"] for alert in alerts}
        assert {made["answer"]["entry"]["id"] for made in load.entries.values()} <= known
        for answer in load.checks.values():
            read = await service.http.get(f"/v1/checks/{answer['id']}", headers=counter.headers)
            assert expect(read, 200) == answer
        auditor = await actors.client("auditor")
        feed = await service.http.get("/v1/changes", params={"limit": 500}, headers=auditor.headers)
        numbers = [record["sequence"] for record in expect(feed, 200)["items"]]
        assert numbers == list(range(1, len(numbers) + 1))
        for key, made in list(load.entries.items())[-3:]:
            again = await service.http.post(
                "/v1/urgent-entries", json=made["body"], headers=submitter.once(key)
            )
            assert again.headers["idempotency-replayed"] == "true"
            assert expect(again, 201) == made["answer"]
        assert expect(await service.http.get("/readyz"), 200)["checks"]["ledger"] == "ok"
