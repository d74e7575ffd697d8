"""What an urgent entry and each change of it tell the checkpoints (API section 4)."""

import httpx2
import pytest

from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body, urgent_body, urgent_deterrence_body
from tests.support.feeds import alerts
from tests.support.steps import approve, decide, expect, impose, sound, submit


async def reached(http: httpx2.AsyncClient, by: Caller, path: str) -> int:
    """How many items a list holds, page by page."""
    count, cursor = 0, None
    while True:
        page = expect(
            await http.get(path, params={"cursor": cursor} if cursor else {}, headers=by.headers), 200
        )
        count, cursor = count + len(page["items"]), page["next_cursor"]
        if cursor is None:
            return count


async def test_an_urgent_entry_holds_at_once_and_tells_every_checkpoint(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter")
    body = urgent_body()
    raised = await sound(http, submitter, body)
    entry, alert = raised["entry"], raised["alert"]
    assert (entry["state"], entry["in_force"], entry["urgent"]) == ("provisional", True, True)
    assert (entry["starts_on"], entry["ends_on"]) == ("2026-11-23", "2026-12-12")
    assert (alert["kind"], alert["sequence"]) == ("raise", 2)
    assert alert["recipients"] == await reached(http, counter, "/v1/checkpoints") > 100
    assert alert["expires_at"] == "2026-12-12T17:00:00.000000Z"
    (told,) = await alerts(http, counter)
    assert told["id"] == alert["id"]
    assert (told["kind"], told["refers_to"], told["previous_sequence"]) == ("raise", None, None)
    assert (told["action"], told["direction"], told["urgency"]) == (
        "refer_to_supervisor",
        "exit",
        "immediate",
    )
    assert (told["message"], told["chase"]) == (body["alert"]["message"], ["CGK"])
    assert told["issued_at"] == "2026-11-23T03:00:00.000000Z"
    assert told["acknowledge_by"] == "2026-11-23T03:01:00.000000Z"
    assert told["entry"]["id"] == entry["id"]
    assert told["entry"]["documents"] == [
        {"type": "passport", "number": body["subject"]["documents"][0]["number"], "issuing_state": "IDN"}
    ]
    assert told["entry"]["in_force_until"] == "2026-12-12T16:59:59.000000Z"
    assert told["contact"]["agency"] == "KPK"


async def test_no_case_details_travel_with_an_alert(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = urgent_body()
    await sound(http, await actors.client("submitter"), body)
    told = (await http.get("/v1/alerts", headers=counter.headers)).text
    assert body["subject"]["full_name"] in told
    for detail in (body["basis"]["reason"], body["basis"]["case_reference"], body["letter"]["number"]):
        assert detail not in told
    assert body["subject"]["nik"] not in told


async def test_the_countersignature_is_an_update_that_lets_counters_refuse(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    first, second = await alerts(http, counter)
    assert (second["kind"], second["refers_to"], second["action"]) == ("update", first["id"], "refuse_exit")
    assert second["entry"]["version"] == 2


async def test_a_rejection_cancels(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    raised = await sound(http, await actors.client("submitter"))
    entry = await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "mistaken")
    assert (entry["state"], entry["in_force"]) == ("rejected", False)
    first, second = await alerts(http, counter)
    assert (second["kind"], second["refers_to"], second["action"]) == ("cancel", first["id"], "release")
    asked = await http.post(
        "/v1/checks", json=check_body(raised["entry"]["subject"]), headers=counter.headers
    )
    assert expect(asked, 200)["outcome"] == "clear"


async def test_an_end_says_that_another_agency_s_measure_still_holds(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = urgent_body()
    raised = await sound(http, await actors.client("submitter"), body)
    other = entry_body(subject=body["subject"], basis={"instrument": "decision"})
    asked = await submit(http, await actors.client("submitter", agency="KEJAGUNG"), other)
    await approve(http, actors, asked)
    await decide(http, await actors.client("duty_officer"), raised["entry"], "reject", "mistaken")
    _, second = await alerts(http, counter)
    assert (second["kind"], second["action"]) == ("cancel", "refuse_exit")
    assert "another measure against this person still holds" in second["message"].lower()
    assert body["alert"]["message"] not in second["message"]
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == second["action"]


async def test_of_a_child_no_alert_says_refuse(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = urgent_body(subject={"birth": {"date": "2016-05-17"}})
    raised = await sound(http, await actors.client("submitter"), body)
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    answer = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(answer, 200)["action"] == "refer_to_supervisor"
    assert [alert["action"] for alert in await alerts(http, counter)] == ["refer_to_supervisor"] * 2


async def test_every_alert_names_the_one_before_it(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter, duty = await actors.client("submitter"), await actors.client("duty_officer")
    first = await sound(http, submitter)
    await impose(http, actors)  # a record that is no alert
    await sound(http, submitter)
    await decide(http, duty, first["entry"], "countersign")
    await http.post("/v1/alerts", json={"kind": "exercise", "message": "x"}, headers=duty.headers)
    told = await alerts(http, counter)
    sequences = [alert["sequence"] for alert in told]
    assert sequences == [2, 5, 7, 8]
    assert [alert["previous_sequence"] for alert in told] == [None, *sequences[:-1]]


async def test_entries_that_were_never_urgent_tell_nobody(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors)
    page = expect(await http.get("/v1/alerts", headers=counter.headers), 200)
    assert (page["items"], page["last_alert"], page["head"]) == ([], 0, 1)


@pytest.mark.settings(urgent_countersign_first=True)
async def test_where_the_countersignature_comes_first_nothing_holds_before_it(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    entry = raised["entry"]
    question = check_body(entry["subject"])
    assert (entry["state"], entry["in_force"], raised["alert"]) == ("submitted", False, None)
    assert await alerts(http, counter) == []
    assert (await http.post("/v1/checks", json=question, headers=counter.headers)).json()[
        "outcome"
    ] == "clear"
    entry = await decide(http, await actors.client("duty_officer"), entry, "countersign")
    assert (entry["state"], entry["in_force"]) == ("provisional", True)
    (told,) = await alerts(http, counter)
    assert (told["kind"], told["action"]) == ("raise", "refuse_exit")
    asked = await http.post("/v1/checks", json=question, headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "refuse"


async def test_an_urgent_entry_ban_refuses_entry_once_countersigned(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    submitter = await actors.client("submitter", agency="IMIGRASI")
    body = urgent_deterrence_body()
    raised = await sound(http, submitter, body)
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    first, second = await alerts(http, counter)
    assert (first["direction"], first["action"]) == ("entry", "refer_to_supervisor")
    assert second["action"] == "refuse_entry"
    asked = await http.post("/v1/checks", json=check_body(body["subject"], "entry"), headers=counter.headers)
    assert expect(asked, 200)["action"] == "refuse_entry"
