"""Who a request is about: R1 to R5, R16, R17, R19, one sentence each."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CekalError, Invalid, MissingSubjectData, WniCannotBeDeterred
from app.identity.births import Birth, span
from app.register.entries.domain import Letter
from app.register.entries.subjects import Citizenship, Document, Subject

from .examples import IMIGRASI, TODAY, deterrence, foreigner, refused, request, subject, urgent, warned


def test_the_examples_are_in_order():
    assert warned(request()) == warned(urgent()) == warned(deterrence(), IMIGRASI) == []


def test_r1_a_request_without_the_laws_identity_lists_every_missing_field():
    nobody = Subject(full_name="")
    asked = request(subject=nobody, has_photo=False, unknown=("address", "occupation", "nationalities"))
    assert refused(MissingSubjectData, asked) == {
        "/subject/full_name": "required",
        "/subject/sex": "required",
        "/subject/birth": "required",
        "/subject/photo": "required",
        "/subject/documents": "give_or_say_unknown",
    }


def test_r1_a_birth_date_needs_its_place_and_an_age_does_not():
    assert refused(MissingSubjectData, request(subject={"birth_place": None})) == {
        "/subject/birth_place": "required"
    }
    aged = {"birth": Birth(age=45, as_of="2026-11-23"), "birth_place": None, "nik": None}
    assert warned(request(subject=aged, unknown=("nik",))) == []


def test_r1_a_birth_known_only_as_an_alternative_is_a_birth():
    either = {"birth": None, "birth_alternatives": (Birth(date="1970"),), "birth_place": None}
    assert warned(request(subject=either)) == []


def test_r2_an_urgent_request_needs_letter_photo_and_nationality():
    stateless = {"nationalities": (), "nik": None, "documents": ()}
    asked = urgent(letter=None, has_photo=False, subject=stateless, unknown=("nationalities", "documents"))
    assert refused(MissingSubjectData, asked) == {
        "/letter": "required",
        "/subject/photo": "required",
        "/subject/nationalities": "required",
    }


@pytest.mark.parametrize(("issued_on", "code"), [("2026-11-24", "future"), ("2026-10-23", "stale")])
def test_r2_an_urgent_letter_is_neither_from_the_future_nor_stale(issued_on: str, code: str):
    letter = msgspec.convert({"number": "ND-1", "issued_on": issued_on, "sha256": "0" * 64}, Letter)
    assert refused(Invalid, urgent(letter=letter)) == {"/letter/issued_on": code}


@pytest.mark.parametrize("member", ["address", "nationalities", "occupation", "documents"])
def test_r3_silence_about_what_must_be_sent_when_known_is_refused_and_a_statement_is_not(member: str):
    silent: dict[str, Any] = {"nik": None, member: () if member in {"nationalities", "documents"} else None}
    pointers = refused(MissingSubjectData, request(subject=foreigner(**silent)))
    assert pointers == {f"/subject/{member}": "give_or_say_unknown"}
    assert warned(request(subject=foreigner(**silent), unknown=(member,))) == []


def test_r3_an_indonesian_without_nik_says_so():
    assert refused(MissingSubjectData, request(subject={"nik": None})) == {
        "/subject/nik": "give_or_say_unknown"
    }
    assert warned(request(subject={"nik": None}, unknown=("nik",))) == []


def test_r3_what_is_given_can_not_be_unknown_too():
    assert refused(Invalid, request(unknown=("address",))) == {"/unknown": "contradiction"}


@pytest.mark.parametrize("number", [" - ", "0", "00 000", "<<<", "XXX", "o0"])
def test_r3_a_document_number_that_only_fills_its_field_is_silence(number: str):
    paper = (Document("passport", number, "IDN"),)
    assert refused(Invalid, request(subject={"documents": paper})) == {"/subject/documents/0/number": "empty"}


@pytest.mark.parametrize(
    "sign",
    [
        {"nationalities": ("NZL", "IDN")},
        {"documents": (Document("passport", "L1", "NZL"), Document("passport", "X1", "IDN"))},
        {"nik": "3171011705700001"},
    ],
)
def test_r4_any_sign_of_indonesian_citizenship_bars_an_entry_ban(sign: dict[str, Any]):
    asked = deterrence(subject=foreigner(**sign), unknown=("nik",) if "nationalities" in sign else ())
    assert refused(WniCannotBeDeterred, asked, IMIGRASI)["/subject"] == "wni"


@given(
    st.lists(st.sampled_from(["NZL", "MYS", "XXA", "XXX", "IDN"]), max_size=3),
    st.lists(st.sampled_from([None, "NZL", "IDN", "UNO"]), max_size=3),
    st.sampled_from([None, "3171011705700001", "0000000000000000", "317101170570000"]),
)
def test_r4_no_combination_of_signs_lets_an_indonesian_be_deterred(
    nationalities: list[str], states: list[str | None], nik: str | None
):
    papers = tuple(Document("passport", f"A{i}", state) for i, state in enumerate(states))
    who = foreigner(nationalities=tuple(nationalities), documents=papers, nik=nik)
    indonesian = "IDN" in [*nationalities, *states] or nik == "3171011705700001"
    assert (who.citizenship_on(TODAY) is Citizenship.WNI) == indonesian
    unknown = [name for name in ("nationalities", "documents", "nik") if not getattr(who, name)]
    try:
        warned(deterrence(subject=who, unknown=tuple(unknown)), IMIGRASI)
    except CekalError as error:
        assert isinstance(error, WniCannotBeDeterred) == indonesian  # noqa: PT017 - both ways are right
    else:
        assert not indonesian


@pytest.mark.parametrize("nationality", ["IDN", "NZL", "XXA", "XXB", "XXC", "XXX", "D"])
def test_r5_an_exit_ban_reaches_every_nationality(nationality: str):
    nik = "3171011705700001" if nationality == "IDN" else None
    assert warned(request(subject={"nationalities": (nationality,), "nik": nik})) == []


def test_r5_a_state_that_does_not_exist_is_refused_at_its_place():
    odd = {"nationalities": ("IDN", "ZZZ"), "documents": (Document("passport", "A1", "QQ"),)}
    assert refused(Invalid, request(subject=odd)) == {
        "/subject/nationalities/1": "unknown_state",
        "/subject/documents/0/issuing_state": "unknown_state",
    }


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"nik": "3171011705700"}, "nik_malformed"),
        ({"nik": "3171015705700001"}, "nik_sex_mismatch"),
        ({"nik": "3171011805700001"}, "nik_birth_mismatch"),
    ],
)
def test_r16_a_nik_that_does_not_fit_warns_and_never_bars(changes: dict[str, Any], code: str):
    assert [(notice.code, notice.pointer) for notice in warned(request(subject=changes))] == [
        (code, "/subject/nik")
    ]


def test_r16_a_woman_has_forty_added_to_her_day_of_birth():
    assert warned(request(subject={"nik": "3171015705700001", "sex": "female"})) == []


def test_r17_a_year_stays_a_year_and_an_age_keeps_its_day():
    year, aged = Birth(date="1970"), Birth(age=45, as_of="2026-11-23")
    assert [msgspec.to_builtins(birth) for birth in (year, aged)] == [
        {"date": "1970"},
        {"age": 45, "as_of": "2026-11-23"},
    ]
    assert [day.isoformat() for day in span(year)] == ["1970-01-01", "1970-12-31"]
    assert [day.isoformat() for day in span(aged)] == ["1980-11-24", "1981-11-23"]


def test_r18_and_r1_every_fault_is_told_at_once_and_the_most_telling_names_the_problem():
    asked = deterrence(
        subject=subject(birth_place=None),
        has_photo=False,
        ends_on=None,
        basis={"instrument": "order", "issued_on": TODAY.replace(year=2027), "received_on": None},
    )
    assert set(refused(WniCannotBeDeterred, asked, IMIGRASI)) == {
        "/subject",
        "/subject/birth_place",
        "/subject/photo",
        "/ends_on",
        "/basis/instrument",
        "/basis/issued_on",
        "/basis/received_on",
    }


@pytest.mark.parametrize("name", [".", "-", "  ", "''"])
def test_r19_a_name_without_a_letter_is_no_name(name: str):
    assert refused(MissingSubjectData, request(subject={"full_name": name})) == {
        "/subject/full_name": "required"
    }


def test_r19_a_name_without_distinguishing_data_is_refused_even_if_formally_signed():
    only_named = Subject(full_name="Joko Widagdo")
    everything = ("documents", "address", "nationalities", "occupation", "nik")
    assert set(refused(MissingSubjectData, request(subject=only_named, unknown=everything))) == {
        "/subject/sex",
        "/subject/birth",
    }


def test_nobody_is_banned_before_birth():
    unborn = {
        "birth": Birth(date="2027"),
        "birth_alternatives": (Birth(date="1970"), Birth(date="2026-11-24")),
    }
    assert refused(Invalid, request(subject=unborn)) == {
        "/subject/birth": "future",
        "/subject/birth_alternatives/1": "future",
    }
    assert warned(request(subject={"birth": Birth(date="2026"), "nik": None}, unknown=("nik",))) == []
