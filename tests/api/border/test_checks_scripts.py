"""Names in other scripts: found by the passport's spelling and the other way round; weak ones are said to be weak."""

import httpx2
import pytest

from tests.api.border.test_checks_answers import ask
from tests.api.border.test_checks_batch import ask as ask_batch
from tests.api.border.test_checks_names import Json, listed, question
from tests.support.actors import Actors, Caller
from tests.support.bodies import merged
from tests.support.steps import impose

BORN = "1970-05-17"
NAMES = [
    ("김민준", "KIM MIN JUN"),
    ("王小明", "XIAOMING WANG"),
    ("おおの りょうた", "ONO RYOTA"),
    ("สมชาย แก้วมณี", "SOMCHAI KAEWMANEE"),
    ("דוד מזרחי", "DAVID MIZRAHI"),
    ("عبدالرحمن حسين", "ABDURRAHMAN HUSSEIN"),
    ("محمد\u200cرضا احمدی", "MOHAMMAD REZA AHMADI"),
    ("محمدرضا احمدی", "MOHAMMADREZA AHMADI"),
]


def warnings(answer: Json) -> list[tuple[str, str]]:
    return [(each["code"], each["pointer"]) for each in answer["warnings"]]


@pytest.mark.parametrize(("written", "latin"), NAMES)
async def test_a_listed_person_is_found_in_either_script(
    http: httpx2.AsyncClient, actors: Actors, counter: Caller, written: str, latin: str
) -> None:
    entry = await impose(http, actors, merged(listed(written, BORN), {"subject": {"aliases": []}}))
    for name in (latin, written):
        answer = await ask(http, counter, question(name, BORN))
        assert [match["entry_id"] for match in answer["matches"]] == [entry["id"]], name
    assert (await ask(http, counter, question(latin, "1984-11-02")))["outcome"] == "clear"


async def test_a_script_that_is_compared_weakly_is_named_in_the_answer(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    weak = [question(name, BORN) for name in ("金正民", "マイケル スミス", "राम शर्मा")]
    fine = [question(name, BORN) for name in ("김민준", "Ярослав Гончар", "Müller", "Suharyadi")]
    answers = await ask_batch(http, counter, [*weak, *fine])
    assert [warnings(answer) for answer in answers] == [[("weak_script", "/person/name")]] * 3 + [[]] * 4
    assert "Han" in answers[0]["warnings"][0]["detail"]


async def test_an_entry_with_no_name_in_a_well_compared_script_is_filed_with_a_warning(
    http: httpx2.AsyncClient, actors: Actors
) -> None:
    for aliases, warned in (([], True), ([{"name": "Kim Jong Min", "quality": "good"}], False)):
        body = merged(listed("金正民", BORN), {"subject": {"aliases": aliases}})
        entry = await impose(http, actors, body)
        assert ("weak_script" in {each["code"] for each in entry["warnings"]}) == warned
