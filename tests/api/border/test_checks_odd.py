"""Odd names and births in checks: answered, or refused with the place of the fault; never a silent clear."""

from itertools import product

import httpx2
import pytest
from sqlalchemy import update

from app.access.domain import SYSTEM
from app.border.checks.tables import check
from app.runtime import Runtime
from tests.api.border.test_checks_names import listed
from tests.support.actors import Actors, Caller
from tests.support.crossings import ask
from tests.support.steps import Json, expect, impose

LISTED = "Muhammad Ali Wiralodra"
SEARCHED = {
    "one letter": "X",
    "300 letters": "A" * 300,
    "300 words": "B " * 149 + "B",
    "digits": "12345 678",
    "other digits": "٣٤٥",
    "right to left": "محمد بن علي ويرالودرا",
    "right to left, marked": "\u200fאברהם\u200f כהן",
    "mixed scripts": "李小龍 Bruce Али",
    "mixed with emoji": "Joko 😀 Susilo",
    "titles only": "Dr. H. Ir.",
    "particles only": "bin al",
    "letters of no script we write": "ꦗꦏ",
    "combining marks": "J\u0301o\u0302k\u0303o" * 20,
    "initials": "M. A. W.",
}
NOTHING = {
    "emoji": "😀🎉",
    "signs": "-- ''",
    "flags": "🇮🇩",
    "zero width": "\u200b\u200d",
    "punctuation": ".,;",
}
REFUSED = {
    "empty": "",
    "blank": "   ",
    "301 letters": "A" * 301,
    "a line break": "Joko\nSusilo",
    "a zero": "Jo\0ko",
}


def about(name: str, born: str = "1970-05-17") -> Json:
    return {"direction": "exit", "person": {"name": name, "birth_date": born}}


def faults(problem: Json) -> set[tuple[str, str]]:
    return {(each["pointer"], each["code"]) for each in problem["errors"]}


async def refused(http: httpx2.AsyncClient, by: Caller, question: Json) -> set[tuple[str, str]]:
    """The faults of a question that gets no answer."""
    return faults(expect(await http.post("/v1/checks", json=question, headers=by.headers), 422))


async def test_whatever_has_a_letter_or_a_digit_is_searched(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    for name, direction in product(SEARCHED.values(), ("exit", "entry")):
        answer = await ask(http, counter, {**about(name), "direction": direction})
        assert (answer["outcome"], answer["matches"]) == ("clear", []), name


async def test_what_is_listed_oddly_is_found_as_it_is_written(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    written = [SEARCHED[name] for name in ("300 letters", "right to left", "mixed scripts", "digits")]
    for name in written:
        entry = await impose(http, actors, listed(name))
        answer = await ask(http, counter, about(name))
        assert entry["id"] in {match["entry_id"] for match in answer["matches"]}, name
        assert answer["outcome"] == "refer"


async def test_a_name_in_another_script_is_found(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller
) -> None:
    entry = await impose(http, actors, listed("Muhammad Susilo Rangkuti"))
    for name in ("محمد سوسيلو رنجكوتي", "Мухаммад Сусило Рангкути", "MUHAMMAD 😀 SUSILO RANGKUTI"):
        answer = await ask(http, counter, about(name))
        assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]], name


async def test_where_nothing_is_left_to_look_for_the_name_is_at_fault(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    for name in NOTHING.values():
        assert await refused(http, counter, about(name)) == {("/person/name", "nothing_to_look_for")}, name
    for name in REFUSED.values():
        assert {pointer for pointer, _ in await refused(http, counter, about(name))} == {"/person/name"}, name


@pytest.mark.parametrize(
    "born", ["1970-02-30", "1970-13", "1970-00-01", "0000", "1970-5-1", "70", "1970-05-17T00"]
)
async def test_a_day_that_does_not_exist_is_refused(
    http: httpx2.AsyncClient, counter: Caller, born: str
) -> None:
    found = await refused(http, counter, about("Budi Santoso", born))
    assert {pointer for pointer, _ in found} == {"/person/birth_date"}


@pytest.mark.parametrize("born", ["2026-11-24", "2026-12", "2027", "9999-12-31"])
async def test_nobody_is_born_in_the_future(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, born: str
) -> None:
    await impose(http, actors, listed(LISTED))
    asked = about(LISTED, born)
    assert await refused(http, counter, asked) == {("/person/birth_date", "future")}
    batch = await http.post("/v1/checks/batch", json={"items": [asked]}, headers=counter.headers)
    (item,) = expect(batch, 200)["items"]
    assert faults(item["problem"]) == {("/person/birth_date", "future")}


@pytest.mark.parametrize("born", ["2026-11-23", "2026-11", "2026"])
async def test_who_was_born_today_or_some_day_this_year_is_asked_about(
    http: httpx2.AsyncClient, counter: Caller, born: str
) -> None:
    assert (await ask(http, counter, about("Budi Santoso", born)))["outcome"] == "clear"


@pytest.mark.parametrize(
    ("listed_as", "asked", "outcome"),
    [
        ("1970-05-17", "1970", "refer"),
        ("1970-05-17", "1970-05", "refer"),
        ("1970", "1970-05-17", "refer"),
        ("1970-05", "1970-05-17", "refer"),
        ("1970-05", "1970", "refer"),
        ("1970-05", "1970-06-17", "clear"),
        ("1970", "1985", "clear"),
    ],
)
async def test_a_year_or_a_month_is_compared_as_what_it_is(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, listed_as: str, asked: str, outcome: str
) -> None:
    await impose(http, actors, listed(LISTED, listed_as))
    assert (await ask(http, counter, about(LISTED, asked)))["outcome"] == outcome


async def test_what_was_asked_under_other_rules_can_be_read_again(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, runtime: Runtime
) -> None:
    """A question of a former release, of a name that would be refused today."""
    answer = await ask(http, counter, {**about("Budi"), "document": {"number": "X1234567"}})
    await rewrite(runtime, answer["id"], about("😀", "2099"))
    again = expect(await http.get(f"/v1/checks/{answer['id']}", headers=counter.headers), 200)
    assert again["id"] == answer["id"]


async def rewrite(runtime: Runtime, check_id: str, question: Json) -> None:
    """Put another question into the record of a check."""
    content = httpx2.Request("POST", "http://testserver", json=question).content.decode()
    async with runtime.writing_checks(SYSTEM) as unit:
        await unit.run(update(check).where(check.c.id == check_id).values(question=content))
