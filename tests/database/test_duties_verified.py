"""`cekal verify` and recorded duties: a changed column of one is named, and so is one that nobody recorded."""

import httpx2
import pytest
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.maintenance.verification.service import Verified, verify
from app.runtime import Runtime
from tests.support.actors import Actors
from tests.support.backups import in_silence
from tests.support.steps import expect, impose

DONE = {
    "name": "deliver_to_person",
    "done_at": "2026-11-23T02:00:00Z",
    "reference": "Tanda terima 17",
    "note": "Di rumah.",
}


@pytest.fixture
async def recorded(http: httpx2.AsyncClient, actors: Actors) -> None:
    """A register with a duty that an officer recorded."""
    entry, owner = await impose(http, actors), await actors.client("submitter")
    expect(await http.post(f"/v1/entries/{entry['id']}/duties", json=DONE, headers=owner.headers), 201)


async def verified(runtime: Runtime, *statements: str) -> Verified:
    async with runtime.writing(SYSTEM) as unit:
        for statement in statements:
            await unit.run(text(statement.replace(":", "\\:")))
    return await verify(runtime, in_silence)


async def test_a_duty_that_nobody_changed_holds(recorded: None, runtime: Runtime) -> None:
    found = await verified(runtime)
    assert (found.differences, found.duties) == ([], 1)


@pytest.mark.parametrize("known", ["its name", "less"])
async def test_an_act_of_an_earlier_release_names_the_duty_alone(
    recorded: None, runtime: Runtime, known: str
) -> None:
    name = "deliver_to_person" if known == "its name" else "another"
    act = f"UPDATE audit SET detail = '{{\"name\":\"{name}\"}}' WHERE act = 'duty.recorded'"
    found = await verified(runtime, act, "UPDATE entry_duty SET done_at = recorded_at")
    assert found.holds == (known == "its name")


async def test_a_duty_without_its_proof_holds(recorded: None, runtime: Runtime) -> None:
    found = await verified(runtime, "UPDATE entry_duty SET reference = NULL, note = NULL")
    assert found.holds


async def test_an_open_duty_that_is_hidden_is_named(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    await impose(http, actors)
    found = await verified(runtime, "UPDATE entry SET deliver_from = NULL")
    assert [each.what for each in found.differences] == ["the column deliver_from differs from the document"]


CHANGES = {
    "its name": "UPDATE entry_duty SET name = 'notify_family'",
    "its version": "UPDATE entry_duty SET version = version + 1",
    "when it was done": "UPDATE entry_duty SET done_at = recorded_at",
    "who": "UPDATE entry_duty SET by = 'cli_other'",
    "the person": "UPDATE entry_duty SET person = '42'",
    "when it was recorded": "UPDATE entry_duty SET recorded_at = done_at",
    "its act": "DELETE FROM audit WHERE act = 'duty.recorded'",
    "its act's detail": "UPDATE audit SET detail = 'x' WHERE act = 'duty.recorded'",
    "another duty": (
        "INSERT INTO entry_duty SELECT entry_id, 'notify_family', version, done_at, reference, note, by, person,"
        " recorded_at FROM entry_duty"
    ),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_duty_is_named(recorded: None, runtime: Runtime, what: str) -> None:
    found = await verified(runtime, CHANGES[what])
    assert any(each.where.startswith("entry_duty ent_") for each in found.differences), found.differences
