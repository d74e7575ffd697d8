"""`cekal verify` and clearances: a row by which a check would let somebody pass is held against the ledger."""

import httpx2
import pytest
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.maintenance.verification.service import Verified, verify
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.backups import in_silence
from tests.support.bodies import merged
from tests.support.crossings import cleared, judge, namesakes
from tests.support.steps import expect, impose


@pytest.fixture
async def bearers(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    """A register with a clearance that was withdrawn, and one in force."""
    body, question = namesakes()
    await impose(http, actors, body)
    other = merged(question, {"document": {"number": "B7654322"}})
    withdrawn = await cleared(http, actors, counter, other)
    officer = await actors.client("duty_officer")
    expect(await judge(http, officer, withdrawn, "withdraw", "Keliru."), 201)
    await cleared(http, actors, counter, question)


async def verified(runtime: Runtime, *statements: str) -> Verified:
    async with runtime.writing(SYSTEM) as unit:
        for statement in statements:
            await unit.run(text(statement.replace(":", "\\:")))
    return await verify(runtime, in_silence)


async def test_clearances_that_nobody_changed_hold(bearers: None, runtime: Runtime) -> None:
    found = await verified(runtime)
    assert (found.differences, found.clearances) == ([], 2)


STANDING = " WHERE state = 'standing'"
CHANGES = {
    "its end": (
        "UPDATE clearance SET state = 'standing', document = replace(document, '\"ended\"', '\"standing\"')"
        " WHERE state = 'ended'"
    ),
    "its force": (
        "UPDATE clearance SET state = 'rejected', document = replace(document, '\"standing\"', '\"rejected\"')"
        + STANDING
    ),
    "its bearer's document": (
        "UPDATE clearance SET number = 'B9999999', document = replace(document, 'B7654321', 'B9999999')"
        + STANDING
    ),
    "its bearer's birth": f"UPDATE clearance SET document = replace(document, '1985-09-14', '1985-09-15'){STANDING}",
    "its entry's version": (
        "UPDATE clearance SET entry_version = 9,"
        " document = replace(document, '\"entry_version\":' || entry_version, '\"entry_version\":9')"
        + STANDING
    ),
    "its hit": f"UPDATE clearance SET document = replace(document, '\"hit_', '\"hit_x'){STANDING}",
    "a column": f"UPDATE clearance SET number = 'B9999999'{STANDING}",
    "its document": f"UPDATE clearance SET document = 'x'{STANDING}",
    "its id": f"UPDATE clearance SET id = 'clr_0', document = replace(document, id, 'clr_0'){STANDING}",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_clearance_is_named(bearers: None, runtime: Runtime, what: str) -> None:
    found = await verified(runtime, CHANGES[what])
    assert [each.where[:13] for each in found.differences] == ["clearance clr"], found.differences
