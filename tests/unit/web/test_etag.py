"""Entity tags are strong, and `If-Match` compares the version in them."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import StaleVersion, VersionRequired
from app.web.etag import etag_of, expected_version, not_modified


@given(st.integers(1, 10**9 - 1), st.integers(0, 1), st.none() | st.text())
def test_a_tag_names_its_version(version: int, in_force: int, view: str | None):
    assert expected_version(etag_of(version, in_force, view)) == version


def test_a_tag_changes_with_every_part():
    tags = {etag_of(3), etag_of(4), etag_of(3, True), etag_of(3, False), etag_of(3, None), etag_of(3, "None")}
    assert len(tags) == 6
    assert etag_of(3, True) == etag_of(3, True)


def test_a_tag_is_strong():
    assert etag_of(3).startswith('"3-')
    assert etag_of(3).endswith('"')


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ('"3"', 3),
        ("3", 3),
        (' "3-abc" ', 3),
        ('"3-abc", "4-def"', 4),
        ('W/"9-abc", "4-def"', 4),
        ('"x", "4"', 4),
    ],
)
def test_if_match_is_read(header: str, version: int):
    assert expected_version(header) == version


@pytest.mark.parametrize("header", [None, "", "*", " * "])
def test_without_a_version_the_act_is_refused(header: str | None):
    with pytest.raises(VersionRequired):
        expected_version(header)


@pytest.mark.parametrize(
    "header", ['W/"3-abc"', '"abc"', '"-1"', "3-", '"3', '"3x"', '"99999999999"', "\u0663"]
)
def test_what_is_no_strong_tag_of_ours_is_stale(header: str):
    with pytest.raises(StaleVersion):
        expected_version(header)


async def test_the_route_is_entered_only_with_a_version(client: httpx2.AsyncClient):
    body = {"name": "Budi", "birth": {"date": "1970"}}
    assert (await client.put("/v1/entries/1", json=body)).status_code == 428
    assert (await client.put("/v1/entries/1", json=body, headers={"if-match": '"2"'})).status_code == 412
    assert (await client.put("/v1/entries/1", json=body, headers={"if-match": '"3-x"'})).status_code == 200


async def test_a_copy_that_is_still_good_is_not_sent_again(client: httpx2.AsyncClient):
    first = await client.get("/v1/entries/1")
    again = await client.get("/v1/entries/1", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    other = await client.get("/v1/entries/1?deep=1", headers={"if-none-match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("header", ['"3-x"', 'W/"3-x"', '"a", "3-x"', "*"])
def test_if_none_match_compares_weakly(header: str):
    assert not_modified(header, '"3-x"') is not None


@pytest.mark.parametrize("header", [None, '"3-y"', "3-x", ""])
def test_another_tag_is_modified(header: str | None):
    assert not_modified(header, '"3-x"') is None
