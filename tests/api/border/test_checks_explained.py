"""`POST /v1/checks/explain`: why two records match or not, step by step, for auditors alone."""

from typing import Any

import httpx2
import pytest

from tests.api.border.test_checks_answers import ask
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    Json,
    check_body,
    deterrence_body,
    entry_body,
    mrz_of,
    urgent_body,
    without_photo,
)
from tests.support.crossings import cleared, namesakes
from tests.support.refusals import refused
from tests.support.steps import expect, impose, sound

ODD = [
    "X",
    "😀",
    "😀 Joko",
    "12345 678",
    "ب",
    "-",
    "A" * 300,
    "محمد بن علي",
    "李小龍 Bruce",
    "Иван\u200fعلي",
    "Dr. H.",
]


async def explain(http: httpx2.AsyncClient, by: Caller, asked: Json, **other: Any) -> Json:
    """The explanation of a question about a person, against another side."""
    body = {**asked, **other}
    return expect(await http.post("/v1/checks/explain", json=body, headers=by.headers), 200)


def steps(explained: Json, step: str) -> list[Json]:
    """The steps of one kind, in order."""
    return [each for each in explained["steps"] if each["step"] == step]


def question(name: str, born: str = "1970-05-17", direction: str = "exit") -> Json:
    return {
        "direction": direction,
        "document": {"number": "C7654321", "issuing_state": "IDN"},
        "person": {"name": name, "birth_date": born},
    }


async def test_a_disguised_name_is_explained_from_its_letters_to_the_law(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller, counter: Caller
) -> None:
    entry = await impose(
        http,
        actors,
        entry_body(subject={"full_name": "Muhammad Joko Susilo", "birth": {"date": "1970-05-17"}}),
    )
    asked = question("Drs. H. Moh. Djoko Soesilo bin Ali")
    explained = await explain(http, auditor, asked, entry_id=entry["id"])
    answer = await ask(http, counter, asked)
    (match,) = answer["matches"]
    assert {name: explained[name] for name in ("entry_id", "level", "score", "reasons")} == {
        name: match[name] for name in ("entry_id", "level", "score", "reasons")
    }
    (verdict,) = explained["verdicts"]
    assert (verdict["measure"], verdict["outcome"], verdict["action"], verdict["matched"]) == (
        "prevention",
        answer["outcome"],
        answer["action"],
        True,
    )
    typed = steps(explained, "name")[0]
    words = typed["details"]["forms"][0]["words"]
    assert [(word["text"], word["sound"], word["code"]) for word in words] == [
        ("MUHAMMAD", "MUHAMAD", "MT"),
        ("DJOKO", "YOKO", "YK"),
        ("SOESILO", "SUSILO", "SL"),
        ("ALI", "ALI", "AL"),
    ]
    assert all(word["bits"] > 0 for word in words)
    assert typed["details"]["left_out"] == [
        {"word": "DRS", "why": "title"},
        {"word": "H", "why": "title"},
        {"word": "BIN", "why": "lineage"},
    ]
    assert [each["result"] for each in steps(explained, "birth_key")] == ["with_words"]
    assert "Also looked up, in vain: two words" in steps(explained, "name_keys")[0]["text_en"]
    assert steps(explained, "candidate")[0]["result"] == "found"
    said = {
        (each["details"]["asked"], each["details"]["listed"]): each["result"]
        for each in steps(explained, "name_word")
    }
    assert said["DJOKO", "JOKO"] == said["SOESILO", "SUSILO"] == "sounds_equal"
    (evidence,) = steps(explained, "evidence")
    total = sum(
        each["details"]["bits"] for each in explained["steps"] if each["step"] in {"name_word", "birth_date"}
    )
    assert evidence["details"]["bits"] == pytest.approx(total, abs=0.05)
    assert "met" in {each["result"] for each in steps(explained, "threshold")}
    assert steps(explained, "tier")[0]["result"] == "stop"
    assert explained["steps"][-1]["step"] == "outcome"
    assert all(each["text_id"] and each["text_en"] for each in explained["steps"])
    assert all(each["text_id"] != each["text_en"] for each in explained["steps"] if each["step"] != "outcome")


async def test_every_threshold_says_what_it_demands_and_what_was_found(
    http: httpx2.AsyncClient, auditor: Caller
) -> None:
    subject = {"full_name": "Budi Santoso Wibowo", "birth": {"date": "1970-05-17"}}
    explained = await explain(http, auditor, question("Budi Hermawan"), subject=subject)
    thresholds = steps(explained, "threshold")
    named = [demand["threshold"] for each in thresholds for demand in each["details"]["demands"]]
    assert named[:2] == ["part_likeness", "part_bits"]
    assert named[-2:] == ["review_likeness", "review_bits"]
    for each in thresholds:
        demands = each["details"]["demands"]
        assert all(demand["met"] is (demand["found"] >= demand["least"]) for demand in demands)
        assert (each["result"] == "met") is all(demand["met"] for demand in demands)
        assert all(demand["threshold"] in each["text_en"] for demand in demands)
    assert (explained["level"], explained["score"], explained["reasons"]) == (None, None, [])
    assert {verdict["outcome"] for verdict in explained["verdicts"]} == {"clear"}


async def test_a_namesake_born_otherwise_is_not_even_found(http: httpx2.AsyncClient, auditor: Caller) -> None:
    subject = {"full_name": "Muhammad Rizki", "birth": {"date": "1984-11-02"}}
    explained = await explain(http, auditor, question("Muhammad Rizki"), subject=subject)
    assert steps(explained, "candidate")[0]["result"] == "not_found"
    assert steps(explained, "birth_date")[0]["result"] == "contradicts"
    assert {(each["outcome"], each["matched"], each["noted"]) for each in explained["verdicts"]} == {
        ("clear", False, False)
    }


async def test_who_shares_a_birthday_alone_is_told_apart_by_the_sketch(
    http: httpx2.AsyncClient, auditor: Caller
) -> None:
    subject = {"full_name": "Tandirerung Wenas", "birth": {"date": "1970-05-17"}}
    explained = await explain(http, auditor, question("Agus Hermawan"), subject=subject)
    (key,) = steps(explained, "birth_key")
    assert key["result"] == "unlike"
    assert steps(explained, "name_keys")[0]["result"] == "not_found"
    assert steps(explained, "names")[0]["result"] == "nothing_in_common"


async def test_keys_are_said_in_words(http: httpx2.AsyncClient, auditor: Caller) -> None:
    subject = {"full_name": "Wiralodra Tandirerung", "birth": {"date": "1970"}}
    explained = await explain(http, auditor, question("Tandirerung Wiralodra"), subject=subject)
    keys = steps(explained, "name_key")
    assert {each["result"] for each in keys} >= {"pair", "word", "start", "end"}
    assert {each["details"]["among"] for each in keys} == {"everybody", "undated"}
    assert {each["details"]["year"] for each in keys} == {None, 1970}
    assert any("two words and the year of birth" in each["text_en"] for each in keys)
    assert any("of the same year whose day of birth isn't known" in each["text_en"] for each in keys)


async def test_an_equal_number_decides_and_the_law_is_named(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller, counter: Caller
) -> None:
    body = urgent_body()
    raised = await sound(http, await actors.client("submitter"), body)
    asked = {"direction": "exit", "mrz": mrz_of(body["subject"])}
    explained = await explain(http, auditor, asked, entry_id=raised["entry"]["id"])
    assert steps(explained, "zone")[0]["result"] == "valid"
    assert {each["result"] for each in steps(explained, "number_key")} == {"document", "skeleton"}
    assert [each["result"] for each in steps(explained, "number_case")] == ["exact"]
    assert steps(explained, "decided_by")[0]["result"] == "number"
    (last,) = steps(explained, "outcome")
    assert (last["result"], last["details"]["held_back_by"]) == ("refer", "not_countersigned")
    assert explained["verdicts"][0]["action"] == (await ask(http, counter, asked))["action"]


async def test_a_supposed_subject_is_judged_for_each_measure(
    http: httpx2.AsyncClient, auditor: Caller
) -> None:
    subject = without_photo(deterrence_body()["subject"])
    asked = check_body(subject, "entry")
    explained = await explain(http, auditor, asked, subject=subject)
    assert {each["measure"]: each["action"] for each in explained["verdicts"]} == {
        "prevention": "refer_to_supervisor",
        "deterrence": "refuse_entry",
    }
    as_citizen = await explain(
        http, auditor, check_body(subject, "entry", person={"nationality": "IDN"}), subject=subject
    )
    assert "refuse_entry" not in {each["action"] for each in as_citizen["verdicts"]}
    leaving = await explain(http, auditor, check_body(subject, "exit"), subject=subject)
    assert [each["sighting"] for each in leaving["verdicts"] if each["measure"] == "deterrence"] == [True]


async def test_an_entry_that_is_not_in_force_is_passed_over(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller
) -> None:
    body = entry_body(starts_on="2026-11-25", ends_on="2027-05-25")
    entry = await impose(http, actors, body)
    explained = await explain(http, auditor, check_body(body["subject"]), entry_id=entry["id"])
    assert steps(explained, "in_force")[0]["result"] == "no"
    assert (explained["level"], explained["verdicts"][0]["outcome"]) == ("exact", "clear")


async def test_a_clearance_is_named(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller, counter: Caller
) -> None:
    body, asked = namesakes()
    entry = await impose(http, actors, body)
    clearance = await cleared(http, actors, counter, asked)
    explained = await explain(http, auditor, asked, entry_id=entry["id"])
    assert [each["details"]["clearance_id"] for each in steps(explained, "clearance")] == [clearance["id"]]
    assert explained["verdicts"][0]["outcome"] == "clear"


async def test_it_is_on_record_and_changes_nothing(
    http: httpx2.AsyncClient, actors: Actors, auditor: Caller
) -> None:
    body = entry_body()
    entry = await impose(http, actors, body)
    await explain(http, auditor, check_body(body["subject"]), entry_id=entry["id"])
    trail = expect(await http.get("/v1/audit", headers=auditor.headers), 200)["items"]
    (look,) = [each for each in trail if each["act"] == "check.explained"]
    assert look["object"] == entry["id"]
    assert body["subject"]["full_name"] not in str(look)
    supervisor = await actors.client("supervisor")
    assert expect(await http.get("/v1/hits", headers=supervisor.headers), 200)["items"] == []
    owner = await actors.client("submitter")
    seen = expect(await http.get("/v1/worklist", headers=owner.headers), 200)["items"]
    assert not [each for each in seen if each["name"] in {"hit", "sighting"}]


@pytest.mark.parametrize(
    "role", ["submitter", "checkpoint", "supervisor", "approver", "duty_officer", "admin"]
)
async def test_only_auditors_ask(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    other = await actors.client(role)
    body = {**question("Budi Santoso"), "subject": {"full_name": "Budi Santoso"}}
    refused(await http.post("/v1/checks/explain", json=body, headers=other.headers), 403, "wrong-role")


async def test_what_it_can_not_compare_is_refused(http: httpx2.AsyncClient, auditor: Caller) -> None:
    async def sent(body: Json, **headers: str) -> httpx2.Response:
        return await http.post("/v1/checks/explain", json=body, headers={**auditor.headers, **headers})

    asked = question("Budi Santoso")
    subject = {"full_name": "Budi Santoso"}
    refused(await sent(asked), 422, "validation")
    refused(await sent({**asked, "subject": subject, "entry_id": "ent_1"}), 422, "validation")
    refused(await sent({**asked, "entry_id": "ent_1"}), 404, "not-found")
    refused(await sent({"direction": "exit", "mrz": "P<IDN", "subject": subject}), 422, "mrz-unreadable")
    repeated = await sent({**asked, "subject": subject}, **{"Idempotency-Key": "twice"})
    refused(repeated, 400, "idempotency-not-allowed")


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("listed", ["😀", "Joko Susilo", "A" * 300])
async def test_odd_names_are_explained_too(
    http: httpx2.AsyncClient, auditor: Caller, name: str, listed: str
) -> None:
    subject = {
        "full_name": listed,
        "aliases": [{"name": name, "quality": "low"}],
        "birth": {"age": 56, "as_of": "2026-11-23"},
    }
    explained = await explain(http, auditor, question(name), subject=subject)
    assert explained["steps"][-1]["step"] == "outcome"
    empty = await explain(http, auditor, question(name), subject={})
    assert (empty["level"], empty["verdicts"][0]["outcome"]) == (None, "clear")
