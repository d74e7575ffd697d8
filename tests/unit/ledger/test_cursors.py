"""Cursors: an epoch and a sequence, and what is worthless."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import CursorGone, Invalid
from app.ledger.domain import Head

HEAD = Head("0123456789abcdef", 1234, 1000)
FEED = "/v1/changes"


def test_the_head_has_a_cursor_and_so_has_every_sequence() -> None:
    assert HEAD.cursor() == "0123456789abcdef.1234"
    assert HEAD.cursor(0) == "0123456789abcdef.0"


@given(st.integers(0, HEAD.size))
def test_a_cursor_of_ours_is_read_back(sequence: int) -> None:
    assert HEAD.position(HEAD.cursor(sequence), FEED) == sequence


@pytest.mark.parametrize("cursor", [None, ""])
def test_without_a_cursor_reading_begins_at_the_beginning(cursor: str | None) -> None:
    assert HEAD.position(cursor, FEED) == 0


@pytest.mark.parametrize("cursor", ["fedcba9876543210.3", ".3", "0123456789abcde.3", "0123456789abcdef.1235"])
def test_another_register_and_beyond_the_head_are_gone_and_name_where_to_restart(cursor: str) -> None:
    with pytest.raises(CursorGone) as raised:
        HEAD.position(cursor, FEED)
    assert raised.value.extra == {"restart": FEED}


@given(st.text(max_size=60).filter(lambda text: text and not text.rpartition(".")[2].isdecimal()))
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(Invalid):
        HEAD.position(text, FEED)


@pytest.mark.parametrize("number", ["-1", "+1", "1e3", "\u0661", "\u00b2", "9" * 16, " 1", "1_0"])
def test_odd_numbers_are_no_cursor(number: str) -> None:
    with pytest.raises(Invalid):
        HEAD.position(f"{HEAD.epoch}.{number}", FEED)
