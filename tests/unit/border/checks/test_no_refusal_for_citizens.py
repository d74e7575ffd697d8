"""R45: whatever is asked, nobody is refused entry if any datum says Indonesian (UU 6/2011 art. 14)."""

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from app.border.checks.domain import worst
from app.errors import CekalError
from app.register.entries.answer import action_on
from app.register.entries.domain import Entry
from app.register.entries.subjects import Citizenship, CitizenshipLoss
from tests.support.bodies import mrz_of
from tests.unit.border.checks.register import Json, entry, matches

NUMBERS = ("X1234567", "X12345G7", "X1234S67")
NAMES = ("Raka Setyawan Prambanan", "Aldous Pemberton Quillfeather")
DAYS = ("1970-05-17", "1970", "1999-01-01")
CODES = (None, "IDN", "NZL", "XXA", "XXX", "D", "idn", "ID<", "SGP")
FOREIGN = (None, "NZL", "XXA", "XXX", "D", "SGP")
NIKS = (None, "3171011705700001", "3171011705709999", "12")

papers = st.fixed_dictionaries(
    {"type": st.just("passport"), "number": st.sampled_from(NUMBERS), "issuing_state": st.sampled_from(CODES)}
)
listed_codes = st.sampled_from([code for code in CODES if code and code.isupper() and code.isalpha()])


@st.composite
def subjects(draw: st.DrawFn, codes: Any) -> Json:
    """A person; a register may know much or little about them."""
    papers = st.fixed_dictionaries(
        {
            "type": st.just("passport"),
            "number": st.sampled_from(NUMBERS),
            "issuing_state": codes,
            "expires_on": st.just("2030-01-31"),
        }
    )
    return {
        "full_name": draw(st.sampled_from(NAMES)),
        "sex": "male",
        "birth": draw(st.one_of(st.none(), st.sampled_from(DAYS).map(lambda day: {"date": day}))),
        "nationalities": draw(st.lists(codes, min_size=1, max_size=2)),
        "nik": draw(st.sampled_from(NIKS)),
        "documents": draw(st.lists(papers, min_size=1, max_size=2)),
    }


@st.composite
def questions(draw: st.DrawFn, codes: tuple[str | None, ...], niks: tuple[str | None, ...]) -> Json:
    """A question on entry, typed, read from a zone, or both; often about somebody who is listed."""
    asked: Json = {"direction": "entry"}
    code = st.sampled_from(codes)
    if draw(st.booleans()):
        asked["document"] = {"number": draw(st.sampled_from(NUMBERS)), "issuing_state": draw(code)}
    asked["person"] = {
        "name": draw(st.sampled_from((None, *NAMES))),
        "birth_date": draw(st.sampled_from((None, *DAYS))),
        "nationality": draw(code),
        "nik": draw(st.sampled_from(niks)),
    }
    if draw(st.booleans()):
        plain = st.sampled_from([each for each in codes if each and len(each) == 3 and each.isupper()])
        asked["mrz"] = mrz_of(
            {
                "full_name": draw(st.sampled_from(NAMES)),
                "sex": "male",
                "birth": {"date": draw(st.sampled_from(("1970-05-17", "1999-01-01")))},
                "nationalities": [draw(plain)],
                "documents": [
                    {
                        "number": draw(st.sampled_from(NUMBERS)),
                        "issuing_state": draw(plain),
                        "expires_on": "2030-01-31",
                    }
                ],
            }
        )
    return asked


def says_indonesian(asked: Json) -> bool:
    """Whether anything in a question says Indonesian; told apart from the code under test."""
    person, paper = asked.get("person") or {}, asked.get("document") or {}
    codes = [person.get("nationality"), paper.get("issuing_state")]
    if "mrz" in asked:
        first, second = asked["mrz"].splitlines()
        codes += [first[2:5], second[10:13]]
    return any((code or "").upper() == "IDN" for code in codes) or len(person.get("nik") or "") == 16


def answered(asked: Json, *entries: Entry) -> str | None:
    """What the counter is told to do; None where the question itself is refused."""
    try:
        return action_on(worst(matches(asked, *entries)), "entry")
    except CekalError:
        return None


bans = subjects(listed_codes).map(lambda person: entry(person, "deterrence"))


@settings(max_examples=150, deadline=None)
@given(questions(CODES, NIKS).filter(says_indonesian), st.lists(bans, min_size=1, max_size=3))
def test_evidence_in_the_question_rules_a_refusal_of_entry_out(asked: Json, entries: list[Entry]) -> None:
    foreign = [listed.replace(citizenship=Citizenship.WNA) for listed in entries]
    assert answered(asked, *foreign) != "refuse_entry"


@settings(max_examples=100, deadline=None)
@given(questions(FOREIGN, (None, "12")), st.lists(bans, min_size=1, max_size=3))
def test_evidence_in_the_entry_rules_a_refusal_of_entry_out(asked: Json, entries: list[Entry]) -> None:
    citizens = [listed for listed in entries if listed.citizenship is Citizenship.WNI]
    assert answered(asked, *citizens) != "refuse_entry"


@settings(max_examples=100, deadline=None)
@given(
    questions(FOREIGN, (None, "12")),
    st.lists(bans, min_size=1, max_size=3),
    st.sampled_from([None, "Holds a permanent stay permit."]),
    st.sampled_from([None, CitizenshipLoss("AHU-1", "Menteri Hukum", date(2019, 3, 1), "ab" * 32)]),
)
def test_what_was_recorded_against_that_evidence_at_filing_changes_nothing(
    asked: Json, entries: list[Entry], note: str | None, loss: CitizenshipLoss | None
) -> None:
    citizens = [
        listed.replace(
            citizenship=Citizenship.WNA,
            subject=msgspec.structs.replace(listed.subject, citizenship_note=note, citizenship_loss=loss),
        )
        for listed in entries
        if listed.citizenship is Citizenship.WNI
    ]
    assert answered(asked, *citizens) != "refuse_entry"


def test_these_questions_do_refuse_foreigners() -> None:
    foreigner = entry(
        {
            "full_name": NAMES[1],
            "birth": {"date": "1970-05-17"},
            "nationalities": ["NZL"],
            "documents": [{"type": "passport", "number": NUMBERS[0], "issuing_state": "NZL"}],
        },
        "deterrence",
    )
    find(questions(FOREIGN, (None, "12")), lambda asked: answered(asked, foreigner) == "refuse_entry")


@pytest.mark.parametrize("said", ["document", "person", "nik", "zone_state", "zone_nationality"])
def test_each_single_sign_is_enough(said: str) -> None:
    ban = entry(
        {
            "full_name": NAMES[1],
            "birth": {"date": "1970-05-17"},
            "nationalities": ["NZL"],
            "documents": [{"type": "passport", "number": NUMBERS[0], "issuing_state": "NZL"}],
        },
        "deterrence",
    )
    asked: Json = {
        "direction": "entry",
        "document": {"number": NUMBERS[0], "issuing_state": "NZL"},
        "person": {"nationality": "NZL"},
    }
    assert answered(asked, ban) == "refuse_entry"
    paper = {"number": "K1", "issuing_state": "NZL", "expires_on": "2030-01-31"}
    holder = {"full_name": "A B", "sex": "male", "birth": {"date": "1970-05-17"}, "nationalities": ["NZL"]}
    signs: dict[str, Json] = {
        "document": {
            "document": {"number": NUMBERS[0], "issuing_state": "IDN"},
            "mrz": mrz_of({**holder, "documents": [{**paper, "number": NUMBERS[0]}]}),
        },
        "person": {"person": {"nationality": "IDN"}},
        "nik": {"person": {"nationality": "NZL", "nik": NIKS[1]}},
        "zone_state": {"mrz": mrz_of({**holder, "documents": [{**paper, "issuing_state": "IDN"}]})},
        "zone_nationality": {"mrz": mrz_of({**holder, "nationalities": ["IDN"], "documents": [paper]})},
    }
    assert answered({**asked, **signs[said]}, ban) == "refer_to_supervisor"


@settings(max_examples=100, deadline=None)
@given(questions(CODES, NIKS), st.lists(bans, min_size=1, max_size=3))
def test_every_match_can_be_shown_with_its_reasons(asked: Json, entries: list[Entry]) -> None:
    try:
        found = matches(asked, *entries)
    except CekalError:
        return
    for match in found:
        assert 0 <= match.score <= 1
        assert all(
            text
            for reason in match.reasons
            for text in (reason.shown()["text_id"], reason.shown()["text_en"])
        )
