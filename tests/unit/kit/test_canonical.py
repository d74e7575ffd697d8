"""One value has one canonical form (RFC 8785)."""

import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from app.kit.canonical import canonical

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcé€😀", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(JSON)
def test_the_canonical_form_says_the_same_as_the_value(value: object):
    assert json.loads(canonical(value)) == value


@given(JSON)
def test_the_canonical_form_is_that_of_the_reference_library(value: object):
    assert canonical(value) == rfc8785.dumps(value)


def test_every_character_of_ascii_is_written_as_the_reference_library_writes_it():
    value = {chr(code): [f"{chr(code)}x"] for code in range(128)}
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), st.integers(0, 9), max_size=8))
def test_the_order_in_which_members_were_put_in_makes_no_difference(value: dict[str, int]):
    assert canonical(dict(reversed(value.items()))) == canonical(value)


def test_members_are_sorted_by_utf_16_and_nothing_is_escaped_that_need_not_be():
    value = {"\U0001f600": 1, "\ufb33": 2, "é": 3, "a": 4.0, "\n": "\u0007<é>"}
    assert canonical(value) == '{"\\n":"\\u0007<é>","a":4,"é":3,"\U0001f600":1,"\ufb33":2}'.encode()


@pytest.mark.parametrize(
    "value", [2**53, -(2**53), float("nan"), float("inf"), {1: 2}, object(), b"x", "\ud800"]
)
def test_what_json_can_not_say_exactly_is_refused(value: object):
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)
