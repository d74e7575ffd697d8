"""`POST /v1/checks` about names: disguises found, namesakes left alone, and nobody refused for a name."""

from typing import Any

import httpx2
import pytest

from tests.api.border.test_checks_answers import ask
from tests.support.actors import Actors, Caller
from tests.support.bodies import deterrence_body, entry_body, mrz_of, urgent_body
from tests.support.steps import expect, impose, sound

Json = dict[str, Any]

ANOTHER_PASSPORT = {"number": "C7654321", "issuing_state": "IDN"}


def listed(name: str, born: str = "1970-05-17", **given: Any) -> Json:
    """A body that bans somebody from leaving."""
    return entry_body(subject={"full_name": name, "birth": {"date": born}, **given})


def question(
    name: str | None, born: str | None = "1970-05-17", direction: str = "exit", **given: Any
) -> Json:
    """A counter's question about somebody with a passport that no entry lists."""
    person = {"name": name, "birth_date": born, **given}
    return {"direction": direction, "document": ANOTHER_PASSPORT, "person": person}


@pytest.mark.parametrize(
    "name",
    [
        "Moehammad Djoko Soesilo",
        "JOKO SUSILO MUHAMMAD",
        "Drs. H. Muh. Joko Susilo, M.Si.",
        "M. Djoko Soesilo",
        "Muhammad Jokosusilo",
        "Muhamad Joko Sosilo",
    ],
)
async def test_a_disguised_name_with_the_birth_date_is_referred_never_refused(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, name: str
) -> None:
    entry = await impose(http, actors, listed("Muhammad Joko Susilo"))
    answer = await ask(http, counter, question(name))
    assert (answer["outcome"], answer["action"]) == ("refer", "refer_to_supervisor")
    (match,) = answer["matches"]
    assert match["entry_id"] == entry["id"]
    assert match["level"] in {"probable", "possible"}
    assert 0 < match["score"] <= 1
    assert {reason["feature"] for reason in match["reasons"]} >= {"name_word", "birth_date"}
    assert all(reason["text_id"] and reason["text_en"] for reason in match["reasons"])
    assert sum(reason["weight"] for reason in match["reasons"]) == pytest.approx(
        match["score"], abs=0.02
    ) or (match["score"] == 1)
    assert answer["hit_id"].startswith("hit_")


async def test_an_urgent_entry_is_found_by_name_from_its_commit_on(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    asked = question("Djoko Soesilo Rangkoeti")
    assert (await ask(http, counter, asked))["outcome"] == "clear"
    body = urgent_of("Joko Susilo Rangkuti")
    raised = await sound(http, await actors.client("submitter"), body)
    found = await ask(http, counter, asked)
    assert [match["entry_id"] for match in found["matches"]] == [raised["entry"]["id"]]
    assert found["outcome"] == "refer"


def urgent_of(name: str) -> Json:
    """An urgent body about somebody of that name."""
    body = urgent_body()
    body["subject"] |= {"full_name": name, "birth": {"date": "1970-05-17"}}
    return body


async def test_namesakes_with_another_birth_date_are_left_alone(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Muhammad Rizki"))
    for name, born in (
        ("Muhammad Rizki", "1984-11-02"),
        ("Muhammad", "1970-05-17"),
        ("Rizki Maulana", "1999-01-30"),
    ):
        answer = await ask(http, counter, question(name, born))
        assert (answer["outcome"], answer["matches"], answer["hit_id"]) == ("clear", [], None), name


async def test_a_name_that_is_alike_but_not_enough_is_noted_for_auditors_alone(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors, listed("Wiralodra Tandirerung Rangkuti"))
    answer = await ask(http, counter, question("Wiralodra Tandirerung Rangkuti", "1991-12-30"))
    assert (answer["outcome"], answer["matches"], answer["noted"]) == ("clear", [], [])
    path = f"/v1/checks/{answer['id']}"
    again = expect(await http.get(path, headers=counter.headers), 200)
    assert again["noted"] == []
    auditor = await actors.client("auditor")
    seen = expect(await http.get(path, headers=auditor.headers), 200)
    (noted,) = seen["noted"]
    assert (noted["entry_id"], noted["version"]) == (entry["id"], entry["version"])
    assert 0 <= noted["score"] <= 1


async def test_a_foreigner_is_not_refused_entry_for_a_name(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = deterrence_body()
    entry = await impose(http, actors, body)
    subject = body["subject"]
    asked = question(
        subject["full_name"], subject["birth"]["date"], "entry", nationality=subject["nationalities"][0]
    )
    asked["document"] = {"number": "ZZ998877", "issuing_state": subject["nationalities"][0]}
    answer = await ask(http, counter, asked)
    assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]
    assert answer["action"] == "refer_to_supervisor"


async def test_the_name_of_a_zone_is_searched_also_where_it_is_cut_off(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    name = "Raden Wiralodra Prawirakusumahningrat Tandirerung Mangunsarkoro"
    entry = await impose(http, actors, listed(name))
    traveller = {
        **entry["subject"],
        "documents": [{"type": "passport", "expires_on": "2031-01-01", **ANOTHER_PASSPORT}],
    }
    answer = await ask(http, counter, {"direction": "exit", "mrz": mrz_of(traveller)})
    assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]]
    assert "cut_off" in {reason["result"] for reason in answer["matches"][0]["reasons"]}


async def test_another_name_beside_an_equal_number_is_reported_and_never_clears(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    body = listed("Joko Susilo Rangkuti")
    await impose(http, actors, body)
    paper = body["subject"]["documents"][0]
    asked = question("Tandirerung Wenas", "1970-05-17")
    asked["document"] = {"number": paper["number"], "issuing_state": paper["issuing_state"]}
    answer = await ask(http, counter, asked)
    assert answer["outcome"] == "refuse"
    results = {(reason["feature"], reason["result"]) for reason in answer["matches"][0]["reasons"]}
    assert ("name", "different") in results


async def test_without_a_birth_date_a_rare_name_is_referred_and_a_common_one_is_not(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Wiralodra Tandirerung"))
    await impose(http, actors, listed("Muhammad"))
    assert (await ask(http, counter, question("Tandirerung Wiralodra", None)))["outcome"] == "refer"
    assert (await ask(http, counter, question("Muhammad", None)))["outcome"] == "clear"


@pytest.mark.parametrize(
    "name", ["", " ", "X", "😀", "12345 678", "ب", "-", "'", "A" * 200, "محمد بن علي", "李小龍 Bruce"]
)
async def test_no_name_breaks_a_check(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, name: str
) -> None:
    await impose(http, actors, listed("Muhammad Ali"))
    response = await http.post("/v1/checks", json=question(name), headers=counter.headers)
    assert response.status_code in {200, 422}
    if response.status_code == 422:
        assert [fault["pointer"] for fault in response.json()["errors"]] == ["/person/name"]


@pytest.mark.settings(match_policy={"stop_bits": 12, "stop_likeness": 0.3})
async def test_lower_thresholds_stop_more(http: httpx2.AsyncClient, actors: Actors, counter: Caller) -> None:
    await impose(http, actors, listed("Joko Susilo Rangkuti"))
    assert (await ask(http, counter, question("Joko Susilo Wenas")))["outcome"] == "refer"


async def test_the_thresholds_as_shipped_leave_half_a_name_alone(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Joko Susilo Rangkuti"))
    assert (await ask(http, counter, question("Joko Susilo Wenas")))["outcome"] == "clear"


@pytest.mark.settings(match_policy={"most_candidates": 1})
async def test_more_candidates_than_are_compared_are_said(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    for _ in range(2):
        await impose(http, actors, listed("Joko Susilo Rangkuti"))
    answer = await ask(http, counter, question("Joko Susilo Rangkuti"))
    assert (answer["truncated"], len(answer["matches"])) == (True, 1)
    again = expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200)
    assert again == answer


@pytest.mark.settings(match_policy={"most_candidates": 1})
async def test_with_a_year_alone_those_who_were_born_then_are_compared_first(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    for born in ("1950-05-17", "1951-05-17", "1970-05-17", "1952-05-17"):
        await impose(http, actors, listed("Joko Susilo Rangkuti", born))
    answer = await ask(http, counter, question("Joko Soesilo Rangkuti", "1970"))
    assert (answer["outcome"], answer["truncated"], len(answer["matches"])) == ("refer", False, 1)
    await impose(http, actors, listed("Joko Susilo Rangkuti", "1970"))
    assert (await ask(http, counter, question("Joko Susilo Rangkuti", "1970")))["truncated"]


@pytest.mark.parametrize(
    ("suspect", "traveller"),
    [
        ("Chandrasekar Muthu", "Chandra Muthu"),
        ("Sayid Tangkilisan", "Saeed Tangkilisan"),
        ("Muthanna Wanasagara", "Doctor Muthanna Wanasagara"),
        ("Agus Wahyu Eka Putra", "AGUSWAHYUEKAPUTRA"),
    ],
)
async def test_short_forms_transliterations_titles_and_names_in_one_word_refer_and_pass_on_other_days(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, suspect: str, traveller: str
) -> None:
    await impose(http, actors, listed(suspect))
    assert (await ask(http, counter, question(traveller)))["outcome"] == "refer"
    assert (await ask(http, counter, question(traveller, "1981-11-28")))["outcome"] == "clear"


@pytest.mark.parametrize("born", [None, "1974", "1974-08", "1974-08-29"])
async def test_a_birth_date_that_agrees_never_makes_the_answer_milder(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, born: str | None
) -> None:
    await impose(http, actors, listed("Taufik Rifki", born="1974-08-29"))
    answer = await ask(http, counter, question("Tawfiq Rifqi", born))
    assert (answer["outcome"], len(answer["matches"])) == ("refer", 1)


async def test_a_family_name_that_is_rare_refers_on_the_very_day_of_birth_alone(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    await impose(http, actors, listed("Dimas Wanasagara"))
    assert (await ask(http, counter, question("Galih Wanasagara")))["outcome"] == "refer"
    assert (await ask(http, counter, question("Galih Wanasagara", "1970-11-28")))["outcome"] == "clear"
    assert (await ask(http, counter, question("Galih Wanasagara", None)))["outcome"] == "clear"


@pytest.mark.parametrize(
    ("suspect", "traveller", "outcome"),
    [
        ("Agus", "Agus", "clear"),
        ("Dewi", "Devi", "clear"),
        ("Budi Santoso", "Budi Santoso", "refer"),
        ("Suharyadi", "Suharyadi", "refer"),
        ("Suharyadi", "Soeharjadi", "refer"),
    ],
)
async def test_where_the_birth_may_be_any_a_name_that_one_in_fifty_has_stops_nobody(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, suspect: str, traveller: str, outcome: str
) -> None:
    body = urgent_body()
    body["subject"] |= {"full_name": suspect, "aliases": [], "birth": {"from": "1930", "to": "2005"}}
    await sound(http, await actors.client("submitter"), body)
    for born in (None, "1970-05-17"):
        assert (await ask(http, counter, question(traveller, born)))["outcome"] == outcome
