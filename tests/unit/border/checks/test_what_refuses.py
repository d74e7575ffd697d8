"""The table "What refuses" (API section 5), for both measures in the direction that they stop."""

from typing import Any

import pytest

from app.identity.mrz import check_digit
from tests.support.bodies import merged, mrz_of
from tests.unit.border.checks.register import WNA, WNI, Json, entry, matches, outcome, question, results, zone

SOMEBODY_ELSE = {"name": "Gideon Ashdowne", "birth_date": None}
ANOTHER_BIRTH = "1988-01-02"

BOTH = pytest.mark.parametrize(
    ("person", "measure", "direction"),
    [(WNI, "prevention", "exit"), (WNA, "prevention", "exit"), (WNA, "deterrence", "entry")],
    ids=["exit-ban-on-citizen", "exit-ban-on-foreigner", "entry-ban"],
)


def shown(person: Json, **given: Any) -> Json:
    """A person with other documents' members, as an entry lists or a traveller shows them."""
    return merged(person, {"documents": [{**person["documents"][0], **given}]})


@BOTH
def test_number_and_state_equal_and_the_birth_compatible_refuse(
    person: Json, measure: str, direction: Any
) -> None:
    found = matches(question(person, direction), entry(person, measure))
    assert [(match.level, match.outcome) for match in found] == [("exact", "refuse")]
    assert {("document_number", "equal"), ("issuing_state", "equal")} <= results(found)


@BOTH
def test_a_valid_zone_refuses_like_typed_words(person: Json, measure: str, direction: Any) -> None:
    found = matches(zone(person, direction), entry(person, measure))
    assert [(match.level, match.outcome) for match in found] == [("exact", "refuse")]


@BOTH
def test_the_document_alone_refuses_where_nothing_contradicts_it(
    person: Json, measure: str, direction: Any
) -> None:
    asked = question(person, direction, person={"name": None, "birth_date": None})
    assert outcome(asked, entry(person, measure)) == "refuse"


@BOTH
@pytest.mark.parametrize("written", ["x 123-4567", "\uff381234567", "X1234567 "])
def test_a_number_is_equal_however_it_is_written(
    person: Json, measure: str, direction: Any, written: str
) -> None:
    listed = entry(shown(person, number="X1234567"), measure)
    assert outcome(question(shown(person, number=written), direction), listed) == "refuse"


@BOTH
@pytest.mark.parametrize("side", ["asked", "listed"])
@pytest.mark.parametrize(
    ("told", "level", "expected"),
    [
        ({}, "exact", "refuse"),
        ({"birth_date": None}, "exact", "refuse"),
        ({"name": "Gideon Ashdowne"}, "exact", "refuse"),
        (SOMEBODY_ELSE, "probable", "refer"),
        ({"name": None, "birth_date": None}, "probable", "refer"),
    ],
    ids=["name-and-birth", "name", "birth", "another-name", "nothing"],
)
def test_where_a_state_is_missing_name_or_birth_must_agree(
    person: Json, measure: str, direction: Any, side: str, told: Json, level: str, expected: str
) -> None:
    without = shown(person, issuing_state=None)
    listed = entry(without if side == "listed" else person, measure)
    asked = question(without if side == "asked" else person, direction, person=told)
    found = matches(asked, listed)
    assert [(match.level, match.outcome) for match in found] == [(level, expected)]
    assert ("issuing_state", "missing") in results(found)


@BOTH
@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "refer"),
        ({"birth_date": None}, "refer"),
        ({"name": "Gideon Ashdowne"}, "refer"),
        ({"birth_date": ANOTHER_BIRTH}, "refer"),
        (SOMEBODY_ELSE, "clear"),
        ({"name": "Gideon Ashdowne", "birth_date": ANOTHER_BIRTH}, "clear"),
        ({"name": None, "birth_date": None}, "clear"),
    ],
    ids=["name-and-birth", "name", "birth", "name-not-birth", "another-name", "neither", "nothing"],
)
def test_where_states_differ_it_is_possible_only_if_name_or_birth_agrees(
    person: Json, measure: str, direction: Any, told: Json, expected: str
) -> None:
    listed = entry(shown(person, issuing_state="SGP"), measure)
    found = matches(question(person, direction, person=told), listed)
    assert [match.level for match in found] == (["possible"] if expected == "refer" else [])
    assert outcome(question(person, direction, person=told), listed) == expected


@BOTH
def test_a_birth_that_contradicts_makes_it_a_matter_for_the_supervisor(
    person: Json, measure: str, direction: Any
) -> None:
    asked = question(person, direction, person={"birth_date": ANOTHER_BIRTH})
    found = matches(asked, entry(person, measure))
    assert [match.outcome for match in found] == ["refer"]
    assert ("birth_date", "contradicts") in results(found)


@BOTH
@pytest.mark.parametrize("known", [{"date": "1970"}, {"date": "1970-05"}, {"age": 56, "as_of": "2026-11-20"}])
def test_a_birth_is_compared_by_its_precision(
    person: Json, measure: str, direction: Any, known: Json
) -> None:
    listed = entry({**person, "birth": known}, measure)
    assert outcome(question(person, direction), listed) == "refuse"
    assert outcome(question(person, direction, person={"birth_date": "1972-05-17"}), listed) == "refer"


@BOTH
@pytest.mark.parametrize("place", [9, 19, 27, 43], ids=["number", "birth", "expiry", "composite"])
def test_a_check_digit_that_fails_makes_it_a_matter_for_the_supervisor(
    person: Json, measure: str, direction: Any, place: int
) -> None:
    first, second = mrz_of(person).splitlines()
    wrong = str((int(second[place]) + 1) % 10)
    broken = f"{first}\n{second[:place]}{wrong}{second[place + 1 :]}"
    found = matches({"direction": direction, "mrz": broken}, entry(person, measure))
    assert [match.outcome for match in found] == ["refer"]
    assert ("check_digits", "failed") in results(found)


@BOTH
def test_what_was_typed_heals_a_zone_that_was_misread(person: Json, measure: str, direction: Any) -> None:
    first, second = mrz_of(person).splitlines()
    broken = f"{first}\n{second[:43]}{(int(second[43]) + 1) % 10}"
    assert outcome(question(person, direction, mrz=broken), entry(person, measure)) == "refuse"


@BOTH
@pytest.mark.parametrize(("listed", "read"), [("B0815SI", "8O8I551"), ("G2000000", "6Z0O0D0Q")])
def test_a_number_that_is_equal_only_after_folding_is_possible(
    person: Json, measure: str, direction: Any, listed: str, read: str
) -> None:
    found = matches(
        question(shown(person, number=read), direction), entry(shown(person, number=listed), measure)
    )
    assert [(match.level, match.outcome) for match in found] == [("possible", "refer")]
    assert ("document_number", "confusable") in results(found)


@BOTH
def test_folding_tells_nothing_of_a_person_with_another_name_and_birth(
    person: Json, measure: str, direction: Any
) -> None:
    asked = question(
        shown(person, number="8O8I551"),
        direction,
        person={"name": "Gideon Ashdowne", "birth_date": ANOTHER_BIRTH},
    )
    assert matches(asked, entry(shown(person, number="B0815SI"), measure)) == []


def test_an_equal_nik_is_exact() -> None:
    asked = {"direction": "exit", "person": {"nik": WNI["nik"]}}
    found = matches(asked, entry(WNI))
    assert [(match.level, match.outcome) for match in found] == [("exact", "refuse")]
    assert results(found) == {("nik", "equal")}


def test_an_equal_nik_with_a_birth_that_contradicts_refers() -> None:
    asked = {"direction": "exit", "person": {"nik": WNI["nik"], "birth_date": ANOTHER_BIRTH}}
    assert [match.outcome for match in matches(asked, entry(WNI))] == ["refer"]


@BOTH
@pytest.mark.parametrize(
    ("known", "level"),
    [({"date": "1970-05-17"}, "probable"), ({"date": "1970"}, "possible"), (None, "possible")],
)
def test_a_name_with_or_without_a_birth_refers_at_most(
    person: Json, measure: str, direction: Any, known: Json | None, level: str
) -> None:
    asked = question({**person, "documents": []}, direction)
    found = matches(asked, entry({**person, "birth": known}, measure))
    assert [(match.level, match.outcome) for match in found] == [(level, "refer")]


@BOTH
def test_a_name_alone_tells_nothing_when_the_birth_contradicts(
    person: Json, measure: str, direction: Any
) -> None:
    asked = question({**person, "documents": []}, direction, person={"birth_date": ANOTHER_BIRTH})
    assert matches(asked, entry(person, measure)) == []


@BOTH
def test_a_namesake_with_another_passport_is_only_referred(
    person: Json, measure: str, direction: Any
) -> None:
    asked = question(shown(person, number="K9999999"), direction)
    assert outcome(asked, entry(person, measure)) == "refer"


@BOTH
def test_nothing_in_common_is_nothing_found(person: Json, measure: str, direction: Any) -> None:
    stranger = {**shown(person, number="K9999999"), "full_name": "Gideon Ashdowne", "nik": None}
    assert matches(question(stranger, direction), entry(person, measure)) == []


AGED: Json = {**WNI, "birth": {"date": "1926-05-17"}}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        (None, "refer"),  # it may also be a child's
        ("1926-05-17", "refuse"),
        ("1926", "refuse"),
        ("2026-05-17", "refer"),
    ],
)
@pytest.mark.parametrize("number", ["X1234567", "C7777777"])
def test_a_zone_is_of_both_centuries_until_a_full_year_decides(
    typed: str | None, expected: str, number: str
) -> None:
    asked = zone(shown(AGED, number=number), person={"birth_date": typed})
    found = matches(asked, entry(AGED))
    known = number == "X1234567"
    if typed == "2026-05-17" and not known:
        assert found == []
        return
    assert [match.outcome for match in found] == [expected if known else "refer"]
    said = "compatible" if typed == "1926" and known else "equal"
    agreement = "contradicts" if typed == "2026-05-17" else said
    assert ("birth_date", agreement) in results(found)


def test_a_child_of_another_century_is_no_contradiction_of_a_full_year() -> None:
    child = {**WNI, "birth": {"date": "2016-05-17"}}
    assert outcome(zone(child), entry({**child, "birth": {"date": "1916-05-17"}})) == "refer"
    assert (
        outcome(zone(shown(child, number="C7777777")), entry({**WNI, "birth": {"date": "1970-05-17"}}))
        == "clear"
    )


def test_of_several_documents_the_surest_counts() -> None:
    listed = {**WNI, "documents": [{**WNI["documents"][0], "issuing_state": "SGP"}, *WNI["documents"]]}
    found = matches(question(WNI), entry(listed))
    assert [(match.level, match.outcome) for match in found] == [("exact", "refuse")]


def test_the_zone_of_these_tests_is_right_before_it_is_broken() -> None:
    first, second = mrz_of(WNI).splitlines()
    assert (len(first), len(second)) == (44, 44)
    assert second[9] == str(check_digit(second[:9]))
