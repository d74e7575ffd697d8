"""Photos, letters, manifests and documents: held copies are not sent again, and parts are sent alone."""

import asyncio
import gzip
import io
import zipfile

import httpx2
import pytest
from httpx2 import AsyncClient, Response

from tests.support.actors import Actors, Caller
from tests.support.manifests import manifest_body, stranger
from tests.support.refusals import refused
from tests.support.served import Served
from tests.support.steps import expect, impose

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
AS_IT_IS = {"Accept-Encoding": "identity"}


async def held_in_every_way(http: AsyncClient, path: str, caller: Caller, **more: str) -> Response:
    """The whole of something, once it was had whole, in parts, not at all, and asked for in vain."""
    headers = {**caller.headers, **AS_IT_IS, **more}
    whole = await http.get(path, headers=headers)
    assert whole.status_code == 200, whole.text
    tag, size = whole.headers["etag"], len(whole.content)
    assert whole.headers["accept-ranges"] == "bytes"

    async def get(**asked: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in asked.items()}
        return await http.get(path, headers=headers | named)

    first = await get(Range="bytes=0-99")
    rest = await get(Range="bytes=100-", If_Range=tag)
    assert [each.status_code for each in (first, rest)] == [206, 206]
    assert first.content + rest.content == whole.content
    assert rest.headers["content-range"] == f"bytes 100-{size - 1}/{size}"
    assert {each.headers["etag"] for each in (first, rest)} == {tag}
    assert (await get(Range="bytes=-5")).content == whole.content[-5:]
    other = await get(Range="bytes=100-", If_Range='"1-000000000000"')
    assert (other.status_code, other.content) == (200, whole.content)
    beyond = await get(Range=f"bytes={size}-")
    refused(beyond, 416, "range-not-satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{size}"
    same = await get(If_None_Match=tag)
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", tag)
    head = await http.head(path, headers={**headers, "Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))
    return whole


async def acts(http: AsyncClient, auditor: Caller, act: str) -> int:
    """How often an act is on record."""
    audit = expect(await http.get("/v1/audit", params={"act": act}, headers=auditor.headers), 200)
    return len(audit["items"])


async def test_a_photo(http: AsyncClient, actors: Actors, auditor: Caller) -> None:
    entry = await impose(http, actors)
    path = f"/v1/entries/{entry['id']}/photo"
    await held_in_every_way(http, path, auditor)
    seen = await acts(http, auditor, "photo.seen")
    assert (await http.head(path, headers=auditor.headers)).status_code == 200
    assert await acts(http, auditor, "photo.seen") == seen, "nobody has seen it"
    tag = (await http.get(path, headers=auditor.headers)).headers["etag"]
    held = {**auditor.headers, "If-None-Match": tag}
    assert (await http.get(path, headers=held)).status_code == 304
    assert await acts(http, auditor, "photo.seen") == seen + 2, "a look at a held copy is a look"
    stranger_to_it = await actors.client("submitter", agency="BNN")
    for method in ("GET", "HEAD"):
        answer = await http.request(method, path, headers={**stranger_to_it.headers, "If-None-Match": tag})
        assert answer.status_code == 404


async def test_a_letter(http: AsyncClient, actors: Actors, auditor: Caller) -> None:
    entry = await impose(http, actors)
    letter = await held_in_every_way(http, f"/v1/entries/{entry['id']}/letter", auditor)
    assert letter.content.startswith(b"%PDF")
    assert letter.headers["cache-control"] == "no-store"


async def test_a_manifest(http: AsyncClient, carrier: Caller) -> None:
    sent = await http.post("/v1/manifests", json=manifest_body(stranger()), headers=carrier.headers)
    path = f"/v1/manifests/{expect(sent, 201)['id']}"
    manifest = await held_in_every_way(http, path, carrier)
    assert manifest.json()["id"] == sent.json()["id"]
    cusres = await held_in_every_way(http, path, carrier, Accept="application/edifact")
    assert cusres.content.startswith(b"UNA")
    assert cusres.headers["etag"] != manifest.headers["etag"]


@ON_SQLITE
@pytest.mark.parametrize("path", ["/v1/openapi.json", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"])
async def test_a_document(http: AsyncClient, auditor: Caller, path: str) -> None:
    document = await held_in_every_way(http, path, auditor)
    assert document.headers["cache-control"].startswith("public")
    coded = await http.get(path, headers={"Accept-Encoding": "gzip"})
    assert coded.headers["content-encoding"] == "gzip"
    assert coded.content == document.content


async def test_an_evidence_file_is_made_anew_each_time_and_never_for_a_head(
    http: AsyncClient, actors: Actors, auditor: Caller
) -> None:
    entry = await impose(http, actors)
    path = f"/v1/entries/{entry['id']}/evidence"
    head = await http.head(path, headers=auditor.headers)
    assert (head.status_code, head.content) == (200, b"")
    assert await acts(http, auditor, "evidence.asked") == await acts(http, auditor, "evidence.made") == 0
    whole = await http.get(path, headers={**auditor.headers, "Range": "bytes=0-99"})
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "none")
    assert zipfile.ZipFile(io.BytesIO(whole.content)).testzip() is None
    assert set(head.headers) == set(whole.headers)
    stranger_to_it = await actors.client("submitter", agency="BNN")
    assert (await http.head(path, headers=stranger_to_it.headers)).status_code == 404


async def test_over_a_real_connection_heads_and_codings_frame_as_they_should(
    served: Served, actors: Actors, auditor: Caller
) -> None:
    """One connection for all: an answer that were framed wrongly would be taken for the beginning of the next."""
    entry = await impose(served.http, actors)
    of_entry = [f"/v1/entries/{entry['id']}{each}" for each in ("/photo", "/letter", "/evidence", "/history")]
    limits = httpx2.Limits(max_connections=1)
    async with AsyncClient(base_url=served.url, limits=limits, headers=auditor.headers) as one:
        size = (await one.get("/v1/changes", params={"limit": 1})).json()["head"]
        async with asyncio.timeout(
            20
        ):  # the letter has another length once its record is under a signed head
            while (await one.get("/v1/head")).json().get("size", 0) < size:  # noqa: ASYNC110 - the worker signs
                await asyncio.sleep(0.05)
        for path in [*of_entry, "/v1/openapi.json", "/docs", "/v1/checkpoints"]:
            got = await one.get(path)
            head = await one.head(path)
            assert (head.status_code, head.content) == (200, b""), path
            assert head.headers.get("content-encoding") == got.headers.get("content-encoding"), path
            assert head.headers.get("content-length") == got.headers.get("content-length"), path
            assert (await one.options(path)).headers["allow"] == "GET, HEAD, OPTIONS" or path.endswith(
                entry["id"]
            )
        async with one.stream("GET", "/v1/openapi.json", headers={"Accept-Encoding": "gzip"}) as raw:
            told = b"".join([part async for part in raw.aiter_raw()])
        assert gzip.decompress(told).startswith(b'{"openapi"')
        assert len(told) == int(raw.headers["content-length"])
