"""What every call expects of a request, whatever kind of route serves it: the whole API's document is walked."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from httpx2 import AsyncClient

from tests.support.actors import Actors, Caller
from tests.support.contract import contract
from tests.support.refusals import refused
from tests.support.served import Served
from tests.support.steps import expect, impose

ON_SQLITE = pytest.mark.parametrize("engine_url", ["sqlite"], indirect=True)
"""For what no database has a say in."""

JSON = "application/json"
STREAM = "text/event-stream"
MARK = b"\xef\xbb\xbf"
CHECK = b'{"direction": "exit", "document": {"number": "X1234567", "issuing_state": "IDN"}}'

Json = dict[str, Any]


class Call(NamedTuple):
    """A call of the API: its method, a path that could be one of it, and what the document says."""

    method: str
    path: str
    operation: Json
    methods: set[str]

    @property
    def takes(self) -> set[str]:
        return set(self.operation.get("requestBody", {}).get("content", {}))

    @property
    def gives(self) -> set[str]:
        answers = self.operation["responses"].items()
        return {media for status, each in answers if status[0] == "2" for media in each.get("content", ())}


def calls() -> list[Call]:
    return [
        Call(method.upper(), re.sub(r"{\w+}", "x", path), operation, {each.upper() for each in item})
        for path, item in contract().document["paths"].items()
        for method, operation in item.items()
    ]


def keyed() -> Iterator[Call]:
    """Calls that need a key, but `/metrics`, which is for a machine of its own kind."""
    return (each for each in calls() if each.operation["security"] and each.path != "/metrics")


def about(call: Call) -> str:
    return f"{call.method} {call.path}"


@pytest.fixture
async def caller(actors: Actors) -> Caller:
    """Anybody: what these tests are about is judged before roles are."""
    return await actors.client("auditor")


def test_there_are_calls_of_every_kind() -> None:
    walked = list(keyed())
    assert len(walked) > 70
    raw = {"/v1/checks", "/v1/checks/batch", "/v1/manifests", "/v1/alerts/stream", "/v1/notices/stream"}
    assert raw < {each.path for each in walked}


@ON_SQLITE
async def test_without_a_key_nothing_else_is_said(http: AsyncClient, subtests: pytest.Subtests) -> None:
    headers = {"Accept": "application/x-nothing", "Content-Type": "text/plain"}
    for call in keyed():
        with subtests.test(about(call)):
            response = await http.request(
                call.method, f"{call.path}?nothing=1", headers=headers, content=b"x"
            )
            refused(response, 401, "unauthenticated")


@ON_SQLITE
async def test_an_unknown_parameter_is_refused(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        with subtests.test(about(call)):
            response = await http.request(call.method, f"{call.path}?nothing=1", headers=caller.headers)
            refused(response, 422, "validation")
            (fault,) = response.json()["errors"]
            assert (fault["in"], fault["name"], fault["code"]) == ("query", "nothing", "unknown_member")


@ON_SQLITE
async def test_a_repeated_parameter_is_refused(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        single = [
            each["name"]
            for each in call.operation.get("parameters", ())
            if each["in"] == "query" and each["schema"].get("type") != "array"
        ]
        for name in single:
            with subtests.test(f"{about(call)} {name}"):
                response = await http.request(
                    call.method, f"{call.path}?{name}=1&{name}=1", headers=caller.headers
                )
                refused(response, 422, "validation")
                assert response.json()["errors"][0]["code"] == "repeated_parameter"


@ON_SQLITE
async def test_what_can_not_be_given_is_406(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        with subtests.test(about(call)):
            headers = {**caller.headers, "Accept": "application/x-nothing, */*;q=0"}
            response = await http.request(call.method, call.path, headers=headers)
            if call.gives:
                refused(response, 406, "not-acceptable")
            else:
                assert response.status_code != 406


@ON_SQLITE
async def test_what_is_given_may_be_asked_for_exactly_or_by_a_wildcard(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        if STREAM in call.gives:
            continue  # held by `test_the_head_of_a_stream_comes_at_once`
        for media in call.gives:
            for accept in (
                media,
                f"{media.partition('/')[0]}/*;q=0.1",
                f"text/x-other, {media};q=0.5",
                "*/*",
            ):
                with subtests.test(f"{about(call)} {accept}"):
                    headers = {**caller.headers, "Accept": accept}
                    response = await http.request(call.method, call.path, headers=headers)
                    assert response.status_code != 406
                    if response.is_success:
                        assert response.headers["content-type"].partition(";")[0] in call.gives


@ON_SQLITE
async def test_another_media_type_is_415(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        if not call.takes:
            continue
        for media in ("text/plain", "application/jsonp", "application/vnd.x+json", f"{JSON}; charset=utf-16"):
            with subtests.test(f"{about(call)} {media}"):
                headers = {**caller.headers, "Content-Type": media}
                response = await http.request(call.method, call.path, headers=headers, content=b"{}")
                refused(response, 415, "unsupported-media-type")


@ON_SQLITE
async def test_json_is_json_however_it_is_announced(
    http: AsyncClient, caller: Caller, subtests: pytest.Subtests
) -> None:
    for call in keyed():
        if JSON not in call.takes:
            continue
        for named in (None, "Application/JSON", f'{JSON};charset="UTF-8"'):
            with subtests.test(f"{about(call)} {named}"):
                headers = caller.headers | ({} if named is None else {"Content-Type": named})
                response = await http.request(call.method, call.path, headers=headers, content=b"[1,")
                assert (response.status_code, response.json()["type"]) in {
                    (400, "/problems/malformed-json"),
                    (403, "/problems/wrong-role"),  # of a raw route, which asks for the role before it reads
                }


@ON_SQLITE
async def test_an_encoded_body_is_415(http: AsyncClient, caller: Caller, subtests: pytest.Subtests) -> None:
    for call in calls():
        if call.method not in {"POST", "PUT", "PATCH"}:
            continue
        with subtests.test(about(call)):
            headers = {**caller.headers, "Content-Type": JSON, "Content-Encoding": "gzip"}
            response = await http.request(call.method, call.path, headers=headers, content=b"\x1f\x8b")
            refused(response, 415, "unsupported-media-type")
            assert response.headers["accept-encoding"] == "identity"
            headers["Content-Encoding"] = "identity"
            response = await http.request(call.method, call.path, headers=headers, content=b"{}")
            assert response.status_code != 415


@ON_SQLITE
async def test_a_byte_order_mark_before_json_is_ignored(
    http: AsyncClient, actors: Actors, caller: Caller, subtests: pytest.Subtests
) -> None:
    counter, carrier = await actors.client("checkpoint"), await actors.client("carrier")
    for call in keyed():
        if JSON not in call.takes:
            continue
        with subtests.test(about(call)):
            by = {"/v1/checks": counter, "/v1/checks/batch": counter, "/v1/manifests": carrier}.get(
                call.path, caller
            )
            headers = {**by.headers, "Content-Type": JSON}
            answers = [
                await http.request(call.method, call.path, headers=headers, content=mark + b'{"nothing": 1}')
                for mark in (b"", MARK)
            ]
            plain, marked = [{**each.json(), "request_id": None} for each in answers]
            assert (answers[1].status_code, marked) == (answers[0].status_code, plain)
            twice = await http.request(call.method, call.path, headers=headers, content=MARK * 2 + b"{}")
            assert twice.status_code in {400, 403}
    headers = {**counter.headers, "Content-Type": JSON}
    assert expect(await http.post("/v1/checks", content=MARK + CHECK, headers=headers), 200)["id"]


@ON_SQLITE
async def test_head_is_wherever_get_is(http: AsyncClient, actors: Actors, subtests: pytest.Subtests) -> None:
    by = [await actors.client(role) for role in ("auditor", "admin", "checkpoint", "supervisor")]
    reads = [each for each in calls() if each.method == "GET" and STREAM not in each.gives]
    pages = ["/", "/docs", "/docs/start.js", "/docs/swagger-ui.css", "/v1/openapi.json"]
    answered = 0
    for path in [*(each.path for each in reads), *pages]:
        for caller in by:
            with subtests.test(f"{path} {caller.id}"):
                got = await http.get(path, headers=caller.headers)
                head = await http.head(path, headers=caller.headers)
                assert (head.status_code, head.content) == (got.status_code, b"")
                assert set(head.headers) == set(got.headers)
                for name in ("content-type", "content-length", "etag", "vary"):
                    if got.status_code == 200 and path not in {"/metrics", "/v1/audit"}:  # their length moves
                        assert head.headers.get(name) == got.headers.get(name), name
                answered += got.status_code == 200
    assert answered > 40


@ON_SQLITE
async def test_the_head_of_a_stream_comes_at_once(served: Served, actors: Actors) -> None:
    """Of a real server, and with all of the quota taken: a stream would be refused."""
    counter, owner = await actors.client("checkpoint"), await actors.client("submitter")
    for path, by in (("/v1/alerts/stream", counter), ("/v1/notices/stream", owner)):
        for _ in range(40):
            head = await served.http.head(path, headers={**by.headers, "Accept": STREAM}, timeout=5)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["content-type"] == f"{STREAM}; charset=utf-8"
            assert "ratelimit" not in head.headers
        refused(await served.http.get(path, headers={**by.headers, "Accept": JSON}), 406, "not-acceptable")
    assert not served.app.state.process.hub.streams
    assert not served.app.state.process.notice_tail.hub.streams
    assert (await served.http.head("/v1/alerts/stream")).status_code == 401
    assert (await served.http.head("/v1/alerts/stream", headers=owner.headers)).status_code == 403
    carrier = await actors.client("carrier")
    assert (await served.http.head("/v1/manifests/mft_x/stream", headers=carrier.headers)).status_code == 404


@ON_SQLITE
async def test_the_head_of_a_long_poll_waits_for_nothing(http: AsyncClient, actors: Actors) -> None:
    by = await actors.client("auditor")
    head = await http.head("/v1/changes?wait=30", headers=by.headers, timeout=5)
    assert (head.status_code, head.content) == (200, b"")


@ON_SQLITE
async def test_options_and_a_wrong_method_name_the_methods(
    http: AsyncClient, subtests: pytest.Subtests
) -> None:
    for call in calls():
        with subtests.test(about(call)):
            methods = {*call.methods, "OPTIONS"} | ({"HEAD"} if "GET" in call.methods else set())
            told = await http.options(call.path)
            assert (told.status_code, told.content) == (204, b"")
            wrong = await http.request("PATCH", call.path)
            refused(wrong, 405, "method-not-allowed")
            for answer in (told, wrong):
                # where a path could be two, such as /x/stream, both are named
                assert set(answer.headers["allow"].split(", ")) >= methods
    refused(await http.options("/v1/nothing"), 404, "not-found")
    assert "content-length" not in (await http.options("/healthz")).headers


@ON_SQLITE
async def test_the_root_leads_to_the_documentation(http: AsyncClient) -> None:
    answer = await http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/docs")


def test_every_call_with_content_declares_that_it_may_not_be_acceptable() -> None:
    for call in keyed():
        answers = call.operation["responses"]
        assert "406" in answers, about(call)
        assert ("415" in answers) is (call.method in {"POST", "PUT", "PATCH"}), about(call)


def test_the_document_says_so() -> None:
    said = json.dumps(contract().document["info"]["description"])
    for word in ("HEAD", "OPTIONS", "406", "415", "gzip", "Range", "UTC"):
        assert word in said


@ON_SQLITE
async def test_reads_are_compressed_and_each_coding_has_its_tag(
    http: AsyncClient, actors: Actors, subtests: pytest.Subtests
) -> None:
    """Every read that this register has anything to say on; what is said is the same in both codings."""
    by = [await actors.client(role) for role in ("auditor", "admin", "supervisor")]
    paths = [each.path for each in calls() if each.method == "GET" and STREAM not in each.gives]
    compressed = 0
    for path in [
        *paths,
        "/v1/openapi.json",
        "/docs/swagger-ui-bundle.js",
        "/v1/agencies/KPK",
        "/v1/checkpoints/CGK",
    ]:
        if path in {"/metrics", "/v1/audit"}:
            continue  # what they say moves
        for caller in by:
            plain = await http.get(path, headers={**caller.headers, "Accept-Encoding": "identity"})
            coded = await http.get(path, headers={**caller.headers, "Accept-Encoding": "gzip"})
            if plain.status_code != 200:
                continue
            with subtests.test(f"{path} {caller.id}"):
                assert "content-encoding" not in plain.headers
                assert plain.headers["vary"].lower().endswith("accept-encoding")
                large = len(plain.content) >= 1024
                assert (coded.headers.get("content-encoding") == "gzip") is large
                if "date" not in path and path != "/v1/statistics":
                    assert coded.content == plain.content
                if large and "etag" in plain.headers:
                    assert coded.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
                    for held in (plain.headers["etag"], coded.headers["etag"]):
                        again = await http.get(
                            path,
                            headers={**caller.headers, "Accept-Encoding": "gzip", "If-None-Match": held},
                        )
                        assert (again.status_code, again.headers["etag"]) == (304, held)
                compressed += large
    assert compressed > 10


@ON_SQLITE
async def test_answers_with_secrets_to_what_was_sent_and_streams_are_never_compressed(
    http: AsyncClient, served: Served, actors: Actors
) -> None:
    admin, counter = await actors.client("admin"), await actors.client("checkpoint")
    gzip = {"Accept-Encoding": "gzip"}
    wanted = {"name": "n" * 200, "roles": ["checkpoint"], "checkpoint": "CGK", "kind": "counter"}
    made = await http.post("/v1/clients", json=wanted, headers={**admin.headers, **gzip})
    key = await http.post(
        f"/v1/clients/{expect(made, 201)['id']}/keys", json={}, headers={**admin.headers, **gzip}
    )
    assert expect(key, 201)["key"]
    many = {"items": [json.loads(CHECK)] * 20}
    batch = await http.post("/v1/checks/batch", json=many, headers={**counter.headers, **gzip})
    assert len(batch.content) > 4000
    entry = await impose(http, actors)
    owner = await actors.client("submitter")
    wanted = {"name": entry["subject"]["full_name"]}
    found = await http.post("/v1/entries/search", json=wanted, headers={**owner.headers, **gzip})
    assert len(expect(found, 200)["items"]) == 1
    assert len(found.content) > 1024
    for answer in (made, key, batch, found):
        assert "content-encoding" not in answer.headers
    async with served.http.stream("GET", "/v1/alerts/stream", headers={**counter.headers, **gzip}) as stream:
        assert "content-encoding" not in stream.headers
