"""References are compared by what they name, not by how an office writes them."""

import pytest

from app.register.entries.references import case_of, folded, same_letter


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Sprin.Dik-01", "SPRINDIK 01"),
        ("Sprin.Dik/01/11/2026", "sprin dik 1-11-2026"),
        ("R-007/2026", "r 7 2026"),
        ("Perkara No. 12", "PERKARA NO 012"),
        ("Résumé 3", "resume 3"),
        ("\uff33\uff50\uff52\uff49\uff4e \uff11", "sprin 1"),  # full-width letters and digits
        ("LP/A/\u0661\u0662", "lp a 12"),  # Arabic-Indic digits
        ("B-000", "b 0"),
        ("Sprin.Dik-01", "S\u0440rin.Dik-01"),  # a Cyrillic letter
        ("KAB-7", "\u039a\u0391\u0392-7"),  # Greek letters
    ],
)
def test_one_reference_in_many_writings_is_one(one: str, other: str) -> None:
    assert folded(one) == folded(other)
    assert case_of(one) == case_of(other) is not None
    assert same_letter(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1/12", "11/2"),
        ("Sprin.Dik-1", "Sprin.Dik-10"),
        ("A1B2", "AB12"),
        ("12/A", "A/12"),
        ("Sprin.Dik-1", "Sprin.Dik-1/2"),
        ("12/2026", "\u041612/2026"),  # a letter that looks like none of ours still counts
        ("x" * 200 + "1", "x" * 200 + "2"),
    ],
)
def test_other_groups_are_another_reference(one: str, other: str) -> None:
    assert folded(one) != folded(other)


@pytest.mark.parametrize("text", ["penyidikan", "-", "perkara korupsi", "…"])
def test_a_text_without_a_digit_names_no_case(text: str) -> None:
    assert case_of(text) is None
    assert folded(text) != ""


def test_a_very_long_reference_still_names_its_case() -> None:
    assert case_of("x" * 500) is None
    assert case_of("x" * 500 + " 7") is not None
