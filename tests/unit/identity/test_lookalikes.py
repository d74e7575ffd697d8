"""Letters of other scripts, taken for what they look like; nothing else is guessed."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.lookalikes import _table, plain


@pytest.mark.parametrize(
    ("written", "text", "alike"),
    [
        ("X1234567", "X1234567", False),
        ("\u041c\u04202345678", "MP2345678", True),  # Cyrillic
        ("\u03a71234567", "X1234567", True),  # Greek
        ("\u03b11", "A1", True),  # Greek, small
        ("\u054d1", "U1", True),  # Armenian
        ("\uff381", "X1", False),  # full-width: the same letter
        ("\u0661\u06f2\u0969", "123", False),  # digits of three scripts
        ("\u00d81", "O1", True),  # a zero with a stroke
        ("\u00e91", "e1", True),
        ("X\u200b1", "X1", False),
        ("\u2116\u00a01", "No 1", False),
        ("X\u20101", "X 1", False),
    ],
)
def test_a_letter_is_taken_for_what_it_looks_like(written: str, text: str, *, alike: bool):
    assert plain(written) == (text, alike, False)


@pytest.mark.parametrize("written", ["\u04161", "\u8b771", "\u0e011", "\ud55c1", "\u00df1", "1\u4e00"])
def test_what_looks_like_no_letter_is_said_to_be_left(written: str):
    assert plain(written) == ("1", False, True)


def test_every_row_of_the_table_is_one_letter_or_digit_and_of_another_script():
    assert len(_table()) > 500
    for character, look in _table().items():
        assert look in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
        assert not character.isascii()
        assert unicodedata.decimal(character, None) is None


@settings(max_examples=100)
@given(st.text())
def test_any_text_is_brought_to_ascii(text: str):
    shown = plain(text)
    assert shown.text.isascii()
    assert plain(shown.text) == (shown.text, False, False)
