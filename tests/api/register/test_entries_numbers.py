"""Document numbers as officers and older registers write them: filed under the number, or refused with the place."""

from pathlib import Path

import httpx2
import pytest

from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body, urgent_body
from tests.support.crossings import ask
from tests.support.dirty_numbers import PLACEHOLDERS
from tests.support.steps import expect, file_amendment, impose, sound, submit
from tests.support.takeovers import entries, line, ndjson, taken, told
from tests.support.un_editions import individual, national, passport, write
from tests.workflows.test_import_un import imported

PASSPORT = {"type": "passport", "issuing_state": "IDN", "expires_on": None}
ZHE = "\u0416"
"""A letter that looks like none of A to Z."""

FILED = [
    ("X1234567", ["X1234567"], []),
    ("x 123-4567", ["x 123-4567"], []),
    ("\u041c\u04202345678", ["MP2345678"], ["look_alike_folded"]),
    ("\u03a71234567", ["X1234567"], ["look_alike_folded"]),
    ("\uff38\uff11\uff12\uff13\uff14\uff15\uff16\uff17", ["X1234567"], []),
    ("C805775 ,AA8630281", ["C805775", "AA8630281"], ["several_numbers"]),
    ("A 1234567 (lama), B 7654321 (baru)", ["A 1234567", "B 7654321"], ["several_numbers"]),
    ("Paspor No. C1234567", ["C1234567"], ["words_left_out"]),
    ("PASPOR X1234567", ["X1234567"], ["words_left_out"]),
    ("E639744485CHN", ["E63974448"], ["words_left_out"]),
    ("E63974448<5", ["E63974448"], ["words_left_out"]),
    ("E639744485", ["E639744485"], ["may_hold_more"]),
    ("E63974448CHN", ["E63974448CHN"], ["may_hold_more"]),
]
REFUSED = [
    (f"{ZHE}2345678", "characters"),
    ("\u8b77\u71671234567\u53f7", "characters"),
    ("paspor ditahan penyidik", "words"),
    ("HOTEL MULIA C1234567", "words"),
    ("A1234567890" * 4, "string_too_long"),
    *((text, "empty") for text in PLACEHOLDERS),
]


def written(*numbers: str) -> Json:
    """A body with passports whose numbers are written like this."""
    return entry_body(subject={"documents": [{**PASSPORT, "number": number} for number in numbers]})


def warned(entry: Json) -> list[tuple[str, str]]:
    return [
        (each["code"], each["pointer"])
        for each in entry["warnings"]
        if each["pointer"].startswith("/subject/documents")
    ]


@pytest.mark.parametrize(("text", "numbers", "warnings"), FILED)
async def test_a_number_is_filed_as_what_it_means_for_certain(
    http: httpx2.AsyncClient, owner: Caller, text: str, numbers: list[str], warnings: list[str]
) -> None:
    body = written("C9876543", text)
    entry = await submit(http, owner, body)
    assert [each["number"] for each in entry["subject"]["documents"]] == ["C9876543", *numbers]
    assert warned(entry) == [(code, "/subject/documents/1/number") for code in warnings]
    raised = await sound(http, owner, urgent_body(subject=written(text)["subject"]))
    assert [each["number"] for each in raised["entry"]["subject"]["documents"]] == numbers
    assert warned(raised["entry"]) == [(code, "/subject/documents/0/number") for code in warnings]


@pytest.mark.parametrize(("text", "code"), REFUSED)
@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_what_is_no_number_is_refused_with_its_place(
    http: httpx2.AsyncClient, owner: Caller, text: str, code: str
) -> None:
    problem = expect(
        await http.post("/v1/entries", json=written("C9876543", text), headers=owner.headers), 422
    )
    assert ("/subject/documents/1/number", code) in {
        (each["pointer"], each["code"]) for each in problem["errors"]
    }


async def test_further_numbers_stand_behind_and_never_twice(http: httpx2.AsyncClient, owner: Caller) -> None:
    entry = await submit(http, owner, written("C1234567, D7654321", "E1111112", "D 7654321"))
    assert [each["number"] for each in entry["subject"]["documents"]] == ["C1234567", "E1111112", "D 7654321"]


async def test_every_number_of_a_field_stops_its_bearer(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors, written("A 1234567 (lama), B 7654321 (baru)"))
    for number in ("A1234567", "B7654321"):
        asked = {"direction": "exit", "document": {"number": number, "issuing_state": "IDN"}}
        answer = await ask(http, counter, asked)
        assert (answer["outcome"], [match["entry_id"] for match in answer["matches"]]) == (
            "refuse",
            [entry["id"]],
        )


async def test_a_number_that_may_hold_more_is_found_by_what_it_may_mean(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    papers = [{"type": "passport", "number": "E639744485", "issuing_state": "CHN"}]
    await impose(http, actors, deterrence_body(subject={"documents": papers, "nationalities": ["CHN"]}))
    for number, outcome in (("E639744485", "refuse"), ("E63974448", "refer"), ("E63974448CHN", "refer")):
        asked = {"direction": "entry", "document": {"number": number, "issuing_state": "CHN"}}
        asked["person"] = {"nationality": "CHN"}
        assert (await ask(http, counter, asked))["outcome"] == outcome, number


async def test_an_innocent_is_not_held_for_the_digits_behind_letters_of_another_script(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, written("\u041c\u04202345678"))
    for number, outcome in (("2345678", "clear"), ("MP2345678", "refuse")):
        asked = {"direction": "exit", "document": {"number": number, "issuing_state": "IDN"}}
        assert (await ask(http, counter, asked))["outcome"] == outcome, number


async def test_a_correction_is_filed_as_an_entry_is(
    http: httpx2.AsyncClient, actors: Actors, owner: Caller
) -> None:
    entry = await impose(http, actors, body := written("X1234567"))
    subject = {**body["subject"], "documents": [{**PASSPORT, "number": "X1234567; \u041c\u04202345678"}]}
    subject.pop("photo")
    asked = {"kind": "correction", "correction": {"subject": subject}}
    amendment = expect(await file_amendment(http, owner, entry, asked), 201)
    papers = amendment["correction"]["subject"]["documents"]
    assert [each["number"] for each in papers] == ["X1234567", "MP2345678"]
    assert ("look_alike_folded", "/correction/subject/documents/0/number") in [
        (each["code"], each["pointer"]) for each in amendment["warnings"]
    ]


async def test_an_older_registers_fields_are_taken_apart_or_told(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, tmp_path: Path
) -> None:
    texts = [
        "C805775 ,AA8630281",
        "Paspor No. C1234567",
        "N/A",
        "\u041c\u04202345678",
        f"{ZHE}2345678",
        "LUPA BAWA",
    ]
    lines = [line(f"old-{place}", entry=written(text)) for place, text in enumerate(texts)]
    report = await taken(runtime, ndjson(tmp_path, *lines))
    assert (report["added"], [each["id"] for each in report["skipped"]]) == (4, ["old-4", "old-5"])
    assert all("/entry/subject/documents/0/number" in each["reason"] for each in report["skipped"])
    listed = [[paper.number for paper in entry.subject.documents] for entry in await entries(runtime)]
    assert sorted(listed) == [[], ["C1234567"], ["C805775", "AA8630281"], ["MP2345678"]]
    assert await taken(runtime, ndjson(tmp_path, *lines)) == told(unchanged=4, skipped=report["skipped"])
    for number in ("C805775", "AA8630281", "C1234567", "MP2345678"):
        asked = {"direction": "exit", "document": {"number": number, "issuing_state": "IDN"}}
        assert (await ask(http, counter, asked))["outcome"] == "refuse", number


async def test_an_older_registers_line_without_a_number_says_so_itself(
    runtime: Runtime, http: httpx2.AsyncClient, owner: Caller, tmp_path: Path
) -> None:
    await taken(runtime, ndjson(tmp_path, line(entry=written("tidak ada"))))
    (entry,) = await entries(runtime)
    assert entry.unknown == ("documents",)
    shown = expect(await http.get(f"/v1/entries/{entry.id}", headers=owner.headers), 200)
    assert warned(shown) == [("no_number", "/subject/documents/0/number")]


async def test_a_search_reads_a_number_as_a_check_does(http: httpx2.AsyncClient, owner: Caller) -> None:
    entry = await submit(http, owner, written("E63974448"))
    for text in ("E63974448", "\u0415" + "63974448", "PASPOR E63974448", "E639744485", "A1234567, E63974448"):
        found = await http.post("/v1/entries/search", json={"document": text}, headers=owner.headers)
        assert [each["id"] for each in expect(found, 200)["items"]] == [entry["id"]], text
    problem = await http.post("/v1/entries/search", json={"document": f"{ZHE}1"}, headers=owner.headers)
    assert [each["pointer"] for each in expect(problem, 422)["errors"]] == ["/document"]


async def test_a_case_is_one_on_whichever_keyboard_it_was_typed(
    http: httpx2.AsyncClient, owner: Caller
) -> None:
    first = await submit(http, owner, entry_body(basis={"case_reference": "Sprin.Dik-77/01"}))
    same = {"subject": first["subject"] | {"photo": entry_body()["subject"]["photo"]}}
    for member in ("citizenship_note", "citizenship_loss"):
        same["subject"].pop(member)
    again = entry_body(**same, basis={"case_reference": "S\u0440rin.Dik-77/01"})
    problem = expect(await http.post("/v1/entries", json=again, headers=owner.headers), 409)
    assert problem["type"] == "/problems/duplicate-entry"
    other = await submit(http, owner, entry_body(basis={"case_reference": "S\u0440rin.Dik-78/01"}))
    assert ("look_alike_folded", "/basis/case_reference") in [
        (each["code"], each["pointer"]) for each in other["warnings"]
    ]


@pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
async def test_a_reference_in_letters_that_look_like_none_of_ours_is_refused(
    http: httpx2.AsyncClient, owner: Caller
) -> None:
    for member in ("number", "case_reference"):
        body = entry_body(basis={member: f"{ZHE}-12/2026"})
        problem = expect(await http.post("/v1/entries", json=body, headers=owner.headers), 422)
        assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
            (f"/basis/{member}", "characters")
        ]
    body = urgent_body(letter={"number": f"{ZHE}-12/2026"})
    problem = expect(await http.post("/v1/urgent-entries", json=body, headers=owner.once("once")), 422)
    assert [each["pointer"] for each in problem["errors"]] == ["/letter/number"]


async def test_every_number_of_the_published_list_stops_its_bearer(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, tmp_path: Path
) -> None:
    cells = (
        national("Afghanistan")
        + passport("C805775 ,AA8630281", "Afghanistan")
        + passport("N/A", "Afghanistan")
    )
    assert (await imported(runtime, write(tmp_path, individual(cells))))["added"] == 1
    for number, outcome in (
        ("C805775", "refuse"),
        ("AA8630281", "refuse"),
        ("PAA8630281", "refer"),
        ("NA", None),
    ):
        asked = {"direction": "entry", "document": {"number": number, "issuing_state": "AFG"}}
        asked["person"] = {"nationality": "AFG"}
        if outcome is None:
            expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 422)
        else:
            assert (await ask(http, counter, asked))["outcome"] == outcome, number
