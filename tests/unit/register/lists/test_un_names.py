"""Every spelling that an alias cell hides becomes an alias; asides do not."""

from collections.abc import Callable

import pytest

from app.register.lists.un import ListedPerson
from app.register.lists.un_names import spellings


def alias(name: str, quality: str = "Good", note: str = "") -> str:
    return (
        f"<INDIVIDUAL_ALIAS><QUALITY>{quality}</QUALITY><ALIAS_NAME>{name}</ALIAS_NAME>"
        f"<NOTE>{note}</NOTE></INDIVIDUAL_ALIAS>"
    )


def names(person: ListedPerson) -> list[tuple[str, str]]:
    return [(one.name, one.quality) for one in person.aliases]


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("Alvaro Testa", ["Alvaro Testa"]),
        ("Alvar Teste; Alvar Testi;", ["Alvar Teste", "Alvar Testi"]),
        ("Testo, Alvar", ["Testo, Alvar"]),
        ("Alvaar, Alver, Alvir", ["Alvaar", "Alver", "Alvir"]),
        ("Alvar (previously listed as)", ["Alvar"]),
        ("(Sheikh) Alvar", ["Alvar"]),
        (") Alvar Testo", ["Alvar Testo"]),
        ("Alvar born in 1963", ["Alvar"]),
        ("Alvar, born 1 Jan. 1953 (Oman passport no.0000, date of issue 4 May 2014)", ["Alvar"]),
        ("“Alvar”", ["Alvar"]),
        ("“General” Alvar ", ["General Alvar"]),
        ("Alvar (original script: Алвар)", ["Alvar", "Алвар"]),
        ("Alvar Алвар", ["Alvar", "Алвар"]),
        ("الفار (Alvar; Elvar)", ["الفار", "Alvar", "Elvar"]),
        ("شيخ ، الفار", ["شيخ", "الفار"]),
        ("\u2018Alvar al-Testo\u2019", ["\u2018Alvar al-Testo\u2019"]),
        ("Alvár Testô", ["Alvár Testô"]),
        ("1-P", ["1-P"]),
        ("", []),
        ("(), .", []),
    ],
)
def test_a_cell_gives_its_spellings(cell: str, found: list[str]):
    assert list(spellings(cell)) == found


def test_a_spelling_is_kept_once_with_the_better_quality(listed: Callable[[str], ListedPerson]):
    person = listed(
        alias("Alvár al-Testó", "Low") + alias("ALVAR AL TESTO") + alias("alvar testo") + alias(" ", "")
    )
    assert names(person) == [("Alvár al-Testó", "good")]


def test_an_alias_without_quality_is_a_low_one(listed: Callable[[str], ListedPerson]):
    assert names(listed(alias("Elvar", ""))) == [("Elvar", "low")]


def test_the_original_script_is_a_good_alias(listed: Callable[[str], ListedPerson]):
    person = listed("<NAME_ORIGINAL_SCRIPT>ኤርሚኣስ (Tigrinya)</NAME_ORIGINAL_SCRIPT>" + alias("Elvar", "Low"))
    assert names(person) == [("ኤርሚኣስ", "good"), ("Elvar", "low")]


def test_a_note_in_another_script_or_of_transliterations_gives_spellings(
    listed: Callable[[str], ListedPerson],
):
    person = listed(
        alias("Ji Elvar", "Low", "original script: Джи Элвар")
        + alias("أبو الفار", "Good", "Abu Ilvar; Abu Ilver")
        + alias("Ilvan", "Good", "formerly listed as")
    )
    assert names(person) == [
        ("Ji Elvar", "low"),
        ("Джи Элвар", "low"),
        ("أبو الفار", "good"),
        ("Abu Ilvar", "good"),
        ("Abu Ilver", "good"),
        ("Ilvan", "good"),
    ]
    assert person.remarks == ()


def test_particulars_of_a_false_identity_are_left_to_a_person(listed: Callable[[str], ListedPerson]):
    person = listed(alias("Elvar", "Good", "born in 1976, passport no. X0000000"))
    assert [(remark.code, remark.detail) for remark in person.remarks] == [
        ("alias_details_not_read", "born in 1976, passport no. X0000000")
    ]


def test_a_filler_is_no_part_of_a_name(listed: Callable[[str], ListedPerson]):
    assert listed("<FOURTH_NAME>na</FOURTH_NAME>").full_name == "ALVAR TESTO"
    assert listed("<FOURTH_NAME>NA</FOURTH_NAME>").full_name == "ALVAR TESTO NA"
