"""Document numbers as people, readers and carriers send them: checks, batches and manifests, on both engines."""

from typing import Any

import httpx2
import pytest

from tests.api.border.test_manifests_edifact import taken
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body
from tests.support.crossings import ask
from tests.support.dirty_numbers import FAULTS, PLACEHOLDERS, spoiled
from tests.support.manifests import manifest_body, passenger, paxlst, send, statuses
from tests.support.steps import Json, expect, impose

NUMBER, STATE = "E63974448", "CHN"
SOMEBODY = {"name": "Gideon Ashdowne", "birth_date": "1988-01-02", "sex": "male"}
ZHE = "\u0416"
"""A letter that looks like none of A to Z."""


def banned(number: str = NUMBER, state: str = STATE) -> Json:
    """A body that bars a foreigner from entering, known by one passport and no common name."""
    papers = [{"type": "passport", "number": number, "issuing_state": state}]
    return deterrence_body(subject={"documents": papers, "nationalities": [state]})


def about(number: str, state: str | None = STATE, **person: Any) -> Json:
    """A question about a document, and about somebody of another name where a person is given."""
    return {
        "direction": "entry",
        "document": {"number": number, "issuing_state": state},
        "person": person or None,
    }


async def test_a_listed_number_is_never_cleared_by_what_stands_around_it(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, banned())
    sent = [spoiled(fault, NUMBER) for fault in FAULTS]
    for text in sent:
        for state in (STATE, None):
            assert (await ask(http, counter, about(text, state)))["outcome"] != "clear", (text, state)
    batch = {"items": [about(text) for text in sent]}
    answers = expect(await http.post("/v1/checks/batch", json=batch, headers=counter.headers), 200)["items"]
    assert [text for text, answer in zip(sent, answers, strict=True) if answer["outcome"] == "clear"] == []
    for text in (spoiled(fault, "L70123456") for fault in FAULTS):
        assert (await ask(http, counter, about(text)))["outcome"] == "clear", text


async def test_no_form_of_a_listed_number_boards(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = banned()
    await impose(http, actors, body)
    person = {**SOMEBODY, "nationality": STATE}
    listed = [
        passenger(body["subject"], str(place), document={"number": spoiled(fault, NUMBER)}, person=person)
        for place, fault in enumerate(FAULTS)
    ]
    manifest = await send(http, carrier, manifest_body(*listed))
    assert "board" not in statuses(manifest), [*zip(FAULTS, statuses(manifest), strict=True)]
    others = [{**each, "document": {**each["document"], "number": spoiled(fault, "L70123456")}}
              for each, fault in zip(listed, FAULTS, strict=True)]  # fmt: skip
    assert set(statuses(await send(http, carrier, manifest_body(*others)))) == {"board"}
    said = ("E639744485", "E63974448CHN", "CHNE63974448", "PE63974448", "No. E63974448", "PASPOR E63974448",
            "E63974448<5", "E639744485CHN9701012F", "C805775 ,E63974448")  # fmt: skip
    told = [
        {**listed[0], "reference": text, "document": {**listed[0]["document"], "number": text}}
        for text in said
    ]
    edifact = await taken(http, carrier, paxlst(*told))
    assert "board" not in statuses(edifact), [*zip(said, statuses(edifact), strict=True)]


async def test_look_alikes_refer_and_the_answer_says_so(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors, banned("MP2345678"))
    answer = await ask(http, counter, about("\u041c\u04202345678"))
    assert answer["outcome"] == "refer"
    assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]
    assert [(each["code"], each["pointer"]) for each in answer["warnings"]] == [
        ("look_alike_folded", "/document/number")
    ]
    again = expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200)
    assert again == answer
    assert (await ask(http, counter, about("2345678")))["outcome"] == "clear"


async def test_letters_that_look_like_none_of_ours_are_refused_with_their_place(
    http: httpx2.AsyncClient, counter: Caller, carrier: Caller
) -> None:
    asked = about(f"{ZHE}2345678", **SOMEBODY)
    problem = expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 422)
    (fault,) = problem["errors"]
    assert (fault["pointer"], fault["code"]) == ("/document/number", "characters")
    batch = await http.post(
        "/v1/checks/batch", json={"items": [asked, about("L1234567")]}, headers=counter.headers
    )
    wrong, right = expect(batch, 200)["items"]
    assert wrong["problem"]["errors"] == [fault]
    assert right["outcome"] == "clear"
    row = {"reference": "1", "document": asked["document"], "person": {**SOMEBODY, "nationality": "CHN"}}
    manifest = await send(http, carrier, manifest_body(row))
    assert statuses(manifest) == [None]
    assert manifest["items"][0]["problem"]["errors"] == [fault]


async def test_a_placeholder_holds_nobody(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    await impose(http, actors, banned())
    for text in PLACEHOLDERS:
        answer = await ask(http, counter, about(text, **SOMEBODY))
        assert (answer["outcome"], [each["code"] for each in answer["warnings"]]) == (
            "clear",
            ["no_number"],
        ), text
        alone = await http.post("/v1/checks", json=about(text), headers=counter.headers)
        expect(alone, 422)


async def test_several_numbers_in_one_field_are_each_looked_up(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    first, second = [await impose(http, actors, banned(number)) for number in ("C805775", "AA8630281")]
    answer = await ask(http, counter, about("C805775 ,AA8630281"))
    assert {match["entry_id"] for match in answer["matches"]} == {first["id"], second["id"]}
    assert answer["outcome"] != "clear"
    assert [each["code"] for each in answer["warnings"]] == ["several_numbers"]


async def test_a_state_read_in_the_number_lets_nobody_refuse_a_citizen(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, banned("X1234567"))
    asked = about("X1234567<7IDN7005174M", None, **SOMEBODY, nationality="NZL")
    assert (await ask(http, counter, asked))["outcome"] != "refuse"


@pytest.mark.parametrize("text", ["PE63974448", "E63974448CHN"])
async def test_what_only_may_be_meant_refers_and_is_explained(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, auditor: Caller, text: str
) -> None:
    entry = await impose(http, actors, banned())
    answer = await ask(http, counter, about(text))
    assert answer["outcome"] == "refer"
    (match,) = answer["matches"]
    assert ("document_number", "may_be_meant") in {
        (each["feature"], each["result"]) for each in match["reasons"]
    }
    body = {**about(text), "entry_id": entry["id"]}
    explained = expect(await http.post("/v1/checks/explain", json=body, headers=auditor.headers), 200)
    assert NUMBER in str(explained)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("E639744485CHN9701012F3001019<<<<<<<<<<<<<<06", "exact"),
        (
            "POCHNASHDOWNE<<GIDEON<<<<<<<<<<<<<<<<<<<<<<<E639744485CHN9701012F3001019<<<<<<<<<<<<<<06",
            "possible",
        ),
        ("Passport No. E63974448 issued in Shanghai by the Exit and Entry Administration", "exact"),
    ],
)
async def test_a_field_longer_than_any_number_is_read_for_the_number_in_it(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, text: str, level: str
) -> None:
    await impose(http, actors, banned())
    answer = await ask(http, counter, about(text))
    assert [match["level"] for match in answer["matches"]] == [level]
    assert answer["outcome"] != "clear"


async def test_a_field_too_long_to_be_a_number_and_with_none_in_it_is_refused(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    for text in ("A1B2C3D4E5" * 5, "A1B2C3D4E5" * 21):
        problem = expect(await http.post("/v1/checks", json=about(text), headers=counter.headers), 422)
        (fault,) = problem["errors"]
        assert (fault["pointer"], fault["code"]) == ("/document/number", "string_too_long")


async def test_a_manifest_says_which_numbers_were_not_read_as_they_stand(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    subject = banned("MP2345678")["subject"]
    sent = [
        passenger(subject, str(place), document={"number": text, "type": "passport"})
        for place, text in enumerate(("L1234567", "\u041c\u04202345678", "C805775 ,AA8630281"))
    ]
    warned = [
        ("look_alike_folded", "/passengers/1/document/number"),
        ("several_numbers", "/passengers/2/document/number"),
    ]
    manifest = await send(http, carrier, manifest_body(*sent))
    assert [(each["code"], each["pointer"]) for each in manifest["warnings"]] == warned
    read = expect(await http.get(f"/v1/manifests/{manifest['id']}", headers=carrier.headers), 200)
    assert read["warnings"] == manifest["warnings"]
    edifact = await taken(http, carrier, paxlst(*sent[::2]))
    assert ("several_numbers", "/passengers/1/document/number") in [
        (each["code"], each["pointer"]) for each in edifact["warnings"]
    ]
