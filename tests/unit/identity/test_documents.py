"""Document numbers: what the writing of a number may change and what it may not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.documents import is_filler, is_same, normalise, skeleton


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("X1234567", "X1234567"),
        (" x 123-45.67 ", "X1234567"),
        ("X1234567<<", "X1234567"),
        ("\uff38\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "X1234567"),
        ("X\u0661\u0662\u0663\u0664\u0665\u0666\u0667", "X1234567"),
        ("é1", "E1"),
        ("ﬁ1", "FI1"),
        ("№ 12", "NO12"),
        ("---", ""),
        ("", ""),
        ("Ж", ""),
        ("Ж1234567", ""),
        ("\u041c\u04202345678", "MP2345678"),
    ],
)
def test_a_number_is_compared_without_its_writing(written: str, expected: str):
    assert normalise(written) == expected


@settings(max_examples=50)
@given(st.text())
def test_a_normal_number_is_plain_and_stays_as_it_is(text: str):
    number = normalise(text)
    assert set(number) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    assert normalise(number) == number


@pytest.mark.parametrize("alike", ["OQD0", "IL1", "Z2", "S5", "G6", "B8"])
def test_characters_that_look_alike_share_a_skeleton(alike: str):
    assert len({skeleton(character) for character in alike}) == 1


@settings(max_examples=50)
@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))
def test_a_skeleton_keeps_its_length_and_its_skeleton(number: str):
    bones = skeleton(number)
    assert len(bones) == len(number)
    assert skeleton(bones) == bones
    assert not set(bones) & set("OQDILZSGB")


@pytest.mark.parametrize(
    ("number", "filler"),
    [
        *((number, True) for number in ("", "0", "0000000", "O0O", "XXX", "999999999", "AAAAA")),
        *((number, False) for number in ("X0", "10", "1", "7777", "X1234567", "A0000000", "C0000001")),
    ],
)
def test_a_number_that_only_fills_its_field_names_no_document(number: str, *, filler: bool):
    assert is_filler(number) is filler


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("X 12-34", "x1234", True),
        ("X1234", "X1235", False),
        ("0", "0", False),
        ("-", " ", False),
        ("XX", "xx", False),
    ],
)
def test_equal_numbers_are_the_same_unless_they_only_fill_their_field(one: str, other: str, *, same: bool):
    assert is_same(one, other) is is_same(other, one) is same
