"""An auditor reads everything and changes nothing: held for every call of the OpenAPI document."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import AsyncClient

from app.runtime import Runtime
from app.worker import Worker
from tests.support.actors import Caller
from tests.support.refusals import nothing_changed, refused

QUESTIONS = {("POST", "/v1/entries/search"), ("POST", "/v1/checks/explain")}
"""Calls that are no GET but change nothing."""

NOBODYS = "XYZ-1"
"""Stands for every id and code."""

MACHINES_OWN = {"/v1/alerts", "/v1/alerts/stream", f"/v1/manifests/{NOBODYS}/stream"}
"""What machines follow: alerts are in the ledger, which auditors read at /v1/changes; a manifest they read itself."""


WITHOUT_RECORDS = {"/v1/proofs/inclusion", "/v1/proofs/consistency"}
"""What nothing can be proved by in an empty ledger."""


UNSEALED = {"/v1/snapshot", "/v1/digest"}
"""What an empty ledger has none of."""


def calls(app: FastAPI) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every call below /v1."""
    for template, item in app.openapi()["paths"].items():
        if template.startswith("/v1/"):
            path = re.sub(r"\{\w+\}", NOBODYS, template)
            for method in item.keys() & {"get", "put", "post", "delete", "patch"}:
                yield method.upper(), path, item[method]


async def test_every_call_that_changes_something_is_refused_to_an_auditor(
    http: AsyncClient, app: FastAPI, runtime: Runtime, auditor: Caller, subtests: pytest.Subtests
):
    tried = 0
    async with nothing_changed(runtime):
        for method, path, _ in calls(app):
            if method == "GET" or (method, path) in QUESTIONS:
                continue
            tried += 1
            with subtests.test(f"{method} {path}"):
                headers = {**auditor.on('"1"'), "Content-Type": "application/json"}
                answer = await http.request(method, path, content=b"{}", headers=headers)
                refused(answer, 403, "wrong-role")
    assert tried > 20


async def test_everything_that_can_be_read_is_open_to_an_auditor(
    http: AsyncClient, app: FastAPI, worker: Worker, auditor: Caller, subtests: pytest.Subtests
):
    tried = 0
    assert await worker.sign_head()
    for method, path, operation in calls(app):
        if method != "GET":
            continue
        with subtests.test(path):
            stream = path.endswith("/stream")  # which would never end; who may not read it is told first
            cursor = {"Last-Event-ID": "nowhere"} if stream else {}
            answer = await http.get(path, headers={**auditor.headers, **cursor})
            if path in MACHINES_OWN:
                refused(answer, 403, "wrong-role")
                continue
            tried += 1
            found = (
                404
                if NOBODYS in path or path in UNSEALED
                else 422
                if stream or path in WITHOUT_RECORDS
                else 200
            )
            assert answer.status_code == found, (operation["operationId"], answer.text)
    assert tried > 20


async def test_an_auditor_may_search(http: AsyncClient, auditor: Caller):
    answer = await http.post("/v1/entries/search", json={"name": "Raka"}, headers=auditor.headers)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
