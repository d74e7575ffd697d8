"""The worker verifies the whole register without end, slowly, and notifies admins of what differs."""

from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.maintenance.verification import continuous
from app.maintenance.verification.continuous import PASS, ContinuousVerification
from app.register.entries import verification as entries
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import urgent_body
from tests.support.clock import SettableClock
from tests.support.steps import expect


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(continuous, "_STEP_SHARE", float("inf"))
    monkeypatch.setattr(continuous, "PAGE", 5)


@pytest.fixture
async def filled(http: httpx2.AsyncClient, owner: Caller, worker: Worker, clock: SettableClock) -> None:
    """A register with three urgent entries, a signed head, and a sealed batch of the query log."""
    for number in range(3):
        made = await http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once(f"u{number}"))
        assert made.status_code == 201
    clock.advance(minutes=2)
    await worker.seal_queries()
    await worker.sign_head()


async def whole_pass(worker: Worker) -> int:
    """Step until a pass ends. Returns the number of steps."""
    steps = 1
    while not await worker.verify_register():
        steps += 1
        assert steps < 100, "no pass ends"
    return steps


async def notices(http: httpx2.AsyncClient, admin: Caller) -> list[str]:
    page = expect(await http.get("/v1/notices", headers=admin.headers), 200)
    return [each["name"] for each in page["items"]]


async def test_a_pass_is_many_steps_and_the_next_one_begins_a_day_later(
    filled: None, worker: Worker, clock: SettableClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        assert await whole_pass(worker) > 5
    [said] = [each for each in caplog.records if each.message == "the register was verified"]
    assert (said.holds, said.entries, said.records > 6) == (True, 3, True)  # type: ignore[attr-defined]
    clock.advance(hours=23)
    assert not any([await worker.verify_register() for _ in range(30)]), "a pass rests until a day has passed"
    clock.advance(hours=1)
    assert await whole_pass(worker) > 5


async def test_a_pass_in_which_the_register_was_restored_accuses_nobody(
    filled: None, http: httpx2.AsyncClient, actors: Actors, worker: Worker, runtime: Runtime
) -> None:
    admin = await actors.client("admin")
    assert not await worker.verify_register(), "the heads, up to the last record"
    async with runtime.writing(SYSTEM) as unit:  # a backup without the last record, the seal of a batch
        for statement in (
            "DELETE FROM ledger_record WHERE sequence = (SELECT size FROM ledger_head)",
            'DELETE FROM ledger_node WHERE ("index" + 1) * (1 << level) > (SELECT size - 1 FROM ledger_head)',
            "UPDATE ledger_head SET size = size - 1, epoch = 'restored'",
        ):
            await unit.run(text(statement))
    assert await whole_pass(worker) > 5, "it begins again"
    assert "register_differs" not in await notices(http, admin)


async def test_what_differs_is_logged_and_the_admins_are_notified_once_a_day(
    filled: None,
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    clock: SettableClock,
    runtime: Runtime,
    caplog: pytest.LogCaptureFixture,
) -> None:
    admin = await actors.client("admin")
    await whole_pass(worker)
    assert "register_differs" not in await notices(http, admin)
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("UPDATE entry SET ends_on = '2026-11-24'"))
        await unit.run(text("DELETE FROM audit WHERE act = 'key.issued'"))
    clock.advance(hours=24)
    await whole_pass(worker)
    where = [each.where for each in caplog.records if each.message == "the register differs"]  # type: ignore[attr-defined]
    assert {each[:5] for each in where} == {"entry", "act a"}
    assert (await notices(http, admin)).count("register_differs") == 1
    clock.advance(hours=24)
    await whole_pass(worker)
    assert (await notices(http, admin)).count("register_differs") == 2


async def test_heads_that_are_signed_during_a_pass_are_no_differences(
    filled: None,
    http: httpx2.AsyncClient,
    owner: Caller,
    actors: Actors,
    worker: Worker,
    caplog: pytest.LogCaptureFixture,
) -> None:
    admin = await actors.client("admin")
    assert not await worker.verify_register(), "the pass has read the first heads"
    made = await http.post("/v1/urgent-entries", json=urgent_body(), headers=owner.once("meanwhile"))
    expect(made, 201)
    assert await worker.sign_head()
    await whole_pass(worker)
    assert [each for each in caplog.records if each.message == "the register differs"] == []
    assert "register_differs" not in await notices(http, admin)


async def test_a_pass_that_fails_begins_anew(
    filled: None, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(entries.ledger, "list_of_entries", fail)
    with pytest.raises(ConnectionError):
        await whole_pass(worker)
    monkeypatch.undo()
    monkeypatch.setattr(continuous, "_STEP_SHARE", float("inf"))
    assert await whole_pass(worker) > 1


async def test_it_takes_a_small_share_of_the_time(
    filled: None, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(continuous, "_STEP_SHARE", 1e-9)
    verification = ContinuousVerification(runtime)
    assert PASS.total_seconds() == 86_400
    steps = []
    monkeypatch.setattr(verification, "_report", lambda: _note(steps))
    for _ in range(3):
        await verification.step()
    assert len(steps) == 1, "the second step is not due yet"


async def _note(steps: list[int]) -> None:
    steps.append(1)
