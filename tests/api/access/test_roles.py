"""The matrix of roles: docs/roles.md says what each call answers each role, and every cell of it is tried here."""

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

from app.access.domain import Role
from app.worker import Worker
from tests.api.register.test_sight import STREAMS, UNDOCUMENTED, Sealed, hang_everything
from tests.support.actors import Actors, Caller

MATRIX = Path(__file__).parents[3] / "docs" / "roles.md"

ELSEWHERE = {
    "submitter": {"agency": "BNN"},
    "verifier": {"agency": "BNN"},
    "integrator": {"agency": "BNN"},
    "supervisor": {"checkpoint": "DPS"},
    "checkpoint": {"checkpoint": "DPS"},
}
"""Where the strangers belong: not to the agency and the checkpoint of the entry that they ask about."""

OTHER_REGISTER = {"Last-Event-ID": "0000000000000000.1"}
"""Ends a stream before it begins: whoever may open it is told 410."""

NO, YES, OWN, ALL = "-", "yes", "own", "all"


def calls(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every call that the running application takes; its OpenAPI document, for anybody, is left out."""
    for context in iter_route_contexts(app.routes):
        for method in sorted(getattr(context.original_route, "methods", None) or ()):
            assert context.path is not None
            if (method.lower(), context.path) not in UNDOCUMENTED:
                yield method, context.path.replace(":path}", "}")


WITHOUT_CONTENT = {("POST", "/v1/snapshot")}
"""What takes neither a body nor the name of anything, and so can't be asked for in vain."""


async def tried(
    http: httpx2.AsyncClient, by: Caller | None, method: str, path: str, ids: dict[str, str]
) -> httpx2.Response:
    """The answer to a call about the entry and what hangs on it; a write carries nothing that is valid."""
    headers = by.on('"1"') if by else {}
    filled = re.sub(r"{(\w+)}", lambda found: ids.get(found[1], f"no_{found[1]}"), path)
    if path in STREAMS:
        return await http.get(filled, headers=headers | OTHER_REGISTER)
    if method in {"GET", "DELETE"}:
        return await http.request(method, filled, headers=headers)
    return await http.request(method, filled, json={"nothing": "valid"}, headers=headers)


def cell(answer: httpx2.Response, path: str, world: Sealed, *, shown: bool) -> str:
    """What an answer says of the role that got it.

    Args:
        answer: what a stranger was answered.
        path: the path as it is documented.
        world: the entry, and what hangs on it.
        shown: whether somebody else is shown something of it by the same call.
    """
    if answer.status_code == 401 or (answer.status_code, slug(answer)) == (403, "wrong-role"):
        return NO
    if not shown or answer.request.method != "GET" or path in STREAMS:
        return YES
    return ALL if tells(answer, world) else OWN


def slug(answer: httpx2.Response) -> str:
    """Which problem an answer is."""
    if answer.headers.get("content-type") != "application/problem+json":
        return ""
    return str(answer.json()["type"]).rpartition("/")[2]


def tells(answer: httpx2.Response, world: Sealed) -> bool:
    """Whether an answer shows something of the entry, or of what hangs on it: it names it, or was asked for it."""
    asked = f"{answer.request.url} {answer.text}"
    return answer.status_code == 200 and any(each in asked for each in world.ids.values())


async def test_every_cell_of_the_matrix_is_what_the_application_does(
    http: httpx2.AsyncClient, app: FastAPI, actors: Actors, worker: Worker
) -> None:
    world = await hang_everything(http, actors, seal=False)
    assert await worker.sign_head()
    strangers = {role.value: await actors.client(role, **ELSEWHERE.get(role.value, {})) for role in Role}
    concerned = [
        *world.insiders,
        strangers["auditor"],
        strangers["admin"],
        *[await actors.client(role) for role in ("supervisor", "checkpoint", "integrator")],
    ]
    rows = [["call", *(role.value for role in Role), "no key"]]
    for method, path in calls(app):
        shown = method == "GET" and path not in STREAMS
        if shown:
            shown = any([tells(await tried(http, by, method, path, world.ids), world) for by in concerned])
        row = [f"`{method} {path}`"]
        for by in (*strangers.values(), None):
            answer = await tried(http, by, method, path, world.ids)
            assert answer.status_code < 500 or path == "/readyz", (method, path, answer.text)
            invalid = method == "GET" or not answer.is_success or (method, path) in WITHOUT_CONTENT
            assert invalid, f"{method} {path}: it was to be invalid"
            row.append(cell(answer, path, world, shown=shown))
        rows.append(row)
    expected = ["| " + " | ".join(row) + " |" for row in rows]
    expected.insert(1, "|---" * len(rows[0]) + "|")
    committed = [line for line in MATRIX.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert committed == expected, "\n".join(["docs/roles.md should hold:", *expected])
