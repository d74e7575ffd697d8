"""People with one name, as carriers, visas and reservation systems write them; aliases written into a name."""

import httpx2
import pytest

from tests.api.border.test_checks_answers import ask
from tests.api.border.test_checks_batch import ask as ask_batch
from tests.api.border.test_checks_names import ANOTHER_PASSPORT, Json, listed, question
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, mrz_of
from tests.support.manifests import (
    EDIFACT,
    FLIGHT,
    HEADER,
    PATH,
    manifest_body,
    passenger,
    paxlst,
    send,
    statuses,
)
from tests.support.steps import expect, impose

FILLED = (
    "SUHARYADI SUHARYADI",
    "FNU SUHARYADI",
    "SUHARYADI LNU",
    "SUHARYADI TANPA NAMA",
    "SUHARYADI UNKNOWN",
    "NOGIVENNAME SUHARYADI",
    "SUHARYADI NO GIVEN NAME",
    "SUHARYADI XXX",
    "SUHARYADI X",
    "SUHARYADI N/A",
    "SUHARYADIMR",
    "SUHARYADIMSTR",
    "SUHARYADI SUHARYADIMR",
    "SUHARYADIFNU",
    "SUHARYADISUHARYADI",
)
FIELDS = (
    "SUHARYADI<<SUHARYADI",
    "SUHARYADI<<FNU",
    "FNU<<SUHARYADI",
    "SUHARYADI<<XXX",
    "XXX<<SUHARYADI",
    "SUHARYADI<<LNU",
    "SUHARYADI<<UNKNOWN",
    "SUHARYADI<<NO<GIVEN<NAME",
    "SUHARYADI<<NOGIVENNAME",
    "SUHARYADI<<SUHARYADIMR",
    "SUHARYADI<<TANPA<NAMA",
    "SUHARYADI<<SUHARYADI<SUHARYADI",
)
ALIASED = (
    "Joko Susilo alias Wira Rangkuti",
    "Joko Susilo als. Wira Rangkuti",
    "Joko Susilo a.k.a. Wira Rangkuti",
    "Joko Susilo d/h Wira Rangkuti",
    "Joko Susilo (Wira Rangkuti)",
    "Joko Susilo @ Wira Rangkuti",
)
BORN = "1970-05-17"


def zone(field: str, born: str = BORN) -> str:
    """A passport's zone with a name field."""
    subject = listed("Joko Susilo", born)["subject"] | {
        "documents": [{"type": "passport", "expires_on": "2031-01-01", **ANOTHER_PASSPORT}]
    }
    whole = mrz_of(subject)
    return f"{whole[:5]}{field:<<39}{whole[44:]}"


async def test_a_listed_person_with_one_name_is_found_whatever_fills_the_other_field(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors, listed("Suharyadi", BORN))
    asked = [question(name, BORN) for name in FILLED]
    asked += [{"direction": "exit", "mrz": zone(field)} for field in FIELDS]
    for each in asked:
        answer = await ask(http, counter, each)
        assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]], each
        assert answer["action"] == "refer_to_supervisor", each
    answers = await ask_batch(http, counter, asked)
    assert {answer["outcome"] for answer in answers} == {"refer"}


async def test_namesakes_with_one_name_and_another_birth_date_pass(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Suharyadi", BORN))
    asked = [question(name, "1984-11-02") for name in FILLED]
    asked += [{"direction": "exit", "mrz": zone(field, "1984-11-02")} for field in FIELDS]
    assert {answer["outcome"] for answer in await ask_batch(http, counter, asked)} == {"clear"}


async def test_placeholders_in_common_hold_nobody(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Suharyadi FNU", BORN))
    for name in ("FNU RANGKUTI", "WENAS FNU", "FNU LNU"):
        assert (await ask(http, counter, question(name, BORN)))["outcome"] == "clear", name


@pytest.mark.parametrize("text", ALIASED)
async def test_each_name_of_a_question_is_compared(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, text: str
) -> None:
    entry = await impose(http, actors, listed("Wira Rangkuti", BORN))
    answer = await ask(http, counter, question(text, BORN))
    assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]


@pytest.mark.parametrize("name", ["RANGKUTIWIRA", "WIRARANGKUTI", "RANGKUTI WIRA", "RANGKUTIWIRAMR"])
async def test_names_run_together_surname_first_or_last_are_found_with_a_birth_date_and_without(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, name: str
) -> None:
    entry = await impose(http, actors, listed("Wira Rangkuti", BORN))
    for born in (BORN, None):
        answer = await ask(http, counter, question(name, born))
        assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]], born


@pytest.mark.parametrize(
    "name", ["PARK SEOHYUN", "SEO HYUN PARK", "SEOHYUN PARK", "PARKSEOHYUN", "SEOHYUNPARK", "Park Seo-hyun"]
)
async def test_given_names_of_two_syllables_are_found_joined_and_apart_in_both_orders(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, name: str
) -> None:
    entry = await impose(http, actors, listed("Park Seo Hyun", BORN))
    answer = await ask(http, counter, question(name, BORN))
    assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]


def foreigner() -> Json:
    """An entry ban of somebody with one name."""
    body = deterrence_body()
    body["subject"] |= {"full_name": "Suharyadi", "birth": {"date": BORN}}
    return body


async def test_carriers_are_told_to_make_contact_whatever_fills_the_other_field(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    subject = foreigner()["subject"]
    await impose(http, actors, foreigner())
    paper = {"number": "ZZ998877", "issuing_state": subject["nationalities"][0]}
    named = [
        passenger(subject, str(place), person={"name": name}, document=paper)
        for place, name in enumerate(FILLED)
    ]
    manifest = await send(http, carrier, manifest_body(*named))
    assert set(statuses(manifest)) == {"contact"}
    stranger = passenger(subject, "9", person={"name": FILLED[0], "birth_date": "1984-11-02"}, document=paper)
    assert statuses(await send(http, carrier, manifest_body(stranger))) == ["board"]


@pytest.mark.parametrize(
    "name",
    [
        "SUHARYADI:FNU",
        "SUHARYADI:SUHARYADI",
        "SUHARYADI",
        "FNU:SUHARYADI",
        "SUHARYADI:XXX",
        "SUHARYADI:SUHARYADIMR",
    ],
)
async def test_a_paxlst_with_one_name_is_answered_with_contact(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, name: str
) -> None:
    subject = foreigner()["subject"]
    await impose(http, actors, foreigner())
    paper = {"number": "ZZ998877", "issuing_state": subject["nationalities"][0]}
    whole = paxlst(passenger(subject, "1", person={"name": "SUHARYADI MARKED"}, document=paper))
    assert whole.startswith(HEADER)
    assert FLIGHT in whole
    text = whole.replace("MARKED:SUHARYADI", name)
    assert text != whole
    headers = {**carrier.headers, **EDIFACT, "Accept": "application/json"}
    manifest = expect(await http.post(PATH, content=text.encode(), headers=headers), 201)
    assert statuses(manifest) == ["contact"]
