"""Pages follow each other without gaps, and a cursor that is not ours is refused."""

import base64
import contextlib

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import Invalid
from app.web.paging import Page, cut, decode_cursor, encode_cursor

from .conftest import EntryOut

_STORABLE = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50)


@given(_STORABLE, st.integers(-(2**53), 2**53))
def test_a_cursor_gives_its_position_back(text: str, number: int):
    cursor = encode_cursor(text, number)
    assert decode_cursor(cursor, str, int) == (text, number)
    assert cursor.replace("-", "").replace("_", "").isalnum()


@given(st.text(max_size=60))
def test_anything_else_is_refused(text: str):
    with contextlib.suppress(Invalid):
        assert encode_cursor(*decode_cursor(text, str)) == text


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "!",
        "A",
        encode_cursor("a", 1) + "=",
        encode_cursor("a", 1, 2),
        encode_cursor(1, "a"),
        encode_cursor("a", 1.0),
        encode_cursor("a\0", 1),
        base64.urlsafe_b64encode(b'["a", 1]').decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode().rstrip("="),
        encode_cursor("x" * 2000, 1),
        "W10\N{LATIN SMALL LETTER E WITH ACUTE}",
    ],
)
def test_a_tampered_cursor_is_a_fault(cursor: str):
    with pytest.raises(Invalid) as refused:
        decode_cursor(cursor, str, int, pointer="/cursor")
    (fault,) = refused.value.faults
    assert (fault.pointer, fault.code) == ("/cursor", "cursor")


@given(st.lists(st.integers(), max_size=30), st.integers(1, 10))
def test_pages_hold_every_row_once(rows: list[int], limit: int):
    numbered = list(enumerate(rows))
    seen, cursor = [], None
    while True:
        start = decode_cursor(cursor, int)[0] + 1 if cursor else 0
        page, cursor = cut(numbered[start : start + limit + 1], limit, lambda row: [row[0]])
        assert len(page) <= limit
        seen += page
        if cursor is None:
            break
    assert seen == numbered


async def test_a_list_can_be_walked(client: httpx2.AsyncClient):
    seen, query = [], "limit=3"
    while True:
        page = (await client.get(f"/v1/entries?{query}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query = f"limit=3&cursor={page['next_cursor']}"
    assert seen == [1, 2, 3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=x", "cursor=!"])
async def test_a_wrong_query_is_a_validation_problem(client: httpx2.AsyncClient, query: str):
    answer = await client.get(f"/v1/entries?{query}")
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation")


def test_a_page_is_named_after_what_it_holds():
    assert Page[EntryOut].__name__ == "EntryPage"
