"""More of the cases to be tried first (docs/rules.md lists them), by their numbers: an entry's later life."""

from typing import Any

from httpx2 import ASGITransport, AsyncClient

from app.main import create_app
from app.runtime import Runtime
from app.settings import Settings
from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    extension_body,
    judgment_body,
    merged,
    revocation_body,
    urgent_body,
)
from tests.support.clock import SettableClock
from tests.support.contract import watch
from tests.support.feeds import alerts
from tests.support.lifespan import started
from tests.support.refusals import nothing_changed, refused
from tests.support.served import client_for, serving
from tests.support.sse import listening
from tests.support.steps import amend, decide, expect, file_amendment, impose, sound

Json = dict[str, Any]


async def outcome(http: AsyncClient, by: Caller, body: Json) -> str:
    return str(expect(await http.post("/v1/checks", json=body, headers=by.headers), 200)["outcome"])


async def test_case_4_an_extension_exactly_three_days_before_the_end_is_in_time_and_a_second_later_is_not(
    http: AsyncClient, actors: Actors, clock: SettableClock, worker: Worker
) -> None:
    body = entry_body(starts_on="2027-01-01", ends_on="2027-06-30")
    in_time, late = await impose(http, actors, body), await impose(http, actors, entry_body(**_period(body)))
    owner = await actors.client("submitter")
    clock.set("2027-06-27T23:59:59+07:00")
    expect(
        await file_amendment(http, owner, in_time, extension_body(in_time, "2027-12-31", "2027-06-25")), 201
    )
    clock.set("2027-06-28T00:00:00+07:00")
    answer = await file_amendment(http, owner, late, extension_body(late, "2027-12-31"))
    refused(answer, 409, "extension-late")
    clock.set("2027-07-01T00:00:00+07:00")
    await worker.end_by_law()
    read = expect(await http.get(f"/v1/entries/{late['id']}", headers=owner.headers), 200)
    assert (read["state"], read["ended_reason"]) == ("ended", "expired")


def _period(body: Json) -> Json:
    return {name: body[name] for name in ("starts_on", "ends_on")}


async def test_case_5_a_second_extension_is_refused_and_another_institutions_new_case_is_not(
    http: AsyncClient, actors: Actors
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    entry = await amend(http, actors, entry, extension_body(entry, "2027-11-24"))
    owner = await actors.client("submitter")
    answer = await file_amendment(http, owner, entry, extension_body(entry, "2028-05-24"))
    refused(answer, 409, "extension-exhausted")
    police = await actors.client("submitter", agency="POLRI")
    other = merged(
        entry_body(subject=body["subject"]),
        {"basis": {"instrument": "request", "law": "UU 20/2025 Pasal 89"}},
    )
    expect(await http.post("/v1/entries", json=other, headers=police.headers), 201)


async def test_case_7_anothers_withdrawal_becomes_a_task_of_the_owner_and_the_entry_stays_red(
    http: AsyncClient, actors: Actors, runtime: Runtime
) -> None:
    entry = await impose(http, actors)
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    police = await actors.client("submitter", agency="POLRI")
    async with nothing_changed(runtime):
        refused(await file_amendment(http, police, entry, revocation_body(entry)), 404, "not-found")
    immigration = await actors.client("submitter", agency="IMIGRASI")
    letter = revocation_body(entry, revocation={"refers_to_number": "B/1030/V/2020/NCB-Div HI"})
    question = expect(await file_amendment(http, immigration, entry, letter), 201)
    assert question["state"] == "referred"
    assert await outcome(http, counter, check_body(entry["subject"])) == "refuse"
    read = expect(await http.get(f"/v1/entries/{entry['id']}", headers=owner.headers), 200)
    assert (read["version"], read["state"]) == (entry["version"], "active")
    waiting = expect(await http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    asked = [(item["name"], item["amendment_id"]) for item in waiting if item["amendment_id"]]
    assert asked == [("answer_letter", question["id"])]


async def test_case_8_an_acquittal_counts_only_in_the_same_case_and_reaches_everybody(
    http: AsyncClient, actors: Actors
) -> None:
    owner, counter = await actors.client("submitter"), await actors.client("checkpoint")
    urgent = (await sound(http, owner, urgent_body()))["entry"]
    other = judgment_body(urgent, judgment={"case_reference": "another"})
    answer = await file_amendment(http, owner, urgent, other)
    assert refused(answer, 422, "validation") == {"/judgment/case_reference": "other_case"}
    assert await outcome(http, counter, check_body(urgent["subject"])) == "refer"
    ended = await amend(http, actors, urgent, judgment_body(urgent))
    assert (ended["state"], ended["ended_reason"]) == ("ended", "acquitted")
    assert await outcome(http, counter, check_body(urgent["subject"])) == "clear"
    assert (await alerts(http, counter))[-1]["action"] == "release"


async def test_case_12_old_and_new_spelling_are_one_name(http: AsyncClient, actors: Actors) -> None:
    body = entry_body(subject={"full_name": "Djoko Soegiarto Tjandra", "aliases": []})
    await impose(http, actors, body)
    passport = {"name": "Joko Sugiarto Candra", "birth_date": body["subject"]["birth"]["date"]}
    counter = await actors.client("checkpoint")
    asked = {"direction": "exit", "person": passport}
    answer = expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 200)
    assert (answer["outcome"], len(answer["matches"])) == ("refer", 1)


async def test_case_14_a_checkpoint_that_was_cut_off_gets_all_in_order_and_its_silence_was_told(
    settings: Settings, clock: SettableClock, actors: Actors, runtime: Runtime
) -> None:
    with serving(create_app(settings, clock, work=False)) as url:
        async with client_for(url) as http:
            cut = await actors.client("checkpoint", checkpoint="DPS")
            submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
            first = (await sound(http, submitter, urgent_body()))["alert"]
            async with listening(http, cut.headers) as stream:
                seen = await stream.next("alert")
            assert seen.json["id"] == first["id"]
            clock.advance(hours=1)
            second = await sound(http, submitter, urgent_body())
            clock.advance(hours=2)
            await Worker(runtime).notify_unacknowledged_alerts()
            await decide(http, duty, second["entry"], "countersign")
            async with listening(http, cut.headers, last_event_id=seen.id) as stream:
                came = [(await stream.next("alert")).json for _ in range(2)]
            told = expect(await http.get("/v1/notices", headers=duty.headers), 200)["items"]
    assert [(alert["kind"], alert["entry"]["id"]) for alert in came] == [
        ("raise", second["entry"]["id"]),
        ("update", second["entry"]["id"]),
    ]
    chain = [seen.json["sequence"], *(alert["sequence"] for alert in came)]
    assert [alert["previous_sequence"] for alert in came] == chain[:-1]
    silent = {notice["alert_id"]: notice["checkpoints"] for notice in told if notice["checkpoints"]}
    assert "DPS" in silent[second["alert"]["id"]]


async def test_case_16_what_was_approved_before_a_restart_is_told_once_after_it(
    settings: Settings, clock: SettableClock, actors: Actors
) -> None:
    counter = await actors.client("checkpoint")
    dying = create_app(settings, clock, work=False)
    transport = ASGITransport(dying)
    async with started(dying), watch(AsyncClient(transport=transport, base_url="http://testserver")) as http:
        urgent = (await sound(http, await actors.client("submitter"), urgent_body()))["entry"]
        page = expect(await http.get("/v1/alerts", headers=counter.headers), 200)
        await decide(http, await actors.client("duty_officer"), urgent, "countersign")
    with serving(create_app(settings, clock)) as url:
        async with (
            client_for(url) as http,
            listening(http, counter.headers, last_event_id=page["cursor"]) as stream,
        ):
            told = (await stream.next("alert")).json
            further = (await sound(http, await actors.client("submitter")))["alert"]
            following = (await stream.next("alert")).json
    assert (told["kind"], told["entry"]["version"]) == ("update", 2)
    assert following["id"] == further["id"]
