"""What a sealed entry tells to those outside: its alert, the feed, and the counter that meets the person."""

from typing import Any

from httpx2 import AsyncClient

from app.alerting.alerts.domain import SEALED_ENDED_MESSAGE, SEALED_MESSAGE
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, formal_body, urgent_body
from tests.support.feeds import alerts, records
from tests.support.refusals import refused
from tests.support.steps import Json, decide, etag, expect, formalise, impose, sound, submit

NOBODY = {
    "full_name": None,
    "aliases": [],
    "sex": None,
    "birth": None,
    "nationalities": [],
    "documents": [],
    "photo": None,
}


async def raised(http: AsyncClient, actors: Actors, **given: Any) -> tuple[Json, Json, list[Caller]]:
    """A sealed urgent entry: its body, the answer, and its author, verifier, approver and duty officer."""
    roles = ("submitter", "verifier", "approver", "duty_officer")
    people = [await actors.client(role) for role in roles]
    body = urgent_body(sealed_for=[by.person for by in people[1:]], **given)
    return body, await sound(http, people[0], body), people


async def test_its_alerts_name_nobody_and_say_that_the_scan_decides(http: AsyncClient, actors: Actors):
    counter = await actors.client("checkpoint")
    body, made, people = await raised(http, actors)
    entry = await decide(http, people[3], made["entry"], "countersign")
    second, approver = await actors.client("duty_officer"), await actors.client("approver")
    expect(
        await http.put(
            f"/v1/entries/{entry['id']}/seal",
            json={"persons": [people[3].person, second.person, approver.person]},
            headers=people[0].on(etag(entry)),
        ),
        200,
    )
    entry = expect(await http.get(f"/v1/entries/{entry['id']}", headers=second.headers), 200)
    entry = await decide(http, second, entry, "reject", "A mistake.")
    told = await alerts(http, counter)
    await decide(http, approver, entry, "reject", "A mistake indeed.")
    told += await alerts(http, counter)
    assert [alert["kind"] for alert in told] == ["raise", "update", "raise", "update", "cancel"]
    for alert in told:
        assert {name: alert["entry"][name] for name in NOBODY} == NOBODY
        assert alert["entry"]["id"] == entry["id"]
        for secret in (body["subject"]["full_name"], body["subject"]["documents"][0]["number"]):
            assert secret not in str(alert)
        assert body["alert"]["message"] not in str(alert)
        assert alert["direction"] == "exit"
    assert {alert["entry"]["measure"] for alert in told[:2]} == {"prevention"}
    assert {alert["message"] for alert in told[:2]} == {SEALED_MESSAGE}
    assert (told[-1]["message"], told[-1]["action"]) == (SEALED_ENDED_MESSAGE, "release")


async def test_an_entry_that_is_sealed_after_its_alert_is_taken_from_every_screen(
    http: AsyncClient, actors: Actors
):
    counter, author = await actors.client("checkpoint"), await actors.client("submitter")
    duty = await actors.client("duty_officer")
    body = urgent_body()
    entry = await decide(http, duty, (await sound(http, author, body))["entry"], "countersign")
    assert body["subject"]["full_name"] in str(await alerts(http, counter))
    path = f"/v1/entries/{entry['id']}/seal"
    sealed = expect(
        await http.put(path, json={"persons": [duty.person]}, headers=author.on(etag(entry))), 200
    )
    told = await alerts(http, counter)
    assert [(each["kind"], each["action"]) for each in told] == [
        ("raise", "refer_to_supervisor"),
        ("update", "refuse_exit"),
        ("update", "refuse_exit"),
    ]
    assert told[-1]["entry"]["version"] == sealed["version"]
    assert told[-1]["refers_to"] == told[0]["id"]
    for each in told:  # also what was told before, to whoever asks only now
        assert {name: each["entry"][name] for name in NOBODY} == NOBODY
        assert each["message"] == SEALED_MESSAGE
    again = {"persons": [duty.person, (await actors.client("approver")).person]}
    expect(await http.put(path, json=again, headers=author.on(etag(sealed))), 200)
    assert len(await alerts(http, counter)) == len(told)
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == "refuse_exit"


async def test_nobody_is_alerted_by_the_seal_of_what_never_was_an_alert_or_has_ended(
    http: AsyncClient, actors: Actors
):
    counter, author = await actors.client("checkpoint"), await actors.client("submitter")
    verifier = await actors.client("verifier")
    listed = await submit(http, author)
    over = (await sound(http, author))["entry"]
    over = await decide(http, await actors.client("duty_officer"), over, "reject", "A mistake.")
    before = await alerts(http, counter)
    for entry in (listed, over):
        path = f"/v1/entries/{entry['id']}/seal"
        body = {"persons": [verifier.person]}
        expect(await http.put(path, json=body, headers=author.on(etag(entry))), 200)
    assert len(await alerts(http, counter)) == len(before) == 2


async def test_the_coverage_of_its_alert_is_for_those_who_see_it(http: AsyncClient, actors: Actors):
    _, made, people = await raised(http, actors)
    path = f"/v1/alerts/{made['alert']['id']}/coverage"
    for by in (*people, await actors.client("auditor")):
        expect(await http.get(path, headers=by.headers), 200)
    for role in ("submitter", "approver"):
        refused(await http.get(path, headers=(await actors.client(role)).headers), 404, "not-found")


async def test_a_check_finds_it_and_only_then_the_counter_sees_the_photo(http: AsyncClient, actors: Actors):
    body, made, people = await raised(http, actors)
    counter = await actors.client("checkpoint")
    photo = f"/v1/entries/{made['entry']['id']}/photo"
    assert (await http.get(photo, headers=counter.headers)).status_code == 404
    await decide(http, people[3], made["entry"], "countersign")
    question = check_body(body["subject"])
    answer = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    assert (answer["outcome"], answer["action"]) == ("refuse", "refuse_exit")
    assert [match["entry_id"] for match in answer["matches"]] == [made["entry"]["id"]]
    assert (await http.get(photo, headers=counter.headers)).status_code == 200
    elsewhere = await actors.client("checkpoint", checkpoint="DPS")
    assert (await http.get(photo, headers=elsewhere.headers)).status_code == 404


async def test_nobody_else_in_the_agency_is_told_of_the_hit(http: AsyncClient, actors: Actors):
    body, made, people = await raised(http, actors)
    counter = await actors.client("checkpoint")
    question = check_body(body["subject"])
    expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)

    async def told(by: Caller) -> set[str]:
        items = expect(await http.get("/v1/worklist", headers=by.headers), 200)["items"]
        return {item["entry_id"] for item in items if item["kind"] == "notice"}

    for by in (*people, await actors.client("auditor")):
        assert await told(by) == {made["entry"]["id"]}
    for role in ("submitter", "verifier", "approver", "duty_officer"):
        assert await told(await actors.client(role)) == set()


async def test_the_feed_keeps_its_person_from_every_machine(http: AsyncClient, actors: Actors):
    plain = await impose(http, actors)
    _, made, _ = await raised(http, actors)
    owner = await actors.client("integrator", agency="KPK")
    immigration = await actors.client("integrator", agency="IMIGRASI")
    nobodys = await actors.integrator_of_nobody()
    auditor = await actors.client("auditor")
    for reader, withheld, of_others in (
        (owner, "scope", None),
        (auditor, None, None),
        (immigration, "scope", None),
        (nobodys, "scope", "scope"),
    ):
        told = await records(http, reader)
        assert [record["sequence"] for record in told] == [1, 2, 3]
        for record in told:
            about = {made["entry"]["id"]: withheld, plain["id"]: of_others}
            assert record["withheld"] == about[record["entry_id"]]
            assert (record["personal"] is None) == (record["withheld"] is not None)
            assert (record["salt"] is None) == (record["withheld"] is not None)


async def test_what_was_told_before_it_was_sealed_is_withheld_from_then_on(http: AsyncClient, actors: Actors):
    entry = await impose(http, actors)
    immigration = await actors.client("integrator", agency="IMIGRASI")
    owner = await actors.client("integrator", agency="KPK")
    assert [record["withheld"] for record in await records(http, immigration)] == [None]
    author, verifier = await actors.client("submitter"), await actors.client("verifier")
    second = await submit(http, author, entry_body())
    second = await decide(http, verifier, second, "verify")
    second = await decide(http, await actors.client("approver"), second, "approve")
    assert [record["withheld"] for record in await records(http, immigration)] == [None, None]
    sealed = await http.put(
        f"/v1/entries/{second['id']}/seal",
        json={"persons": [verifier.person]},
        headers=author.on(etag(second)),
    )
    expect(sealed, 200)
    for by in (immigration, owner):
        told = {record["entry_id"]: record["withheld"] for record in await records(http, by)}
        assert told == {entry["id"]: None, second["id"]: "scope"}


async def test_the_formal_entry_is_sealed_like_the_urgent_one(http: AsyncClient, actors: Actors):
    body, made, people = await raised(http, actors)
    formal = formal_body(basis={**body["basis"], "number": "R-FORMAL/2026"})
    stranger = await actors.client("submitter")
    refused(await formalise(http, stranger, made["entry"], formal), 404, "not-found")
    entry = expect(await formalise(http, people[0], made["entry"], formal), 201)
    assert set(entry["sealed_for"]) == {by.person for by in people}
    entry = await decide(http, people[1], entry, "verify")
    entry = await decide(http, people[2], entry, "approve")
    assert entry["state"] == "active"
