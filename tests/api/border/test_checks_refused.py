"""Questions that get no answer: each its own problem, and nothing on record."""

import json
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.access.clients.revocations import revoke_client, revoke_key
from app.access.domain import SYSTEM
from app.border.checks.parsing import parse_question
from app.border.checks.questions import Question
from app.border.checks.tables import check
from app.errors import Unauthenticated
from app.kit.clock import legal_day
from app.runtime import Runtime
from tests.support.actors import Actors, Caller
from tests.support.bodies import check_body, entry_body
from tests.support.clock import SettableClock
from tests.support.steps import expect

ABOUT = {"document": {"number": "X1234567"}}


async def stored(runtime: Runtime) -> int:
    """How many checks are on record."""
    async with runtime.reading_checks(SYSTEM) as reader:
        return int((await reader.run(select(func.count()).select_from(check))).scalar_one())


@pytest.mark.parametrize(
    ("question", "slug"),
    [
        (ABOUT, "validation"),
        ({"direction": "exit"}, "validation"),
        ({"direction": "exit", "person": {"name": "Raka Prambanan"}}, "validation"),
        ({"direction": "exit", **ABOUT, "agency": "KPK"}, "validation"),
        ({"direction": "exit", "document": {"number": "X\u0000"}}, "validation"),
        ({"direction": "exit", "mrz": "P<IDN"}, "mrz-unreadable"),
        ({"direction": "exit", "mrz": "P" * 89}, "mrz-unreadable"),
        ([], "validation"),
    ],
)
async def test_a_question_with_faults_changes_nothing(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, question: Any, slug: str
) -> None:
    problem = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 422)
    assert problem["type"] == f"/problems/{slug}"
    assert problem["errors"]
    assert await stored(runtime) == 0


EMPTY_ZONE = "\n".join(("P<UTO" + "<" * 39, "<" * 9 + "0UTO" + "<" * 31))


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"person": {"name": "😀🎉", "birth_date": "1970-05-17"}}, "/person/name"),
        ({"person": {"name": "-- ''", "birth_date": "1970"}}, "/person/name"),
        ({"mrz": EMPTY_ZONE}, "/mrz"),
        ({"mrz": EMPTY_ZONE, "person": {"name": "✈", "nationality": "IDN"}}, "/mrz"),
    ],
)
async def test_where_nothing_is_left_to_look_for_nobody_is_cleared(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, question: dict[str, Any], pointer: str
) -> None:
    asked = {"direction": "exit", **question}
    problem = expect(await http.post("/v1/checks", json=asked, headers=counter.headers), 422)
    assert problem["type"] == "/problems/validation"
    assert [(each["pointer"], each["code"]) for each in problem["errors"]] == [
        (pointer, "nothing_to_look_for")
    ]
    batch = await http.post("/v1/checks/batch", json={"items": [asked]}, headers=counter.headers)
    assert [item["problem"]["status"] for item in expect(batch, 200)["items"]] == [422]
    assert await stored(runtime) == 0
    identified = {**asked, **ABOUT}
    assert expect(await http.post("/v1/checks", json=identified, headers=counter.headers), 200)["id"]


@pytest.mark.parametrize(
    "sent",
    [b"", b"{", b'{"direction": "exit", "document": {"number": "\\ud800"}}', b"\xff\xfe", b"[" * 99_999],
)
async def test_what_is_no_json_is_told_so(http: httpx2.AsyncClient, counter: Caller, sent: bytes) -> None:
    for path in ("/v1/checks", "/v1/checks/batch"):
        if path.endswith("batch") and b"ud800" in sent:
            continue  # there the text is read, and the row at fault is told
        headers = {**counter.headers, "Content-Type": "application/json"}
        problem = expect(await http.post(path, content=sent, headers=headers), 400)
        assert problem["type"] == "/problems/malformed-json"


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
async def test_a_question_is_json(http: httpx2.AsyncClient, counter: Caller, path: str) -> None:
    headers = {**counter.headers, "Content-Type": "application/xml"}
    problem = expect(await http.post(path, content=b"{}", headers=headers), 415)
    assert problem["type"] == "/problems/unsupported-media-type"


@pytest.mark.parametrize("path", ["/v1/checks", "/v1/checks/batch"])
async def test_a_question_takes_no_idempotency_key(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, path: str
) -> None:
    body = (
        {"direction": "exit", **ABOUT}
        if path == "/v1/checks"
        else {"items": [{"direction": "exit", **ABOUT}]}
    )
    assert (await http.post(path, json=body, headers=counter.once("again"))).status_code == 400
    assert await stored(runtime) == 0


@pytest.mark.parametrize(
    "role", ["submitter", "duty_officer", "supervisor", "auditor", "integrator", "admin"]
)
async def test_only_checkpoints_ask(http: httpx2.AsyncClient, actors: Actors, role: str) -> None:
    other = await actors.client(role, agency="KPK" if role == "integrator" else None)
    for path in ("/v1/checks", "/v1/checks/batch"):
        problem = expect(
            await http.post(path, json={"direction": "exit", **ABOUT}, headers=other.headers), 403
        )
        assert problem["type"] == "/problems/wrong-role"


async def test_without_a_key_nobody_asks(http: httpx2.AsyncClient) -> None:
    asked = await http.post("/v1/checks", json={"direction": "exit", **ABOUT})
    assert expect(asked, 401)["type"] == "/problems/unauthenticated"
    assert asked.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("end", ["key", "client"])
async def test_a_key_revoked_by_another_process_is_refused_from_the_next_question_on(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, end: str
) -> None:
    question = check_body(entry_body()["subject"])
    for _ in range(2):
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    async with runtime.writing(SYSTEM) as unit:
        if end == "key":
            await revoke_key(unit, counter.id, counter.key_id)
        else:
            await revoke_client(unit, counter.id)
    for _ in range(2):
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 401)
    assert await stored(runtime) == 2


async def test_a_question_that_waited_while_its_key_was_revoked_gets_no_answer(
    http: httpx2.AsyncClient, app: FastAPI, runtime: Runtime, actors: Actors, counter: Caller
) -> None:
    """The queue of a busy process: others are answered first, and tell the gate of the revocation."""
    question = check_body(entry_body()["subject"])
    for _ in range(2):  # the second time the key is remembered
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    gate = app.state.process.gate
    asked = parse_question(json.dumps(question).encode(), legal_day(runtime.clock()))
    waiting = Question(asked, gate.recall(f"Bearer {counter.key}", None), gate.version)
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, counter.id, counter.key_id)
    other = await actors.client("checkpoint", checkpoint="DPS")
    expect(await http.post("/v1/checks", json=question, headers=other.headers), 200)
    with pytest.raises(Unauthenticated):
        await app.state.process.batcher.ask(waiting)
    assert await stored(runtime) == 3


async def test_a_key_that_has_expired_is_refused_though_it_was_remembered(
    http: httpx2.AsyncClient, counter: Caller, clock: SettableClock
) -> None:
    question = check_body(entry_body()["subject"])
    for _ in range(2):
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    clock.advance(days=366)
    expect(await http.post("/v1/checks", json=question, headers=counter.headers), 401)


FAULTY: list[tuple[str, bytes]] = [
    ("/v1/checks", b"{"),
    ("/v1/checks", b'{"direction": "exit"}'),
    ("/v1/checks", b'{"direction": "exit", "mrz": "P<IDN"}'),
    ("/v1/checks/batch", b"{"),
    ("/v1/checks/batch", b'{"items": []}'),
    ("/v1/checks/batch", b'{"items": [{"direction": "exit"}, null]}'),
    ("/v1/checks/batch", json.dumps({"items": [{"direction": "exit", **ABOUT}] * 3}).encode()),
    ("/v1/checks/batch", json.dumps({"items": [{"direction": "exit"}] * 1001}).encode()),
]


@pytest.mark.parametrize("end", ["revoked", "expired"])
@pytest.mark.parametrize(("path", "body"), FAULTY)
async def test_whoever_has_no_key_any_more_is_told_only_that(
    http: httpx2.AsyncClient,
    runtime: Runtime,
    clock: SettableClock,
    counter: Caller,
    path: str,
    body: bytes,
    end: str,
) -> None:
    """Whatever is wrong with the question; and a batch is refused as a whole, not row by row."""
    question = check_body(entry_body()["subject"])
    for _ in range(2):  # the second time the key is remembered
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    if end == "revoked":
        async with runtime.writing(SYSTEM) as unit:
            await revoke_key(unit, counter.id, counter.key_id)
    else:
        clock.advance(days=366)
    headers = {**counter.headers, "Content-Type": "application/json"}
    problem = expect(await http.post(path, content=body, headers=headers), 401)
    assert problem["type"] == "/problems/unauthenticated"
    assert await stored(runtime) == 2


@pytest.mark.parametrize("header", [{"Idempotency-Key": "again"}, {"Content-Type": "application/xml"}])
async def test_nor_what_is_wrong_with_its_headers(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller, header: dict[str, str]
) -> None:
    question = check_body(entry_body()["subject"])
    for _ in range(2):
        expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    async with runtime.writing(SYSTEM) as unit:
        await revoke_key(unit, counter.id, counter.key_id)
    expect(await http.post("/v1/checks", content=b"{}", headers={**counter.headers, **header}), 401)


async def test_a_batch_whose_key_is_revoked_on_the_way_gets_no_answer_at_all(
    http: httpx2.AsyncClient, app: FastAPI, runtime: Runtime, counter: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was admitted, and the key ends before the desk has seen its rows."""
    question = check_body(entry_body()["subject"])
    answer = app.state.process.batcher._check_service.answer

    async def revoked_before(questions: Any) -> Any:
        async with runtime.writing(SYSTEM) as unit:
            await revoke_key(unit, counter.id, counter.key_id)
        return await answer(questions)

    monkeypatch.setattr(app.state.process.batcher._check_service, "answer", revoked_before)
    body = {"items": [question, {"direction": "exit"}, question]}
    expect(await http.post("/v1/checks/batch", json=body, headers=counter.headers), 401)
    assert await stored(runtime) == 0
