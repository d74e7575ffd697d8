"""The sieve in front of a look-back: cheap, and it never keeps back a traveller that a check would stop."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.border.checks.domain import Candidate, find_match
from app.border.checks.parsing import parse_question
from app.border.lookbacks.domain import SETTLED, WINDOW, Lookback, Sieve, compared_data
from app.identity.mrz_fillers import TAKEN_FOR_FILLER
from app.kit.ids import first_id
from app.matching.policy import DEFAULT
from app.register.entries.names.index import listed
from tests.support.zones import Holder, misread
from tests.unit.border.checks.register import NOW, TODAY, WNI, entry, question, zone

NAMES = [
    "Raka Setyawan Prambanan",
    "Raka Setiawan",
    "PRAMBANAN RAKA",
    "Muhammad",
    "Budi Santoso",
    "Raka",
    None,
]
BIRTHS = [
    "1970-05-17",
    "1970-05-07",
    "1970-17",
    "1970",
    "1970-05",
    "1971-05-17",
    "1990-12-24",
    "1970-01-01",
    None,
]
NUMBERS = ["X1234567", "x 1234-567", "XI234567", "X1234568", "C7654321", None]
LISTED_BIRTHS = [{"date": "1970-05-17"}, {"date": "1970"}, {"age": 56, "as_of": "2026-11-23"}, None]


def candidate(**given: Any) -> Candidate:
    against = entry({**WNI, **given})
    return Candidate(against, listed(against.subject))


def asked(
    name: str | None, born: str | None, number: str | None, nik: str | None, *, with_zone: bool
) -> dict[str, Any]:
    """A question with as much as is given, and a zone of somebody of that name and birth besides."""
    person = {"name": name, "birth_date": born, "nik": nik}
    body: dict[str, Any] = {"direction": "exit", "person": {k: v for k, v in person.items() if v}}
    if number:
        body["document"] = {"number": number, "issuing_state": "IDN"}
    if with_zone:
        paper = {**WNI["documents"][0], "number": "X1234567" if number else "C1111111"}
        bearer = {**WNI, "full_name": name or "Raka", "birth": {"date": "1970-05-17"}, "documents": [paper]}
        body["mrz"] = zone(bearer)["mrz"]
    return body


@given(
    st.sampled_from(NAMES),
    st.sampled_from(BIRTHS).filter(lambda born: born != "1970-17"),
    st.sampled_from(NUMBERS),
    st.sampled_from([None, WNI["nik"], "3171011705700002"]),
    st.sampled_from(["zone", "typed"]),
    st.sampled_from(LISTED_BIRTHS),
)
def test_whom_a_check_would_stop_goes_through(
    name: str | None,
    born: str | None,
    number: str | None,
    nik: str | None,
    zoned: str,
    listed_birth: Any,
):
    body = asked(name, born, number, nik, with_zone=zoned == "zone")
    if "mrz" not in body and "document" not in body and not nik and not (name and born):
        return
    sent = json.dumps(body).encode()
    against = candidate(birth=listed_birth)
    match = find_match("exit", parse_question(sent, TODAY).traveller, against, DEFAULT, NOW)
    if match is not None and match.stops:
        assert Sieve(against, DEFAULT).may_match(sent, TODAY)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (question(WNI), True),
        (question(WNI, person={"name": "Somebody Else"}), True),
        (zone(WNI), True),
        (
            question(
                WNI, document={"number": "XI234567"}, person={"name": "Budi", "birth_date": "1990-01-02"}
            ),
            True,
        ),
        (question(WNI, document=..., person={"name": "Setyawan Raka Prambanan"}), True),
        (question(WNI, document=..., person={"birth_date": "1990-12-24"}), False),
        (question(WNI, document=..., person={"name": "Agus Hermawan"}), False),
        ({"direction": "exit", "mrz": "not a zone"}, False),
        ({"direction": "exit"}, False),
    ],
)
def test_what_goes_through(body: dict[str, Any], *, expected: bool):
    assert Sieve(candidate(), DEFAULT).may_match(json.dumps(body), TODAY) is expected


def test_a_long_number_of_a_zone_is_seen_whatever_else_it_says():
    paper = {"type": "passport", "number": "D231458907AB", "issuing_state": "UTO"}
    against = candidate(documents=[paper])
    rest = "7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
    for beside, expected in (("7AB0", True), ("7AB9", True), ("7A80", True), ("7AC0", False)):
        text = f"I<UTOD23145890<{beside:<<15}\n{rest}"
        asked = json.dumps({"direction": "exit", "mrz": text})
        assert Sieve(against, DEFAULT).may_match(asked, TODAY) is expected


def test_whom_a_check_would_stop_by_a_misread_zone_goes_through():
    for number in ("X1234567", "D23145890734", "O996479"):
        paper = {"type": "passport", "number": number, "issuing_state": "IDN"}
        against = candidate(documents=[paper], full_name="Xi", birth=None)
        clean = Holder(
            format="TD1",
            code="I",
            state="IDN",
            nationality="IDN",
            number=number,
            born=date(1970, 5, 17),
            sex="M",
            expires=date(2030, 1, 1),
            surname="PRAMBANAN",
            given_names="RAKA",
            optional="",
        ).text()
        for text in (clean, *(misread(clean, taken) for taken in TAKEN_FOR_FILLER)):
            assert Sieve(against, DEFAULT).may_match(json.dumps({"mrz": text}), TODAY), text
    typed = {"document": {"number": "X1234567K"}}
    assert Sieve(candidate(), DEFAULT).may_match(json.dumps(typed), TODAY)


@pytest.mark.parametrize("listed_number", ["D23145890734", "D2314589O734"])
def test_whom_a_check_would_stop_by_a_long_number_in_two_pieces_goes_through(listed_number: str):
    paper = {"type": "national_id", "number": listed_number, "issuing_state": "UTO"}
    holder = Holder(
        format="TD2",
        code="I",
        state="UTO",
        nationality="UTO",
        number="D23145890734",
        born=date(1970, 5, 17),
        sex="M",
        expires=date(2030, 1, 1),
        surname="PRAMBANAN",
        given_names="RAKA",
        optional="",
    )
    body = {"direction": "exit", "mrz": holder.text()}
    expect_through(candidate(documents=[paper], full_name="Xi", birth=None, nik=None), body)


@pytest.mark.parametrize("written", ["护照 X1234S67", "паспорт X1234S67", "여권 № X1234567"])
def test_whom_a_check_would_stop_by_a_number_beside_a_foreign_word_goes_through(written: str):
    paper = {"type": "passport", "number": "X1234567", "issuing_state": "IDN"}
    body = {"direction": "exit", "document": {"number": written, "issuing_state": "IDN"}}
    expect_through(candidate(documents=[paper], full_name="Xi", birth=None, nik=None), body)


def expect_through(against: Candidate, body: dict[str, Any]) -> None:
    """Expect that a check would stop the traveller, and that the question passes the sieve."""
    traveller = parse_question(body, TODAY).traveller
    match = find_match("exit", traveller, against, DEFAULT, NOW)
    assert match is not None
    assert match.stops
    assert Sieve(against, DEFAULT).may_match(json.dumps(body), TODAY)


@pytest.mark.parametrize(
    ("listed_birth", "typed", "expected"),
    [
        ("1926-05-17", None, True),
        ("1926-05-17", "1926-05-17", True),
        ("1926-05-17", "2026-05-17", False),
        ("2026-05-17", None, True),
    ],
)
def test_both_centuries_of_a_zone_are_looked_for(listed_birth: str, typed: str | None, *, expected: bool):
    paper = {**WNI["documents"][0], "number": "C7777777"}
    shown = zone({**WNI, "birth": {"date": "2026-05-17"}, "documents": [paper]})["mrz"]
    asked = json.dumps({"mrz": shown, "person": {"birth_date": typed}})
    assert Sieve(candidate(birth={"date": listed_birth}), DEFAULT).may_match(asked, TODAY) is expected


def test_a_search_reads_a_day_back_and_once_more_around_the_beginning():
    begun = Lookback.of("ent_1", NOW)
    assert begun.untouched
    assert (begun.first, begun.before) == (first_id("chk", NOW - WINDOW), first_id("chk", NOW + SETTLED))
    assert begun.due_at == NOW
    read = first_id("chk", NOW - timedelta(minutes=5))
    further = begun.read_to(read)
    assert (further.before, further.due_at, further.untouched) == (read, NOW, False)
    again = further.finished()
    assert again.due_at == NOW + SETTLED
    assert (again.first, again.before) == (
        first_id("chk", NOW - SETTLED),
        first_id("chk", NOW + SETTLED),
    )
    assert not again.untouched
    assert again.read_to("chk_7").finished().due_at is None
    assert again.came_at + timedelta(hours=24) == NOW + WINDOW


def test_a_search_that_begins_anew_keeps_what_the_former_had_not_come_to():
    later = NOW + timedelta(hours=3)
    begun = Lookback.of("ent_1", NOW)
    anew = begun.read_to("chk_5").restarted(later)
    assert (anew.came_at, anew.due_at, anew.untouched) == (later, later, True)
    assert (anew.first, anew.before) == (begun.first, first_id("chk", later + SETTLED))
    assert (
        begun.dropped().restarted(later) == begun.finished().restarted(later) == Lookback.of("ent_1", later)
    )


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ({"documents": [*WNI["documents"], {**WNI["documents"][0], "number": "C7654321"}]}, True),
        ({"documents": [{**WNI["documents"][0], "issuing_state": None}]}, True),
        ({"documents": [{**WNI["documents"][0], "number": "x 1234-567", "expires_on": "2040-01-01"}]}, False),
        ({"full_name": "Slamet"}, True),
        ({"sex": "female"}, True),
        ({"birth": None}, True),
        ({"address": "Elsewhere", "occupation": "farmer"}, False),
    ],
)
def test_a_correction_counts_if_it_changes_what_checks_compare(given: dict[str, Any], *, other: bool):
    before, after = (candidate(**each).entry.subject for each in ({}, given))
    assert (compared_data(before) != compared_data(after)) is other


def test_a_correction_counts_if_a_number_may_mean_another_one():
    paper = WNI["documents"][0]
    glued, parted = (
        candidate(documents=[{**paper, "number": number}]).entry.subject
        for number in ("12345677654321", "1234567 7654321")
    )
    assert compared_data(glued) != compared_data(parted)
