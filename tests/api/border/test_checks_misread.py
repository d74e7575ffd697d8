"""Zones as readers spoil them, through HTTP: fillers read as characters, states that can't be read."""

import httpx2
import pytest

from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body, merged, mrz_of
from tests.support.manifests import EDIFACT, PATH, manifest_body, paxlst, send, statuses
from tests.support.steps import expect, impose
from tests.support.zones import misread

RANGGA: Json = {
    "full_name": "Rangga Wiratama",
    "sex": "male",
    "birth": {"date": "1970-05-17"},
    "nik": "3171011705700001",
    "documents": [
        {"type": "passport", "number": "X1234567", "issuing_state": "IDN", "expires_on": "2030-01-01"}
    ],
}
ALL_K = "PKIDNWIRATAMAKKRANGGAKKKKKKKKKKKKKKKKKKKKKKK\nX1234567K7IDN7005174M3001019KKKKKKKKKKKKKKK8"
CARD = "I<IDNX1234567<7<<<<<<<<<<<<<<<\n7005174M3001019IDN<<<<<<<<<<<8\nWIRATAMA<<RANGGA<<<<<<<<<<<<<<"


async def asks(http: httpx2.AsyncClient, by: Caller, *questions: Json) -> list[Json]:
    """What a counter is answered, each question in its place."""
    items = [{"direction": "exit", **question} for question in questions]
    return list(
        expect(await http.post("/v1/checks/batch", json={"items": items}, headers=by.headers), 200)["items"]
    )


async def asks_one(http: httpx2.AsyncClient, by: Caller, question: Json) -> Json:
    """What a counter is answered to a single question."""
    sent = {"direction": "exit", **question}
    return expect(await http.post("/v1/checks", json=sent, headers=by.headers), 200)


async def test_a_zone_whose_every_filler_is_a_k_refers_with_warnings(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, entry_body(subject=RANGGA))
    answer = await asks_one(http, counter, {"mrz": ALL_K})
    assert answer["outcome"] == "refer"
    assert {"name_fillers", "number_fillers"} <= set(answer["mrz"]["warnings"])
    assert answer["mrz"]["fields"]["name"] == "RANGGA WIRATAMA"
    found = {(each["feature"], each["result"]) for each in answer["matches"][0]["reasons"]}
    assert {("document_number", "confusable"), ("birth_date", "equal"), ("name", "equal")} <= found


async def test_whatever_character_the_fillers_were_read_as_nobody_is_cleared(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body(subject=RANGGA)
    await impose(http, actors, body)
    passport = mrz_of(body["subject"])
    zones = [
        misread(zone, taken, places)
        for zone, number in ((passport, (52,)), (CARD, (13,)))
        for taken in "KAU0CEGLSX6RZ"
        for places in (None, number)
    ]
    for zone, answer in zip(
        zones, await asks(http, counter, *({"mrz": each} for each in zones)), strict=True
    ):
        assert answer["outcome"] == "refer", zone
        assert answer["mrz"]["warnings"] or zone.count("\n") == 2, zone


async def test_a_name_alone_is_found_behind_misread_fillers(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body(subject=RANGGA)
    await impose(http, actors, body)
    renewed = mrz_of(
        merged(body["subject"], {"documents": [{**RANGGA["documents"][0], "number": "C7777777"}]})
    )
    zones = [misread(renewed, taken, range(5, 44)) for taken in ("K", "A", "0", "U", "C", "G", "KCSLE")]
    for zone, answer in zip(
        zones, await asks(http, counter, *({"mrz": each} for each in zones)), strict=True
    ):
        assert answer["outcome"] == "refer", zone
        assert "name_fillers" in answer["mrz"]["warnings"]


async def test_a_number_that_a_reader_hands_over_with_its_fillers_refers_and_the_right_one_refuses(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, entry_body(subject=RANGGA))
    second = {**RANGGA, "full_name": "Suryadi Lembang", "nik": "3171011705700002"}
    second["documents"] = [{**RANGGA["documents"][0], "number": "O996479"}]
    await impose(http, actors, entry_body(subject=second))
    numbers = ["X1234567", "X1234567K", "O996479", "O996479KK", "X1234568K"]
    questions = [{"document": {"number": number, "issuing_state": "IDN"}} for number in numbers]
    outcomes = [each["outcome"] for each in await asks(http, counter, *questions)]
    assert outcomes == ["refuse", "refer", "refuse", "refer", "clear"]


async def test_a_namesake_of_another_birth_date_and_number_passes_with_a_clean_zone_and_a_misread_one(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = entry_body(subject=RANGGA)
    await impose(http, actors, body)
    papers = [{**RANGGA["documents"][0], "number": "B7654321"}]
    clean = mrz_of(merged(body["subject"], {"birth": {"date": "1988-11-02"}, "documents": papers}))
    zones = [clean, *(misread(clean, taken) for taken in "KA0CG")]
    answers = await asks(http, counter, *({"mrz": zone} for zone in zones))
    assert [answer["outcome"] for answer in answers] == ["clear"] * len(zones)
    assert answers[0]["mrz"]["warnings"] == []


@pytest.mark.parametrize("written", ["1DN", "ID<", "I0N", "INA", "RI<"])
async def test_a_state_that_cannot_be_read_counts_as_missing_and_a_synonym_as_itself(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, written: str
) -> None:
    body = entry_body(subject=RANGGA)
    await impose(http, actors, body)
    zone = mrz_of(body["subject"]).replace("P<IDN", f"P<{written}")
    number = {"number": "X1234567", "issuing_state": written}
    shown, typed = await asks(http, counter, {"mrz": zone}, {"document": number})
    assert shown["outcome"] == "refuse"
    assert "unknown_state" in shown["mrz"]["warnings"]
    assert typed["outcome"] in {"refer", "refuse"}


@pytest.mark.parametrize(
    ("listed", "written"),
    [
        ("RKS", "XXK"),
        ("RKS", "UNK"),
        ("RKS", "XKX"),
        ("RKS", "XK"),
        ("NZL", "NZ"),
        ("GBR", "GBD"),
        ("DEU", "D"),
    ],
)
async def test_a_state_is_itself_under_each_of_its_codes(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, listed: str, written: str
) -> None:
    body = deterrence_body()
    body["subject"]["documents"][0]["issuing_state"] = body["subject"]["nationalities"][0] = listed
    await impose(http, actors, body)
    number = body["subject"]["documents"][0]["number"]
    question = {
        "direction": "entry",
        "document": {"number": number, "issuing_state": written},
        "person": {"nationality": written},
    }
    (answer,) = await asks(http, counter, question)
    assert answer["outcome"] == "refuse"


@pytest.mark.parametrize("written", ["ID", "RI", "INA", "1DN", "ION"])
async def test_whoever_may_be_indonesian_by_a_misread_state_is_never_refused_entry(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, written: str
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    person = {
        "nationality": "NZL",
        "name": body["subject"]["full_name"],
        "birth_date": body["subject"]["birth"]["date"],
    }
    document = {"number": body["subject"]["documents"][0]["number"], "issuing_state": written}
    (answer,) = await asks(http, counter, {"direction": "entry", "document": document, "person": person})
    assert answer["outcome"] == "refer"


async def test_both_centuries_of_a_zone_are_tried_and_a_full_year_decides(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    aged = {**RANGGA, "birth": {"date": "1926-05-17"}, "nik": "3171011705260001"}
    body = entry_body(subject=aged)
    await impose(http, actors, body)
    renewed = {**body["subject"], "documents": [{**RANGGA["documents"][0], "number": "C7777777"}]}
    questions = [
        {"mrz": mrz_of(person), "person": {"birth_date": typed}}
        for person in (body["subject"], renewed)
        for typed in (None, "1926-05-17", "2026-05-17")
    ]
    answers = await asks(http, counter, *questions)
    outcomes = [answer["outcome"] for answer in answers]
    assert outcomes == ["refer", "refuse", "refer", "refer", "refer", "clear"]
    assert [answer["mrz"]["fields"]["birth_date"] for answer in answers[:3]] == [
        "2026-05-17",
        "1926-05-17",
        "2026-05-17",
    ]
    assert [answer["mrz"]["warnings"] for answer in answers[:3]] == [[], ["birth_century"], []]


async def test_a_passenger_of_two_digits_is_asked_about_in_both_centuries(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    body["subject"]["birth"] = {"date": "1926-05-17"}
    await impose(http, actors, body)
    number, name = body["subject"]["documents"][0]["number"], body["subject"]["full_name"]
    person = {"name": name, "birth_date": "1926-05-17", "sex": body["subject"]["sex"], "nationality": "NZ"}
    same = {"reference": "1", "person": person, "document": {"number": number, "issuing_state": "NZ"}}
    other = {
        "reference": "2",
        "person": person,
        "document": {"number": "C7777777", "issuing_state": "NEW ZEALAND"},
    }
    unread = {"reference": "3", "person": person, "document": {"number": number, "issuing_state": "N/Z"}}
    text = paxlst(same, other, unread)
    sent = await http.post(PATH, content=text.encode(), headers={**carrier.headers, **EDIFACT})
    assert statuses(expect(sent, 201)) == ["do_not_board", "contact", "do_not_board"]


async def test_passengers_are_found_behind_misread_fillers_and_other_codes_of_states(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    subject = body["subject"]
    number, zone = subject["documents"][0]["number"], mrz_of(subject)
    passengers = [
        {"reference": "1", "mrz": zone},
        {"reference": "2", "mrz": misread(zone, "K")},
        {
            "reference": "3",
            "document": {"number": number, "issuing_state": "NZ"},
            "person": {"nationality": "NZ"},
        },
        {"reference": "4", "document": {"number": f"{number}K", "issuing_state": "NZL"}},
        {"reference": "5", "document": {"number": number, "issuing_state": "N2L"}},
    ]
    manifest = await send(http, carrier, manifest_body(*passengers))
    assert statuses(manifest) == ["do_not_board", "contact", "do_not_board", "contact", "contact"]
