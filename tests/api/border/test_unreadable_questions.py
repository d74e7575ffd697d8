"""A stored question of an earlier release, with other rules, that can't be read any more stops nothing."""

import httpx2
import pytest
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.border.checks.tables import check
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, urgent_deterrence_body
from tests.support.crossings import ask, hit_of, say
from tests.support.manifests import (
    EDIFACT,
    PATH,
    listed,
    manifest_body,
    passenger,
    paxlst,
    read,
    send,
    statuses,
)
from tests.support.steps import expect, impose, sound

UNREADABLE = '{"direction": "entry", "mrz": "P<NZL, as no zone is written any more"}'


async def spoil(runtime: Runtime, like: str) -> None:
    """Put a question that can't be read in place of those that contain a text."""
    async with runtime.writing_checks(SYSTEM) as unit:
        spoilt = update(check).where(check.c.question.like(f"%{like}%")).values(question=UNREADABLE)
        assert (await unit.run(spoilt)).rowcount == 1


async def test_its_check_and_its_hit_are_read_and_resolved_as_if_it_were_erased(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    answer = await ask(http, counter, check_body(body["subject"]))
    await spoil(runtime, body["subject"]["documents"][0]["number"])
    again = expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200)
    assert (again["outcome"], again["matches"]) == (answer["outcome"], answer["matches"])
    supervisor = await actors.client("supervisor")
    hit = await hit_of(http, supervisor, answer)
    assert (hit["asked"], hit["check"]["matches"]) == (None, answer["matches"])
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    (proposed,) = resolved["resolutions"][-1]["clearances"]
    assert (proposed["clearance_id"], proposed["obstacle"]) == (None, "question_erased")


async def test_the_other_passengers_are_watched(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, runtime: Runtime
) -> None:
    one, other = urgent_deterrence_body(), urgent_deterrence_body()
    people = [passenger(body["subject"]) for body in (one, other)]
    manifest = await send(http, carrier, manifest_body(*people))
    assert statuses(manifest) == ["board", "board"]
    await spoil(runtime, one["subject"]["documents"][0]["number"])
    submitter = await actors.client("submitter", agency="IMIGRASI")
    for body in (one, other):
        await sound(http, submitter, body)
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["board", "contact"]
    assert await worker.watch_manifests() == 0


@pytest.mark.parametrize("erased", [False, True])
async def test_the_answer_about_one_of_two_documents_is_kept_when_the_other_is_asked_about_again(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    runtime: Runtime,
    *,
    erased: bool,
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    number = body["subject"]["documents"][0]["number"]
    segments = listed(passenger(body["subject"])) + "DOC+P:110:111+LM7654321'\nLOC+91+NZL'\n"
    text = paxlst(passenger(body["subject"])).replace(listed(passenger(body["subject"])), segments)
    sent = await http.post(PATH, content=text, headers={**carrier.headers, **EDIFACT})
    manifest = expect(sent, 201)
    assert statuses(manifest) == ["do_not_board"]
    if erased:
        async with runtime.writing_checks(SYSTEM) as unit:
            gone = update(check).where(check.c.question.like(f"%{number}%")).values(question=None)
            assert (await unit.run(gone)).rowcount == 1
    else:
        await spoil(runtime, number)
    other = urgent_deterrence_body()
    paper = {**other["subject"]["documents"][0], "number": "LM7654321", "issuing_state": "NZL"}
    other["subject"] = {**other["subject"], "documents": [paper]}
    await sound(http, await actors.client("submitter", agency="IMIGRASI"), other)
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]
