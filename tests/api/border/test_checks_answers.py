"""`POST /v1/checks`: what a checkpoint is told, what it is not, and what stays on record."""

from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.border.checks import store
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, deterrence_body, entry_body, merged, mrz_of
from tests.support.clock import SettableClock
from tests.support.steps import decide, expect, impose, sound

Json = dict[str, Any]


async def ask(http: httpx2.AsyncClient, by: Caller, question: Json) -> Json:
    """The answer to a check."""
    return expect(await http.post("/v1/checks", json=question, headers=by.headers), 200)


async def test_a_counter_sees_whom_what_to_do_and_whom_to_call(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    answer = await ask(http, counter, check_body(body["subject"]))
    (match,) = answer["matches"]
    assert (answer["outcome"], answer["action"]) == ("refuse", "refuse_exit")
    assert match["entry_id"] == entry["id"]
    assert (match["measure"], match["level"]) == ("prevention", "exact")
    assert match["photo"] == f"/v1/entries/{entry['id']}/photo"
    assert match["contact"]["agency"] == "KPK"
    assert match["in_force_until"] == "2027-05-23T16:59:59.000000Z"
    assert {reason["feature"] for reason in match["reasons"]} >= {"document_number", "birth_date", "name"}
    assert all(reason["text_id"] and reason["text_en"] for reason in match["reasons"])


async def test_no_case_details_reach_a_counter(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    asked = await http.post("/v1/checks", json=check_body(body["subject"]), headers=counter.headers)
    assert expect(asked, 200)["outcome"] == "refuse"
    basis = body["basis"]
    for detail in (basis["reason"], basis["case_reference"], basis["number"], basis["signed_by"]):
        assert detail not in asked.text


async def test_nobody_found_is_a_positive_answer(
    http: httpx2.AsyncClient, counter: Caller, clock: SettableClock
) -> None:
    answer = await ask(http, counter, check_body(entry_body()["subject"]))
    assert answer == {
        "id": answer["id"],
        "checked_at": "2026-11-23T03:00:00.000000Z",
        "outcome": "clear",
        "action": "allow",
        "matches": [],
        "mrz": None,
        "registry": {
            "sequence": 0,
            "as_of": "2026-11-23T03:00:00.000000Z",
            "mode": "central",
            "age_seconds": 0,
            "stale": False,
        },
        "hit_id": None,
        "clearances": [],
        "noted": [],
        "truncated": False,
        "warnings": [],
    }
    assert answer["id"].startswith("chk_")


async def test_an_answer_says_which_state_of_the_register_it_rests_on(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors)
    answer = await ask(http, counter, check_body(entry_body()["subject"]))
    assert answer["registry"]["sequence"] == entry["sequence"] == 1


async def test_an_answer_is_never_cached(http: httpx2.AsyncClient, counter: Caller) -> None:
    asked = await http.post("/v1/checks", json=check_body(entry_body()["subject"]), headers=counter.headers)
    assert asked.headers["cache-control"] == "no-store"
    assert asked.headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", ["autogate", "manifest"])
async def test_other_kinds_of_client_see_no_more_than_that_an_officer_is_needed(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, kind: str
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    machine = await actors.client("checkpoint", kind=kind)
    answer = await ask(http, machine, check_body(body["subject"]))
    assert (answer["outcome"], answer["matches"]) == ("refuse", [])
    assert answer["hit_id"].startswith("hit_")
    asked = await ask(http, counter, check_body(body["subject"]))
    reread = await http.get(f"/v1/checks/{asked['id']}", headers=machine.headers)
    assert (len(asked["matches"]), expect(reread, 200)["matches"]) == (1, [])
    batch = await http.post(
        "/v1/checks/batch", json={"items": [check_body(body["subject"])]}, headers=machine.headers
    )
    (row,) = expect(batch, 200)["items"]
    for told in (answer, reread.json(), row):
        assert all(
            words not in str(told)
            for words in (
                body["subject"]["full_name"],
                body["subject"]["documents"][0]["number"],
                "ent_",
                "KPK",
            )
        )


async def test_a_zone_is_answered_with_every_digits_verdict(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    zone = mrz_of(body["subject"])
    answer = await ask(http, counter, {"direction": "entry", "mrz": zone})
    assert answer["action"] == "refuse_entry"
    assert answer["mrz"]["format"] == "TD3"
    assert answer["mrz"]["valid"]
    assert set(answer["mrz"]["check_digits"].values()) == {True}
    assert answer["mrz"]["fields"]["document_number"] == body["subject"]["documents"][0]["number"]
    broken = zone[:-1] + str((int(zone[-1]) + 1) % 10)
    answer = await ask(http, counter, {"direction": "entry", "mrz": broken})
    assert answer["action"] == "refer_to_supervisor"
    assert not answer["mrz"]["valid"]
    assert answer["mrz"]["check_digits"]["composite"] is False


async def test_a_check_sees_what_was_committed_before_it_and_nothing_that_is_over(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    body = entry_body()
    question = check_body(body["subject"])
    assert (await ask(http, counter, question))["outcome"] == "clear"
    await impose(http, actors, body)
    assert (await ask(http, counter, question))["outcome"] == "refuse"
    clock.set("2027-05-23T23:59:59.999+07:00")
    late = await ask(http, counter, question)
    assert late["outcome"] == "refuse"
    assert "2027-05-24T00:00+07:00" in late["matches"][0]["boundary_note"]
    clock.set("2027-05-24T00:00:00+07:00")
    assert (await ask(http, counter, question))["outcome"] == "clear"


async def test_an_urgent_entry_refers_at_once_and_refuses_once_countersigned(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    raised = await sound(http, await actors.client("submitter"))
    question = check_body(raised["entry"]["subject"])
    assert (await ask(http, counter, question))["action"] == "refer_to_supervisor"
    await decide(http, await actors.client("duty_officer"), raised["entry"], "countersign")
    assert (await ask(http, counter, question))["action"] == "refuse_exit"


async def test_a_citizen_who_returns_passes_and_is_seen_by_the_owner_only(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    answer = await ask(http, counter, check_body(body["subject"], "entry"))
    assert (answer["outcome"], answer["action"]) == ("clear", "allow")
    assert (answer["matches"], answer["hit_id"]) == ([], None)
    owner, other = await actors.client("submitter"), await actors.client("submitter", agency="BNN")
    told = expect(await http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    seen = [item for item in told if item["name"] == "sighting"]
    assert [(item["entry_id"], item["check_id"], item["checkpoint"]) for item in seen] == [
        (entry["id"], answer["id"], "CGK")
    ]
    assert expect(await http.get("/v1/worklist", headers=other.headers), 200)["items"] == []


async def test_an_answer_can_be_read_again_by_who_asked_and_by_auditors(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    answer = await ask(http, counter, merged(check_body(body["subject"]), {"mrz": mrz_of(body["subject"])}))
    path = f"/v1/checks/{answer['id']}"
    colleague, auditor = await actors.client("checkpoint"), await actors.client("auditor")
    for reader in (counter, colleague, auditor):
        read = await http.get(path, headers=reader.headers)
        assert expect(read, 200) == answer
        known = {**reader.headers, "If-None-Match": read.headers["etag"]}
        assert (await http.get(path, headers=known)).status_code == 304
    gate = await actors.client("checkpoint", kind="autogate")
    less = await http.get(path, headers={**gate.headers, "If-None-Match": known["If-None-Match"]})
    assert expect(less, 200)["matches"] == []
    elsewhere = await actors.client("checkpoint", checkpoint="DPS")
    assert expect(await http.get(path, headers=elsewhere.headers), 404)["type"] == "/problems/not-found"
    officer = await actors.client("approver")
    assert (await http.get(path, headers=officer.headers)).status_code == 403


@pytest.mark.parametrize("wrong", ["chk_x", "chk_00000000000000000000000000", "ent_1", "%00"])
async def test_a_check_that_is_not_there_is_not_found(
    http: httpx2.AsyncClient, counter: Caller, wrong: str
) -> None:
    assert (await http.get(f"/v1/checks/{wrong}", headers=counter.headers)).status_code == 404


async def test_who_where_what_and_the_answer_are_stored_before_the_answer_is_there(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller
) -> None:
    question = check_body(entry_body()["subject"], officer_reference="lane 7")
    answer = await ask(http, counter, question)
    async with runtime.reading_checks(SYSTEM) as reader:
        row = await store.find(reader, answer["id"])
    assert row is not None
    assert (row.client_id, row.checkpoint, row.kind, row.direction) == (counter.id, "CGK", "counter", "exit")
    assert (row.outcome, row.sequence, row.hit_id) == ("clear", 0, None)
    assert question["document"]["number"] in row.question
    assert "lane 7" in row.question
    assert len(row.document_hash) == 32
