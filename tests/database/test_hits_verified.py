"""A verification names what was changed in hits, and hits that are gone."""

import httpx2
import pytest
from sqlalchemy import text

from app.access.domain import SYSTEM
from app.maintenance.verification.service import Verified, verify
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.backups import in_silence
from tests.support.bodies import check_body, entry_body
from tests.support.crossings import ask, hit_of, say
from tests.support.steps import impose


@pytest.fixture
async def resolved(http: httpx2.AsyncClient, actors: Actors, counter: Caller, worker: Worker) -> None:
    """A register with two hits of one entry; one is resolved, after a supervisor was unsure."""
    supervisor = await actors.client("supervisor")
    body = entry_body()
    await impose(http, actors, body)
    first = await ask(http, counter, check_body(body["subject"]))
    await ask(http, counter, check_body(body["subject"], document={"number": "A0000001"}))
    await worker.create_hits()
    for outcome, action in (("unsure", None), ("confirmed", "hold")):
        hit = await hit_of(http, supervisor, first)
        assert (await say(http, supervisor, hit, outcome, action)).status_code == 201


async def verified(runtime: Runtime) -> Verified:
    return await verify(runtime, in_silence)


async def test_hits_that_nobody_changed_hold(resolved: None, runtime: Runtime) -> None:
    found = await verified(runtime)
    assert (found.differences, found.hits) == ([], 2)


CHANGES = {
    "a resolution": "UPDATE hit SET document = replace(document, '\"confirmed\"', '\"not_same_person\"')",
    "its action": "UPDATE hit SET document = replace(document, '\"hold\"', '\"allow\"')",
    "its check": 'UPDATE hit SET document = replace(document, \'"check_id":"chk_0\', \'"check_id":"chk_1\')',
    "its place": "UPDATE hit SET document = replace(document, '\"CGK\"', '\"DPS\"'), checkpoint = 'DPS'",
    "a column": "UPDATE hit SET state = 'open'",
    "its entry": 'UPDATE hit SET document = replace(document, \'"entry_id":"ent_0\', \'"entry_id":"ent_1\')',
    "a document that is none": "UPDATE hit SET document = 'x'",
    "an act that can't be read": "UPDATE audit SET detail = 'x' WHERE act = 'hit.resolved'",
    "the check's matches": "UPDATE check_record SET matches = 'x'",
    "an act": "DELETE FROM audit WHERE act = 'hit.resolved'",
    "an act's outcome": "UPDATE audit SET detail = replace(detail, 'unsure', 'confirmed') WHERE act = 'hit.resolved'",
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_hit_is_named(resolved: None, runtime: Runtime, what: str) -> None:
    writing = runtime.writing_checks if "check_record" in CHANGES[what] else runtime.writing
    async with writing(SYSTEM) as unit:
        await unit.run(text(CHANGES[what].replace(":", "\\:")))
    assert any(each.where.startswith("hit ") for each in (await verified(runtime)).differences)


async def test_a_hit_that_is_gone_is_named(resolved: None, runtime: Runtime) -> None:
    async with runtime.writing(SYSTEM) as unit:
        await unit.run(text("DELETE FROM hit_match"))
        await unit.run(text("DELETE FROM hit"))
    differences = (await verified(runtime)).differences
    assert ["it is gone" in each.what for each in differences] == [True, True]
