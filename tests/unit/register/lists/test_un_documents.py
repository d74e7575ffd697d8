"""A document number is taken where it stands beyond doubt, and only there."""

import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.documents import normalise
from app.register.lists.un import ListedPerson
from app.register.lists.un_cells import Remark
from app.register.lists.un_documents import number_in, numbers_in


def document(number: str = "", *, heading: str = "Passport", **cells: str) -> str:
    inner = "".join(f"<{tag}>{text}</{tag}>" for tag, text in cells.items())
    return (
        f"<INDIVIDUAL_DOCUMENT><TYPE_OF_DOCUMENT>{heading}</TYPE_OF_DOCUMENT>"
        f"<NUMBER>{number}</NUMBER>{inner}</INDIVIDUAL_DOCUMENT>"
    )


def facts(person: ListedPerson) -> list[tuple[str, str, str | None]]:
    return [(paper.type, paper.number, paper.issuing_state) for paper in person.documents]


def test_a_bare_number_is_kept_with_its_listed_state(listed: Callable[[str], ListedPerson]):
    person = listed(document("\n  OR 123456 \n", ISSUING_COUNTRY="Afghanistan"))
    assert facts(person) == [("passport", "OR 123456", "AFG")]
    assert person.remarks == ()


@given(st.from_regex(r"[A-Z0-9 ]{1,20}", fullmatch=True).filter(lambda text: re.search("[0-9]", text)))
def test_every_plain_value_is_its_own_number(value: str):
    tidied = " ".join(value.split())
    reading = number_in(tidied)
    assert not isinstance(reading, Remark)
    assert normalise(reading.number) == value.replace(" ", "")
    assert reading.state is None


@pytest.mark.parametrize(
    ("value", "number", "state"),
    [
        ("Jordan 654321", "654321", "JOR"),
        ("Russian foreign travel passport number 515000008", "515000008", "RUS"),
        ("Libyan Passport No. 96/184000", "96/184000", "LBY"),
        ("Libya B/002000", "B/002000", "LBY"),
        ("Afghan passport number SE 012345", "SE 012345", "AFG"),
        ("Central African Republic number O00065000", "O00065000", "CAF"),
        ("CAR diplomatic passport no. D00000100", "D00000100", "CAF"),
        ("South Sudan passport number R00012000", "R00012000", "SSD"),
        ("British number 094600000", "094600000", "GBR"),
        ("Afghan national identification card (tazkira) number 4400", "4400", "AFG"),
        ("German travel document (“Reiseausweis”) A 0139000", "A 0139000", "DEU"),
        ("Tunisian passport number L723000, issued on 5 May 1998, expired on 4 May 2003", "L723000", "TUN"),
        ("Yemeni passport number 17000 issued under name A (see no.:31/2013/20 below)", "17000", "YEM"),
        ("Italian Fiscal Code: TSTLVR70A01Z352Z", "TSTLVR70A01Z352Z", "ITA"),
        ("00016000 (Yemen)", "00016000", "YEM"),
        ("403000000 (US)", "403000000", "USA"),
        ("SSN 156-92-0000 (United States of America)", "156-92-0000", "USA"),
        ("No. H0044000 (Iraqi)", "H0044000", "IRQ"),
        ("R00005000, South Sudan", "R00005000", "SSD"),
        ("381110000 (Expired 25 Jan. 2016)", "381110000", None),
        ("No34000/129", "34000/129", None),
        ("NO33000/862", "33000/862", None),
        ("Provisional passport No.: 28640000", "28640000", None),
        ("Counterfeit Danish driving licence number 20640000", "20640000", None),
        ("Diplomatic Passport D009000", "D009000", None),
        ("04640000 issued on 18 Jun. 1999", "04640000", None),
        ("35202- 4135000-7", "35202- 4135000-7", None),
        ("09.5004.180268.0000", "09.5004.180268.0000", None),
        ("TR-P 614 000", "TR-P 614 000", None),
    ],
)
def test_a_number_in_words_is_taken_with_the_state_they_name(value: str, number: str, state: str | None):
    assert number_in(value) == (number, state)


def test_a_number_cut_from_a_machine_readable_zone_is_taken_apart():
    assert number_in("L898902C3.6UTO") == ("L898902C3", "UTO")


@pytest.mark.parametrize("value", ["L898902C3.5UTO", "L898902C3.6QQQ"])
def test_what_only_looks_like_a_zone_stays_whole(value: str):
    assert number_in(value) == (value, None)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("", "no_document_number"),
        ("no details", "no_document_number"),
        ("issued in 1993, under name Alvar Testo", "no_document_number"),
        ("Laissez-passer no. N°235/MISPAT/DIRCAB", "no_document_number"),
        ("passport number s335o26", "no_document_number"),
        ("Number 12", "no_document_number"),
        ("Russian passport number 8200 No. 555000", "several_numbers"),
        ("passports A1234567 and B7654321", "several_numbers"),
    ],
)
def test_words_without_one_clear_number_are_only_remarked(value: str, code: str):
    assert number_in(value) == Remark(code=code, detail=value)


def test_an_empty_document_is_not_worth_a_remark(listed: Callable[[str], ListedPerson]):
    person = listed("<INDIVIDUAL_DOCUMENT/>")
    assert (person.documents, person.remarks) == ((), ())


def test_a_document_without_a_number_is_remarked(listed: Callable[[str], ListedPerson]):
    person = listed(document(NOTE="issued in 1993"))
    assert person.documents == ()
    assert person.remarks == (Remark(code="no_document_number", detail="issued in 1993"),)


def test_a_number_in_the_wrong_cell_is_found(listed: Callable[[str], ListedPerson]):
    person = listed(
        document(heading="National Identification Number", TYPE_OF_DOCUMENT2="05250000")
        + document(NOTE="Tunisian passport number L 191000 issued on 28 Feb. 1996")
    )
    assert facts(person) == [("national_id", "05250000", None), ("passport", "L 191000", "TUN")]


@pytest.mark.parametrize("heading", ["Passport", "Número de pasaporte", "Numéro de passeport "])
def test_a_passport_is_one_in_three_languages(listed: Callable[[str], ListedPerson], heading: str):
    assert facts(listed(document("645000000", heading=heading))) == [("passport", "645000000", None)]


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("National Identity Card", "national_id"),
        ("issued by National Registration Department", "national_id"),
        ("Driver's Permit", "other"),
        ("Birth certificate", "other"),
        ("Ration card no.", "other"),
        ("Italian Fiscal Code:", "other"),
        ("Voter ID", "other"),
    ],
)
def test_not_every_number_under_national_identification_is_one(
    listed: Callable[[str], ListedPerson], label: str, kind: str
):
    (paper,) = listed(
        document("0094000", heading="National Identification Number", TYPE_OF_DOCUMENT2=label)
    ).documents
    assert paper.type == kind


@pytest.mark.parametrize(
    ("cells", "state"),
    [
        ({"ISSUING_COUNTRY": "Tunisian passport", "COUNTRY_OF_ISSUE": "Italy"}, "TUN"),
        ({"COUNTRY_OF_ISSUE": "Iran (Islamic Republic of)"}, "IRN"),
        ({"COUNTRY_OF_ISSUE": "RPDC"}, "PRK"),
        ({"ISSUING_COUNTRY": "United Kingdom of Great Britain and Northern\nIreland"}, "GBR"),
        ({"NOTE": "issued by Palestinian Authority"}, "PSE"),
        ({"NOTE": "United States of America, issued on 21 Jun. 1992 in Amman, Jordan"}, "USA"),
        ({"NOTE": "issued in Jakarta, Indonesia"}, None),
        ({"NOTE": "Unconfirmed (likely Iran)"}, None),
        ({}, None),
    ],
)
def test_the_issuing_state_is_the_one_the_list_names(
    listed: Callable[[str], ListedPerson], cells: dict[str, str], state: str | None
):
    person = listed(document("A1234567", **cells))
    assert facts(person) == [("passport", "A1234567", state)]
    assert person.remarks == ()


def test_the_words_of_the_number_outrank_the_place_of_issue(listed: Callable[[str], ListedPerson]):
    person = listed(document("Russian passport number 514000000", COUNTRY_OF_ISSUE="Egypt"))
    assert facts(person) == [("passport", "514000000", "RUS")]


@pytest.mark.parametrize(
    ("number", "country"), [("A1234567", "Iran / unknown"), ("Libyan passport No. 513000", "Egypt")]
)
def test_a_document_of_an_unclear_state_is_kept_without_one(
    listed: Callable[[str], ListedPerson], number: str, country: str
):
    person = listed(document(number, ISSUING_COUNTRY=country))
    assert [paper.issuing_state for paper in person.documents] == [None]
    assert person.remarks == (Remark(code="issuing_state_unclear", detail=country),)


def test_a_number_listed_again_is_one_document_and_the_state_wins(listed: Callable[[str], ListedPerson]):
    person = listed(
        document("PS381000397")
        + document("PS 381000397", heading="Número de pasaporte", COUNTRY_OF_ISSUE="RPDC")
        + document("PS381000397")
        + document("PS381000397", ISSUING_COUNTRY="Jordan")
    )
    assert facts(person) == [("passport", "PS 381000397", "PRK"), ("passport", "PS381000397", "JOR")]


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("C805775 ,AA8630281", [("C805775", None), ("AA8630281", None)]),
        ("A 1234567 (lama), B 7654321 (baru)", [("A 1234567", None), ("B 7654321", None)]),
        ("A1234567 B7654321", [("A1234567", None), ("B7654321", None)]),
        ("passports A1234567 and B7654321", [("A1234567", None), ("B7654321", None)]),
        ("passport no. 123456; 654321", [("123456", None), ("654321", None)]),
        (
            "Sudanese passport number B012563, Egyptian passport number A123456",
            [("B012563", "SDN"), ("A123456", "EGY")],
        ),
        ("A1234567 (expired), B7654321 (issued in Kabul)", [("A1234567", None), ("B7654321", None)]),
        ("L723000, issued on 5 May 1998, expired on 4 May 2003", [("L723000", None)]),
        ("12345678, 01/01/2010", [("12345678", None)]),
        ("R00005000, South Sudan", [("R00005000", "SSD")]),
        ("\u041c\u04202345678", [("MP2345678", None)]),
    ],
)
def test_several_numbers_of_a_cell_are_documents_of_their_own(
    value: str, numbers: list[tuple[str, str | None]]
):
    assert numbers_in(value) == numbers


@pytest.mark.parametrize("value", ["N/A", "na", "tidak ada", "\u0416123456", "0", "passport held by \u8b77"])
def test_what_is_no_number_is_none(value: str):
    assert isinstance(numbers_in(value), Remark)


def test_a_second_number_of_a_cell_is_not_lost(listed: Callable[[str], ListedPerson]):
    person = listed(document("C805775 ,AA8630281", ISSUING_COUNTRY="Afghanistan"))
    assert facts(person) == [("passport", "C805775", "AFG"), ("passport", "AA8630281", "AFG")]
    assert person.remarks == ()
