"""The national identity number: its form, and what it says of sex and birth (R16)."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.births import Birth
from app.identity.nik import faults, well_formed

MAN = "3171051705700001"  # 17 May of a year 70
WOMAN = "3171055705700001"  # the same day, 40 added


@pytest.mark.parametrize("nik", [MAN, WOMAN, "1101012902000001", "9671017112990001"])
def test_a_well_formed_number_is_taken(nik: str):
    assert well_formed(nik)


@pytest.mark.parametrize(
    "nik",
    [
        "",
        "317105170570000",
        "31710517057000011",
        "317105170570000A",
        "3171 051705700001",
        "\u0663171051705700001",
        "1071051705700001",
        "9771051705700001",
        "3171050005700001",
        "3171053205700001",
        "3171054005700001",
        "3171057205700001",
        "3171051713700001",
        "3171051700700001",
        "3171053002700001",
        "3171052902710001",
        "3171053104700001",
    ],
)
def test_another_form_is_not_taken(nik: str):
    assert not well_formed(nik)
    assert faults(nik, "male", Birth(date="1970-05-17")) == ("nik_malformed",)


@pytest.mark.parametrize(
    ("nik", "sex", "birth", "expected"),
    [
        (MAN, "male", Birth(date="1970-05-17"), ()),
        (WOMAN, "female", Birth(date="1970-05-17"), ()),
        (MAN, "female", Birth(date="1970-05-17"), ("nik_sex_mismatch",)),
        (WOMAN, "male", Birth(date="1970"), ("nik_sex_mismatch",)),
        (MAN, "unspecified", Birth(date="1970-05"), ()),
        (MAN, None, None, ()),
        (MAN, "male", Birth(date="1970-05-18"), ("nik_birth_mismatch",)),
        (MAN, "male", Birth(from_="1968", to="1971"), ()),
        (MAN, "female", Birth(date="1971"), ("nik_birth_mismatch", "nik_sex_mismatch")),
        ("3171051705090001", "male", Birth(date="2009-05-17"), ()),
        ("3171051705090001", "male", Birth(date="1909-05-17"), ()),
    ],
)
def test_disagreement_is_named(nik: str, sex: str | None, birth: Birth | None, expected: tuple[str, ...]):
    assert faults(nik, sex, birth) == expected


@given(
    st.dates(date(1900, 1, 1), date(2026, 12, 31)),
    st.sampled_from([("male", "female"), ("female", "male")]),
    st.integers(11, 96),
    st.integers(1, 9999),
)
@settings(max_examples=50)
def test_a_number_made_for_a_person_agrees_with_that_person(
    born: date, sexes: tuple[str, str], province: int, serial: int
):
    sex, other_sex = sexes
    day = born.day + (40 if sex == "female" else 0)
    nik = f"{province}7105{day:02}{born.month:02}{born.year % 100:02}{serial:04}"
    assert well_formed(nik)
    assert faults(nik, sex, Birth(date=born.isoformat())) == ()
    assert faults(nik, other_sex, None) == ("nik_sex_mismatch",)


@given(st.text())
@settings(max_examples=50)
def test_any_text_is_judged(text: str):
    assert not well_formed(text)
