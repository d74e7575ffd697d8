"""Papers that arrived in time and are undecided at the measure's end: refer, never refuse, for some days (R68)."""

from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.register.entries import store
from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    extension_body,
    formal_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.crossings import ask, hit_of, say
from tests.support.feeds import alerts, records
from tests.support.refusals import nothing_changed, refused
from tests.support.steps import (
    Json,
    amend,
    decide,
    expect,
    file_amendment,
    formalise,
    impose,
    settle,
    sound,
)
from tests.support.takeovers import line, ndjson, taken

LAST = "2026-12-12T23:59:59.999+07:00"
OVER = "2026-12-13T00:00:00+07:00"
LATER = "2026-12-14T09:00:00+07:00"
UNTIL = "2026-12-20T00:00:00+07:00"
PENDING_UNTIL = "2026-12-19T17:00:00.000000Z"


class Case:
    """An urgent entry of 23 November, until 12 December, and its formal entry that would begin the day after."""

    def __init__(
        self, http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock
    ) -> None:
        self.http, self.actors, self.worker, self.clock = http, actors, worker, clock
        self.urgent: Json = {}
        self.formal: Json = {}

    async def begin(self, *, countersigned: bool = True) -> None:
        self.owner, self.counter = (
            await self.actors.client("submitter"),
            await self.actors.client("checkpoint"),
        )
        self.verifier, self.approver = (
            await self.actors.client("verifier"),
            await self.actors.client("approver"),
        )
        self.urgent = (await sound(self.http, self.owner, urgent_body()))["entry"]
        if countersigned:
            await self.countersign()

    async def countersign(self) -> None:
        duty = await self.actors.client("duty_officer")
        self.urgent = await decide(self.http, duty, self.urgent, "countersign")

    async def file(self, **given: Any) -> None:
        body = formal_body(**{"starts_on": "2026-12-13", "ends_on": "2027-06-12", **given})
        self.formal = expect(await formalise(self.http, self.owner, self.urgent, body), 201)

    async def verify(self) -> None:
        self.formal = await decide(self.http, self.verifier, self.formal, "verify")

    async def decide(self, verdict: str, reason: str | None = None) -> None:
        self.formal = await decide(self.http, self.approver, self.formal, verdict, reason)

    async def read(self, which: Json | None = None) -> Json:
        path = f"/v1/entries/{(which or self.urgent)['id']}"
        return expect(await self.http.get(path, headers=self.owner.headers), 200)

    async def check(self) -> Json:
        return await ask(self.http, self.counter, check_body(self.urgent["subject"]))

    async def at(self, moment: str) -> tuple[str, str, str]:
        """What the check says at an instant, and the last alert once the worker has been at it."""
        self.clock.set(moment)
        before = await self.check()
        await self.worker.end_by_law()
        after = await self.check()
        assert before["action"] == after["action"], "a check needs no job"
        last = (await alerts(self.http, self.counter))[-1]
        agreed = "release" if after["action"] == "allow" else after["action"]
        assert last["action"] == agreed, "the last alert agrees with the check"
        return after["outcome"], last["kind"], last["action"]


@pytest.fixture
def case(http: httpx2.AsyncClient, actors: Actors, worker: Worker, clock: SettableClock) -> Case:
    return Case(http, actors, worker, clock)


async def told(http: httpx2.AsyncClient, by: Caller, name: str) -> list[Json]:
    items = expect(await http.get("/v1/notices", headers=by.headers), 200)["items"]
    return [each for each in items if each["name"] == name]


async def test_a_formal_entry_that_is_undecided_on_day_twenty_one_refers_and_refuses_once_approved(
    case: Case, http: httpx2.AsyncClient, actors: Actors
) -> None:
    await case.begin()
    await case.file()
    assert (await case.check())["outcome"] == "refuse"
    await case.verify()
    assert (await case.read())["version"] == case.urgent["version"], "what it says is the same"
    assert await case.at(LAST) == ("refuse", "update", "refuse_exit")
    assert await case.at(OVER) == ("refer", "update", "refer_to_supervisor")
    [match] = (await case.check())["matches"]
    assert (match["pending_until"], match["in_force_until"]) == (PENDING_UNTIL, "2026-12-12T16:59:59.000000Z")
    assert "decision_pending" in {reason["result"] for reason in match["reasons"]}
    read = await case.read()
    assert (read["state"], read["in_force"], read["ended_at"]) == ("provisional", False, None)
    assert read["pending_until"] == PENDING_UNTIL
    last = (await alerts(http, case.counter))[-1]
    assert (last["entry"]["pending_until"], last["expires_at"]) == (PENDING_UNTIL, PENDING_UNTIL)
    await case.worker.end_by_law()
    assert len(await alerts(http, case.counter)) == 3, "told once"
    case.clock.set(LATER)
    await case.decide("approve")
    assert await case.at(LATER) == ("refuse", "update", "refuse_exit")
    formal = await case.read(case.formal)
    assert (formal["state"], formal["in_force"], formal["ends_on"]) == ("active", True, "2027-06-12")
    urgent = await case.read()
    assert (urgent["ended_reason"], urgent["pending_until"]) == ("superseded", None)
    assert await told(http, case.approver, "pending_ended") == []


async def test_undecided_for_seven_days_it_has_lapsed_at_the_end_of_day_twenty(
    case: Case, http: httpx2.AsyncClient, actors: Actors, auditor: Caller
) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    assert await case.at("2026-12-19T23:59:59.999+07:00") == ("refer", "update", "refer_to_supervisor")
    assert await case.at(UNTIL) == ("clear", "cancel", "release")
    read = await case.read()
    assert (read["state"], read["ended_reason"], read["pending_until"]) == ("ended", "lapsed", None)
    assert read["ended_at"] == "2026-12-12T17:00:00.000000Z", "waiting prolonged nothing"
    last = (await records(http, auditor))[-1]
    assert (last["type"], last["effective_at"]) == ("alert.cancelled", "2026-12-12T17:00:00.000000Z")
    for by in (case.owner, case.approver):
        [ended] = await told(http, by, "pending_ended")
        assert (ended["entry_id"], ended["reason"]) == (case.urgent["id"], "lapsed")
        assert ended["effective_at"] == PENDING_UNTIL
        assert [each["entry_id"] for each in await told(http, by, "ended")] == [case.urgent["id"]]


@pytest.mark.parametrize("verdict", ["return", "reject"])
async def test_a_refusal_after_the_end_ends_it_at_once(
    case: Case, http: httpx2.AsyncClient, auditor: Caller, verdict: str
) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    assert await case.at(OVER) == ("refer", "update", "refer_to_supervisor")
    case.clock.set(LATER)
    await case.decide(verdict, "Unsigned.")
    assert (await alerts(http, case.counter))[-1]["action"] == "release", (
        "told in the decision's own transaction"
    )
    assert await case.at(LATER) == ("clear", "cancel", "release")
    mine = [each for each in await records(http, auditor) if each["entry_id"] == case.urgent["id"]]
    said = [
        (each["type"], each["leaf"]["pending_until"]) for each in mine if each["type"].startswith("entry.")
    ]
    assert said[-3:] == [
        ("entry.corrected", PENDING_UNTIL),
        ("entry.corrected", None),
        ("entry.ended", None),
    ]
    [ended] = await told(http, case.owner, "pending_ended")
    assert ended["effective_at"] == "2026-12-14T02:00:00.000000Z"


async def test_papers_that_are_verified_a_second_time_after_the_end_bring_nothing_back(case: Case) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    await case.at(OVER)
    await case.decide("return", "Unsigned.")
    body = {
        name: case.formal[name] for name in ("measure", "starts_on", "ends_on", "lifetime", "unknown")
    } | {
        "basis": {
            k: v for k, v in case.formal["basis"].items() if v is not None and k != "trafficking_victim"
        }
    }
    answer = await case.http.put(
        f"/v1/entries/{case.formal['id']}",
        json=entry_body(**body, subject=urgent_subject(case.formal)),
        headers=case.owner.on(f'"{case.formal["version"]}"'),
    )
    case.formal = expect(answer, 200)
    await case.verify()
    assert await case.at(LATER) == ("clear", "cancel", "release")
    assert (await case.read())["pending_until"] is None


def urgent_subject(entry: Json) -> Json:
    kept = (
        "full_name",
        "sex",
        "birth",
        "birth_place",
        "nationalities",
        "nik",
        "occupation",
        "address",
        "documents",
    )
    return {name: entry["subject"][name] for name in kept}


async def test_papers_that_come_again_before_the_end_are_waited_for(case: Case) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    await case.decide("reject", "Unsigned.")
    assert (await case.read())["pending_until"] is None
    await case.file()
    await case.verify()
    assert await case.at(OVER) == ("refer", "update", "refer_to_supervisor")


async def test_papers_that_nobody_has_verified_at_the_end_are_not_waited_for(case: Case) -> None:
    await case.begin()
    await case.file()
    assert await case.at(OVER) == ("clear", "cancel", "release")


async def test_a_formal_entry_that_leaves_a_day_out_is_not_waited_for(case: Case) -> None:
    await case.begin()
    await case.file(starts_on="2026-12-14", gap_acknowledged=True)
    await case.verify()
    assert (await case.read())["pending_until"] is None
    assert await case.at(OVER) == ("clear", "cancel", "release")


async def test_an_urgent_entry_that_nobody_countersigned_lapses_all_the_same(case: Case) -> None:
    await case.begin(countersigned=False)
    await case.file()
    await case.verify()
    assert (await case.read())["pending_until"] is None
    assert await case.at("2026-11-24T10:00:00+07:00") == ("clear", "cancel", "release")


async def test_countersigned_after_its_papers_were_verified_it_waits_for_them(case: Case) -> None:
    await case.begin(countersigned=False)
    await case.file()
    await case.verify()
    await case.countersign()
    assert (await case.read())["pending_until"] == PENDING_UNTIL
    assert await case.at(OVER) == ("refer", "update", "refer_to_supervisor")


@pytest.mark.settings(pending_days=0)
async def test_switched_off_the_end_is_for_good(case: Case) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    assert (await case.read())["pending_until"] is None
    assert await case.at(LAST) == ("refuse", "update", "refuse_exit")
    assert await case.at(OVER) == ("clear", "cancel", "release")


@pytest.mark.settings(pending_days=2)
async def test_the_days_are_a_setting(case: Case) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    assert await case.at("2026-12-14T23:59:59+07:00") == ("refer", "update", "refer_to_supervisor")
    assert await case.at("2026-12-15T00:00:00+07:00") == ("clear", "cancel", "release")


async def test_its_owner_may_end_it_while_it_waits(case: Case, http: httpx2.AsyncClient) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    await case.at(LATER)
    body = revocation_body(case.urgent, letter={"issued_on": "2026-12-14"})
    amendment = expect(await file_amendment(http, case.owner, await case.read(), body), 201)
    amendment = await settle(http, case.verifier, amendment, "verify")
    await settle(http, case.approver, amendment, "approve")
    assert await case.at(LATER) == ("clear", "cancel", "release")


async def test_a_hit_is_not_resolved_as_a_refusal_while_it_waits(
    case: Case, http: httpx2.AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    supervisor = await actors.client("supervisor")
    await case.begin()
    await case.file()
    await case.verify()
    case.clock.set(LAST)
    refusing = await hit_of(http, supervisor, await case.check())
    assert (refusing["outcome"], refusing["pending_until"]) == ("refuse", None)
    case.clock.set(OVER)
    hits = [refusing, await hit_of(http, supervisor, await case.check())]
    for hit in hits:
        async with nothing_changed(runtime):
            refused(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 409, "wrong-state")
    assert [hit["outcome"] for hit in hits] == ["refuse", "refer"]
    assert hits[1]["pending_until"] == hits[1]["check"]["matches"][0]["pending_until"] == PENDING_UNTIL
    listed = expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"]
    assert [hit["pending_until"] for hit in listed] == [PENDING_UNTIL, PENDING_UNTIL]
    held = expect(await say(http, supervisor, hits[1], "confirmed", "hold"), 201)
    assert held["pending_until"] == PENDING_UNTIL
    case.clock.set(LATER)
    await case.decide("approve")
    hit = await hit_of(http, supervisor, await case.check())
    assert hit["pending_until"] is None
    expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)


async def test_another_ban_that_is_in_force_may_refuse_meanwhile(
    case: Case, http: httpx2.AsyncClient, actors: Actors
) -> None:
    supervisor = await actors.client("supervisor")
    await case.begin()
    await case.file()
    await case.verify()
    other = merged(entry_body(), {"subject": urgent_subject(case.urgent)})
    await impose(http, actors, other)
    case.clock.set(OVER)
    answer = await case.check()
    assert (answer["outcome"], [match["pending_until"] for match in answer["matches"]]) == (
        "refuse",
        [None, PENDING_UNTIL],
    )
    hit = await hit_of(http, supervisor, answer)
    expect(await say(http, supervisor, hit, "confirmed", "refuse_exit"), 201)


async def test_while_it_waits_the_end_of_another_ban_releases_nobody(
    case: Case, http: httpx2.AsyncClient, actors: Actors
) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    case.clock.set(LAST)
    other_owner = await actors.client("submitter", agency="KEJAGUNG")
    body = urgent_body(subject=urgent_subject(case.urgent), basis={"instrument": "decision"})
    other = (await sound(http, other_owner, body))["entry"]
    case.clock.set(LATER)
    await case.worker.end_by_law()
    assert (await case.check())["action"] == "refer_to_supervisor"
    [last] = [each for each in await alerts(http, case.counter) if each["kind"] == "cancel"]
    assert (last["entry"]["id"], last["action"]) == (other["id"], "refer_to_supervisor")
    assert "Another measure against this person still holds" in last["message"]


async def test_owner_and_approvers_are_told_every_day_and_the_decision_comes_first(
    case: Case, http: httpx2.AsyncClient, actors: Actors
) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    case.clock.set(LAST)
    await case.worker.notify_officers()
    assert await told(http, case.approver, "pending_undecided") == []
    for moment in (OVER, LATER):
        case.clock.set(moment)
        for _ in range(2):
            await case.worker.notify_officers()
    for by in (case.owner, case.approver, case.verifier):
        daily = await told(http, by, "pending_undecided")
        assert [each["effective_at"] for each in daily] == [
            "2026-12-12T17:00:00.000000Z",
            "2026-12-13T17:00:00.000000Z",
        ]
        assert {
            (each["entry_id"], each["amendment_id"], each["due_at"], each["ends_on"]) for each in daily
        } == {(case.urgent["id"], None, PENDING_UNTIL, "2026-12-12")}
    waiting = expect(await http.get("/v1/worklist", headers=case.approver.headers), 200)["items"]
    assert (waiting[0]["name"], waiting[0]["entry_id"], waiting[0]["due_at"]) == (
        "approve",
        case.formal["id"],
        PENDING_UNTIL,
    )


async def test_lists_and_searches_know_it_as_neither_in_force_nor_ended(
    case: Case, http: httpx2.AsyncClient
) -> None:
    await case.begin()
    await case.file()
    await case.verify()

    async def listed(**asked: Any) -> bool:
        answer = await http.get("/v1/entries", params=asked, headers=case.owner.headers)
        return case.urgent["id"] in [each["id"] for each in expect(answer, 200)["items"]]

    for moment, expected in (
        (LAST, (True, False, True, False)),
        (OVER, (False, True, True, False)),
        (UNTIL, (False, True, False, True)),
    ):
        case.clock.set(moment)
        found = (
            await listed(in_force=True),
            await listed(in_force=False),
            await listed(state="provisional"),
            await listed(state="ended"),
        )
        assert found == expected


async def test_an_extension_that_is_undecided_at_the_end_refers_and_counts_from_the_old_end(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
    auditor: Caller,
    runtime: Runtime,
) -> None:
    entry = await impose(http, actors, entry_body())  # until 23 May 2027
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    question = check_body(entry["subject"])
    filed = await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24"))
    amendment = await settle(http, await actors.client("verifier"), expect(filed, 201), "verify")
    clock.set("2027-05-23T23:59:59+07:00")
    assert (await ask(http, counter, question))["outcome"] == "refuse"
    clock.set("2027-05-24T00:00:00+07:00")
    assert await worker.end_by_law() == 0, "nobody was alerted, and nothing has ended"
    answer = await ask(http, counter, question)
    assert (answer["outcome"], answer["matches"][0]["pending_until"]) == (
        "refer",
        "2027-05-30T17:00:00.000000Z",
    )
    clock.set("2027-05-26T12:00:00+07:00")
    await worker.notify_officers()
    daily = await told(http, approver, "pending_undecided")
    assert [each["amendment_id"] for each in daily] == [amendment["id"]]
    waiting = expect(await http.get("/v1/worklist", headers=approver.headers), 200)["items"]
    assert (waiting[0]["name"], waiting[0]["amendment_id"], waiting[0]["due_at"]) == (
        "approve_amendment",
        amendment["id"],
        "2027-05-30T17:00:00.000000Z",
    )
    await settle(http, approver, amendment, "approve")
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["ends_on"], read["in_force"], read["pending_until"]) == ("2027-11-24", True, None)
    async with runtime.reading(SYSTEM) as reader:
        kept = await store.find(reader, entry["id"])
    assert kept is not None
    held = [kept.held(datetime.fromisoformat(f"2027-05-{day}T09:00:00+07:00")) for day in (23, 24, 26, 27)]
    assert held == [True, False, False, True], "nobody was refused between the end and the approval"
    assert (await ask(http, counter, question))["outcome"] == "refuse"
    last = (await records(http, auditor))[-1]
    assert (last["type"], last["leaf"]["pending_until"]) == ("entry.extended", None)
    letter = await http.get(f"/v1/entries/{entry['id']}/letter", headers=owner.headers)
    assert letter.status_code == 200
    clock.set("2027-11-25T00:00:00+07:00")
    assert (await ask(http, await actors.client("checkpoint"), question))["outcome"] == "clear"


@pytest.mark.parametrize("verdict", ["return", "reject"])
async def test_an_extension_that_is_refused_after_the_end_ends_the_measure_at_its_end(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock, verdict: str
) -> None:
    entry = await impose(http, actors, entry_body())
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    filed = await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24"))
    amendment = await settle(http, await actors.client("verifier"), expect(filed, 201), "verify")
    clock.set("2027-05-26T12:00:00+07:00")
    assert (await ask(http, counter, check_body(entry["subject"])))["outcome"] == "refer"
    await settle(http, approver, amendment, verdict, "Unsigned.")
    assert (await ask(http, counter, check_body(entry["subject"])))["outcome"] == "clear"
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["state"], read["ended_reason"], read["ended_at"]) == (
        "ended",
        "expired",
        "2027-05-23T17:00:00.000000Z",
    )
    assert [each["reason"] for each in await told(http, approver, "pending_ended")] == ["expired"]


async def test_an_extension_decided_after_the_days_is_too_late_for_the_measure(
    http: httpx2.AsyncClient, actors: Actors, clock: SettableClock, runtime: Runtime
) -> None:
    entry = await impose(http, actors, entry_body())
    owner, approver = await actors.client("submitter"), await actors.client("approver")
    filed = await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24"))
    amendment = await settle(http, await actors.client("verifier"), expect(filed, 201), "verify")
    clock.set("2027-05-31T00:00:00+07:00")
    async with nothing_changed(runtime):
        path = f"/v1/amendments/{amendment['id']}/decisions"
        answer = await http.post(path, json={"verdict": "approve"}, headers=approver.on('"2"'))
        refused(answer, 409, "wrong-state")


@pytest.mark.parametrize("verified", ["before", "after"])
async def test_an_extension_of_a_last_day_that_was_corrected_since_is_not_waited_for(
    http: httpx2.AsyncClient,
    actors: Actors,
    counter: Caller,
    clock: SettableClock,
    worker: Worker,
    verified: str,
) -> None:
    entry = await impose(http, actors, entry_body())  # until 23 May 2027
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    extension = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 201)
    if verified == "before":
        extension = await settle(http, verifier, extension, "verify")
    shorter = await amend(
        http, actors, entry, {"kind": "correction", "correction": {"ends_on": "2027-01-31"}}
    )
    if verified == "after":
        await settle(http, verifier, extension, "verify")
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (shorter["ends_on"], shorter["pending_until"], read["pending_until"]) == ("2027-01-31", None, None)
    [extend] = [each for each in read["legal_deadlines"] if each["name"] == "extend_before"]
    assert extend == {"name": "extend_before", "due_at": "2027-01-28T16:59:59.000000Z", "met_at": None}
    clock.set("2027-01-31T23:59:59+07:00")
    assert (await ask(http, counter, check_body(entry["subject"])))["outcome"] == "refuse"
    clock.set("2027-02-01T00:00:00+07:00")
    assert (await ask(http, counter, check_body(entry["subject"])))["outcome"] == "clear"
    assert await worker.end_by_law() == 1
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["ended_reason"], read["ended_at"]) == ("expired", "2027-01-31T17:00:00.000000Z")


async def test_an_extension_filed_anew_after_the_last_day_was_corrected_is_waited_for(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    entry = await impose(http, actors, entry_body())
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    first = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-11-24")), 201)
    first = await settle(http, verifier, first, "verify")
    entry = await amend(http, actors, entry, {"kind": "correction", "correction": {"ends_on": "2027-01-31"}})
    await settle(http, await actors.client("approver"), first, "return", "The period is shorter now.")
    second = expect(await file_amendment(http, owner, entry, extension_body(entry, "2027-07-31")), 201)
    await settle(http, verifier, second, "verify")
    clock.set("2027-02-01T00:00:00+07:00")
    answer = await ask(http, counter, check_body(entry["subject"]))
    assert (answer["outcome"], answer["matches"][0]["pending_until"]) == (
        "refer",
        "2027-02-07T17:00:00.000000Z",
    )


async def test_an_extension_of_a_last_day_that_an_import_has_changed_is_not_waited_for(
    http: httpx2.AsyncClient, actors: Actors, runtime: Runtime, tmp_path: Path
) -> None:
    await taken(runtime, ndjson(tmp_path, imported := line()))
    owner, verifier = await actors.client("submitter"), await actors.client("verifier")
    [entry] = expect(await http.get("/v1/entries", headers=owner.headers), 200)["items"]
    longer = extension_body(entry, "2027-11-24")
    await settle(http, verifier, expect(await file_amendment(http, owner, entry, longer), 201), "verify")
    shorter = merged(imported, {"entry": {"ends_on": "2027-01-31"}})
    assert (await taken(runtime, ndjson(tmp_path, shorter)))["changed"] == 1
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["ends_on"], read["pending_until"]) == ("2027-01-31", None)


async def test_an_explanation_says_that_it_waits(
    case: Case, http: httpx2.AsyncClient, auditor: Caller
) -> None:
    await case.begin()
    await case.file()
    await case.verify()
    case.clock.set(OVER)
    body = {**check_body(case.urgent["subject"]), "entry_id": case.urgent["id"]}
    said = expect(await http.post("/v1/checks/explain", json=body, headers=auditor.headers), 200)
    steps = {step["step"]: step["result"] for step in said["steps"]}
    assert (steps["in_force"], steps["outcome"]) == ("decision_pending", "refer")
