"""JSON that every reader reads alike: each member once, one line that stays one."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kit.json_text import NotJson, on_one_line, read, repeated_members

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=20,
)


@given(plain)
def test_plain_json_is_read_as_the_standard_library_reads_it_and_repeats_nothing(value: Any) -> None:
    text = json.dumps(value).encode()
    assert read(text) == json.loads(text)
    assert list(repeated_members(read(text))) == []


@given(st.dictionaries(st.text(max_size=3), plain, min_size=1, max_size=4), st.data())
def test_a_member_that_is_given_twice_is_found_wherever_it_stands(
    members: dict[str, Any], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(members)))
    inner = json.dumps(members)[:-1] + f", {json.dumps(name)}: null}}"
    assert list(repeated_members(read(inner.encode()))) == [(name,)]
    around = f'{{"a": [1, {{"b": {inner}}}], "c": {{}}}}'.encode()
    assert list(repeated_members(read(around))) == [("a", 1, "b", name)]
    assert list(repeated_members(read(around), inside=False)) == []


def test_a_name_is_the_same_however_it_is_escaped() -> None:
    assert list(repeated_members(read(b'{"name": 1, "n\\u0061me": 2}'))) == [("name",)]


def test_every_member_that_is_repeated_is_told_once() -> None:
    assert list(repeated_members(read(b'{"a": 1, "b": 2, "a": 3, "b": 4, "a": 5, "c": 6}'))) == [
        ("a",),
        ("b",),
    ]


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"a": Nan}', b"\xff", b"1" * 5000, b"[" * 100_000, b"{} {}"],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(NotJson):
        read(text)


def test_members_without_number_and_depth_without_end_cost_no_more_than_their_bytes() -> None:
    wide = b"{" + b",".join([b'"a":1'] * 200_000) + b"}"
    assert list(repeated_members(read(wide))) == [("a",)]
    deep = b'{"a":' * 300 + b"1" + b"}" * 300
    assert list(repeated_members(read(deep))) == []


def test_what_unicode_calls_the_end_of_a_line_is_escaped_and_nothing_else() -> None:
    text = '{"a":"x\u2028y\u2029z\x85","b":"\u00c5\u2027\u0105 "}'
    one = on_one_line(text.encode())
    assert len(one.decode().splitlines()) == 1
    assert json.loads(one) == json.loads(text)
    assert one.decode() == '{"a":"x\\u2028y\\u2029z\\u0085","b":"\u00c5\u2027\u0105 "}'


@given(plain)
def test_json_on_one_line_says_the_same(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False).encode()
    assert read(on_one_line(text)) == read(text)
