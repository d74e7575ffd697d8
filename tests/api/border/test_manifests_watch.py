"""Passengers are watched until departure: what changes in the register changes their answers, each by a new check."""

from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import func, select

from app.access.domain import SYSTEM
from app.border.checks.questions import Question
from app.border.checks.tables import check
from app.border.manifests import tables
from app.errors import NotStored
from app.runtime import Runtime
from app.worker import Worker
from tests.api.border.test_checks_refused import stored
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    Json,
    deterrence_body,
    entry_body,
    extension_body,
    urgent_body,
    urgent_deterrence_body,
)
from tests.support.clock import SettableClock
from tests.support.crossings import hit_of, judge, namesakes, say
from tests.support.manifests import PATH, changes, manifest_body, passenger, read, send, statuses, stranger
from tests.support.steps import amend, decide, expect, file_amendment, impose, settle, sound


async def counted(runtime: Runtime, table: Any) -> int:
    async with runtime.reading(SYSTEM) as reader:
        return int((await reader.run(select(func.count()).select_from(table))).scalar_one())


async def revocation(http: httpx2.AsyncClient, actors: Actors, entry: Json) -> None:
    body = {
        "kind": "revocation",
        "letter": {"number": "CABUT-1", "issued_on": "2026-11-23"},
        "revocation": {"refers_to_number": entry["basis"]["number"]},
    }
    await amend(http, actors, entry, body)


async def test_an_entry_and_its_countersignature_change_the_answers_of_whom_they_concern(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, runtime: Runtime
) -> None:
    body = urgent_deterrence_body()
    manifest = await send(http, carrier, manifest_body(stranger("a"), passenger(body["subject"], "b")))
    assert statuses(manifest) == ["board", "board"]
    submitter = await actors.client("submitter", agency="IMIGRASI")
    entry = (await sound(http, submitter, body))["entry"]
    assert await worker.watch_manifests() == 1
    now = await read(http, carrier, manifest)
    assert statuses(now) == ["board", "contact"]
    assert (changes(now), now["items"][0]) == (1, manifest["items"][0])
    await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["board", "do_not_board"]
    assert await stored(runtime) == 4  # each answer is a check of its own
    assert await worker.watch_manifests() == 0


async def test_a_passenger_is_found_by_name_and_birth_too(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller
) -> None:
    body = urgent_deterrence_body()
    unnumbered = passenger(body["subject"], document=...)
    namesake = passenger(body["subject"], document=..., person={"birth_date": "1921-01-31"})
    manifest = await send(http, carrier, manifest_body(unnumbered, namesake))
    await sound(http, await actors.client("submitter", agency="IMIGRASI"), body)
    assert await worker.watch_manifests() >= 1
    assert statuses(await read(http, carrier, manifest)) == ["contact", "board"]


async def test_a_revocation_lets_the_passenger_board(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    manifest = await send(http, carrier, manifest_body(passenger(body["subject"])))
    assert statuses(manifest) == ["do_not_board"]
    await revocation(http, actors, entry)
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, manifest)) == ["board"]


async def test_a_corrected_document_lets_go_whom_it_no_longer_names(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    paper = body["subject"]["documents"][0]
    only = {"reference": "1", "document": {name: paper[name] for name in ("number", "issuing_state")}}
    only["person"] = {"nationality": "NZL"}
    manifest = await send(http, carrier, manifest_body(only))
    assert statuses(manifest) == ["do_not_board"]
    subject = {**body["subject"], "documents": [{**paper, "number": "LX7654321"}]}
    await amend(
        http,
        actors,
        entry,
        {"kind": "correction", "correction": {"subject": subject, "basis": body["basis"]}},
    )
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, manifest)) == ["board"]


async def test_a_measure_that_begins_or_ends_by_itself_changes_the_answer(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, clock: SettableClock
) -> None:
    later, ending = (
        deterrence_body(starts_on="2026-11-25", ends_on="2036-11-25"),
        deterrence_body(ends_on="2026-11-24"),
    )
    await impose(http, actors, later)
    await impose(http, actors, ending)
    people = [passenger(body["subject"]) for body in (later, ending)]
    manifest = await send(http, carrier, manifest_body(*people, departs_at="2026-11-26T09:00:00+07:00"))
    assert statuses(manifest) == ["board", "do_not_board"]
    await worker.watch_manifests()
    clock.advance(days=2)
    await worker.end_by_law()
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board", "board"]
    assert await worker.watch_manifests() == 0


async def test_an_end_with_undecided_papers_changes_the_answer_though_no_record_tells_of_it(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, clock: SettableClock
) -> None:
    entry = await impose(http, actors, deterrence_body(ends_on="2026-11-28"))
    agency = {"agency": "IMIGRASI"}
    owner, verifier = await actors.client("submitter", **agency), await actors.client("verifier", **agency)
    filed = await file_amendment(http, owner, entry, extension_body(entry, "2036-11-28"))
    await settle(http, verifier, expect(filed, 201), "verify")
    person = passenger(entry["subject"])
    manifest = await send(http, carrier, manifest_body(person, departs_at="2026-12-10T09:00:00+07:00"))
    assert statuses(manifest) == ["do_not_board"]
    await worker.watch_manifests()
    clock.set("2026-11-29T00:00:00+07:00")
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["contact"]
    assert await worker.watch_manifests() == 0
    clock.set("2026-12-06T00:00:00+07:00")
    await worker.end_by_law()
    await worker.watch_manifests()
    assert statuses(await read(http, carrier, manifest)) == ["board"]


async def test_a_clearance_that_is_granted_and_ends_changes_the_answer(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, desk: Caller
) -> None:
    body, asked = namesakes()
    await impose(http, actors, body)
    del asked["direction"]
    manifest = await send(http, desk, manifest_body({"reference": "1", **asked}, direction="exit"))
    (item,) = manifest["items"]
    assert (item["outcome"], item["status"]) == ("refer", "board")
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    hit = await hit_of(http, supervisor, item)
    resolved = expect(await say(http, supervisor, hit, "not_same_person"), 201)
    proposed = resolved["resolutions"][-1]["clearances"][0]["clearance_id"]
    officer = await actors.client("duty_officer")
    clearance = expect(await http.get(f"/v1/clearances/{proposed}", headers=officer.headers), 200)
    standing = expect(await judge(http, officer, clearance), 201)
    await worker.watch_manifests()
    assert (await read(http, desk, manifest))["items"][0]["outcome"] == "clear"
    expect(await judge(http, officer, standing, "withdraw", "It was the same person after all."), 201)
    await worker.watch_manifests()
    assert (await read(http, desk, manifest))["items"][0]["outcome"] == "refer"


async def test_a_supervisors_word_is_what_the_carrier_is_told_and_it_holds_on(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    doubtful = passenger(body["subject"], person={"nationality": None})
    manifest = await send(http, carrier, manifest_body(doubtful))
    assert statuses(manifest) == ["contact"]
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    (hit,) = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    expect(await say(http, supervisor, hit, "not_same_person"), 201)
    now = await read(http, carrier, manifest)
    assert (statuses(now), changes(now)) == (["board"], 1)
    # Another entry about the same person's number asks anew: the first hit stays resolved.
    number = body["subject"]["documents"][0]["number"]
    other = deterrence_body()
    other["subject"]["documents"][0] |= {"number": number, "issuing_state": "GBR"}
    await impose(http, actors, other)
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["board"]
    hits = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    assert [each["id"] for each in hits] == [hit["id"]]


async def test_a_supervisor_who_knows_the_passenger_turns_a_call_into_a_refusal(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    manifest = await send(
        http, carrier, manifest_body(passenger(body["subject"], person={"nationality": None}))
    )
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    (hit,) = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    expect(await say(http, supervisor, hit, "confirmed", "refuse_entry"), 201)
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]


async def test_a_supervisors_word_on_a_prevention_shows_no_carrier_anything(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, desk: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    sent = manifest_body(passenger(body["subject"]), direction="exit")
    told, own = await send(http, carrier, sent), await send(http, desk, sent)
    supervisor = await actors.client("supervisor", checkpoint="DPS")
    for hit in expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]:
        expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)
    assert await read(http, carrier, told) == told
    assert (await read(http, desk, own))["items"][0]["action"] == "refuse_exit"


async def test_a_prevention_is_no_news_for_a_carrier_but_for_the_checkpoint(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, desk: Caller
) -> None:
    body = urgent_body()
    sent = manifest_body(passenger(body["subject"]), direction="exit")
    told, own = await send(http, carrier, sent), await send(http, desk, sent)
    await sound(http, await actors.client("submitter"), body)
    assert await worker.watch_manifests() == 2
    assert await read(http, carrier, told) == told
    now = await read(http, desk, own)
    assert (now["items"][0]["outcome"], now["items"][0]["action"]) == ("refer", "refer_to_supervisor")
    assert changes(now) == 1


async def test_what_changed_while_nothing_ran_is_asked_afterwards_and_once(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, carrier: Caller
) -> None:
    body = deterrence_body()
    manifest = await send(http, carrier, manifest_body(passenger(body["subject"])))
    await impose(http, actors, body)
    assert await Worker(runtime).watch_manifests() == 1  # as after a restart: nothing is remembered
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]
    assert await Worker(runtime).watch_manifests() == 0


async def test_a_round_that_fails_is_made_again(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    carrier: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    body = deterrence_body()
    manifest = await send(http, carrier, manifest_body(passenger(body["subject"])))
    await impose(http, actors, body)
    worker = Worker(runtime)

    async def broken(*_: Any) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("app.border.manifests.store.advance", broken)
        assert await worker.watch_manifests() == 0
    assert statuses(await read(http, carrier, manifest)) == ["board"]
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]


async def test_a_question_that_cannot_be_answered_holds_no_other_up(
    http: httpx2.AsyncClient,
    actors: Actors,
    runtime: Runtime,
    carrier: Caller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bodies = [deterrence_body(), deterrence_body()]
    manifests = [await send(http, carrier, manifest_body(passenger(body["subject"]))) for body in bodies]
    for body in bodies:
        await impose(http, actors, body)
    worker = Worker(runtime)
    ask, stuck = worker.manifests._ask, bodies[0]["subject"]["documents"][0]["number"]

    async def refuse(question: Question) -> bytes:
        if question.parsed.body.document.number == stuck:
            raise NotStored("This one can't be stored.")
        return await ask(question)

    with monkeypatch.context() as patched:
        patched.setattr(worker.manifests, "_ask", refuse)
        assert await worker.watch_manifests() == 1
    told = [statuses(await read(http, carrier, manifest)) for manifest in manifests]
    assert told == [["board"], ["do_not_board"]]
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifests[0])) == ["do_not_board"]


async def test_a_manifest_made_while_the_register_changes_keeps_its_own_place(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, runtime: Runtime
) -> None:
    """It was asked about before the change, and stored after the round that would have seen it."""
    body = deterrence_body()
    first = await send(http, carrier, manifest_body(stranger()))
    await impose(http, actors, body)
    await worker.watch_manifests()
    late = await send(http, carrier, manifest_body(passenger(body["subject"])))
    async with runtime.writing(SYSTEM) as unit:
        from sqlalchemy import update

        where = tables.manifest.c.id == late["id"]
        await unit.run(update(tables.manifest).where(where).values(sequence=0))
    assert await worker.watch_manifests() == 1
    assert first["id"] != late["id"]


async def test_a_departed_manifest_is_closed_and_no_longer_found_by_its_passengers(
    http: httpx2.AsyncClient,
    actors: Actors,
    worker: Worker,
    carrier: Caller,
    clock: SettableClock,
    runtime: Runtime,
) -> None:
    body = deterrence_body()
    manifest = await send(http, carrier, manifest_body(passenger(body["subject"])))
    assert await counted(runtime, tables.key) > 0
    clock.advance(days=1)
    await worker.watch_manifests()
    assert await counted(runtime, tables.key) == 0
    now = await read(http, carrier, manifest)
    assert now["closed_at"] is not None
    await impose(http, actors, deterrence_body(subject=body["subject"]))
    assert await worker.watch_manifests() == 0
    assert statuses(await read(http, carrier, manifest)) == ["board"]


async def test_a_departure_that_somebody_mistyped_is_not_watched_for_ever(
    http: httpx2.AsyncClient, carrier: Caller, clock: SettableClock
) -> None:
    manifest = await send(http, carrier, manifest_body(stranger(), departs_at="2036-11-24T09:05:00+07:00"))
    assert manifest["watched_until"] < (clock() + timedelta(days=31)).isoformat()


@pytest.mark.settings(question_days=3)
async def test_no_journey_is_watched_for_longer_than_its_questions_are_kept(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, clock: SettableClock
) -> None:
    body = deterrence_body()
    sent = manifest_body(passenger(body["subject"]), departs_at="2026-12-20T09:05:00+07:00")
    manifest = await send(http, carrier, sent)
    assert manifest["watched_until"] == "2026-11-26T02:00:00.000000Z"
    clock.advance(days=2, hours=22)
    await worker.tidy()
    await impose(http, actors, body)
    assert await worker.watch_manifests() == 1
    assert statuses(await read(http, carrier, manifest)) == ["do_not_board"]
    clock.advance(hours=1)
    await worker.watch_manifests()
    assert (await read(http, carrier, manifest))["closed_at"] == manifest["watched_until"]


async def test_old_manifests_are_forgotten_with_their_questions_but_not_their_checks(
    http: httpx2.AsyncClient, worker: Worker, carrier: Caller, clock: SettableClock, runtime: Runtime
) -> None:
    manifest = await send(http, carrier, manifest_body(stranger()))
    clock.advance(days=2)
    await worker.watch_manifests()
    await worker.tidy()
    await read(http, carrier, manifest)
    clock.advance(days=87, hours=23)
    await worker.tidy()
    await read(http, carrier, manifest)
    clock.advance(hours=2)
    await worker.tidy()
    expect(await http.get(f"{PATH}/{manifest['id']}", headers=carrier.headers), 404)
    assert await counted(runtime, tables.item) == 0
    async with runtime.reading_checks(SYSTEM) as reader:
        assert list((await reader.run(select(check.c.question))).scalars()) == [None]


async def test_the_mark_moves_without_a_round_of_questions(
    http: httpx2.AsyncClient, actors: Actors, worker: Worker, carrier: Caller, runtime: Runtime
) -> None:
    await send(http, carrier, manifest_body(stranger()))
    await impose(http, actors, entry_body())
    assert await worker.watch_manifests() == 0
    async with runtime.reading(SYSTEM) as reader:
        assert (await reader.run(select(tables.manifest.c.sequence))).scalar_one() > 0
