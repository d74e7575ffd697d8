"""Employee numbers as they are written on cards, in letters and in accounts."""

import pytest

from app.access.employee_numbers import normal_person, without_label, written_forms
from app.errors import SecondPairOfEyesNeeded
from app.register.entries.listed import Approvers

NUMBER = "198503152010012001"


@pytest.mark.parametrize(
    "written",
    [
        NUMBER,
        "19850315 201001 2 001",
        "NIP 19850315 201001 2 001",
        "NIP. 19850315.201001-2001",
        "nip: 198503152010012001",
        "NRP:198503152010012001",
        "NIP/NRP. 198503152010012001",
        "NRP / NIP 198503152010012001",
    ],
)
def test_a_number_is_read_without_its_label_and_known_with_any(written: str) -> None:
    assert without_label(written) == NUMBER
    assert written_forms(written) == written_forms(NUMBER)
    assert {NUMBER, f"NIP{NUMBER}", f"NRP{NUMBER}", normal_person(written)} <= written_forms(NUMBER)


@pytest.mark.parametrize("written", ["NIPAH", "NIPAH12", "NI1234", "1234NIP5", "NRP"])
def test_letters_of_a_number_are_no_label(written: str) -> None:
    assert without_label(written) == written


def test_leading_zeros_stay() -> None:
    assert without_label("NRP 00120345") == "00120345"


def test_one_person_does_not_approve_an_import_twice_by_a_label() -> None:
    with pytest.raises(SecondPairOfEyesNeeded):
        Approvers.named(NUMBER, "NIP: 19850315 201001 2 001")
    assert Approvers.named("NIP. 19850315 201001 2 001", "NRP 78010123") == Approvers(NUMBER, "78010123")
