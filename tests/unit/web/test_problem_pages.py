"""Each `type` leads to a page with cause and remedy."""

import httpx2

from app.web.catalogue import CATALOGUE


async def test_every_type_can_be_followed(client: httpx2.AsyncClient):
    listed = (await client.get("/problems")).json()
    assert listed["next_cursor"] is None
    assert {item["slug"] for item in listed["items"]} == CATALOGUE.keys()
    for item in listed["items"]:
        answer = await client.get(item["type"])
        assert answer.json() == item
        assert item["cause"]
        assert item["remedy"]


async def test_a_browser_gets_a_page(client: httpx2.AsyncClient):
    answer = await client.get("/problems/cursor-gone", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["vary"] == "accept, accept-encoding"
    assert CATALOGUE["cursor-gone"].title_id in answer.text
    assert "<script" not in answer.text


async def test_the_explanations_may_be_cached(client: httpx2.AsyncClient):
    assert (await client.get("/problems/four-eyes")).headers["cache-control"] == "public, max-age=86400"


async def test_an_unknown_kind_is_not_found(client: httpx2.AsyncClient):
    answer = await client.get("/problems/nothing")
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
