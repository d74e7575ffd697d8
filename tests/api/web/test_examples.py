"""Every body that the API's document gives as an example is taken, in the order in which officers would send them."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import httpx2
import pytest

from app.web.openapi_examples import WRITTEN_FOR, examples
from tests.support.actors import Actors, Caller
from tests.support.bodies import merged
from tests.support.clock import SettableClock
from tests.support.crossings import hit_of, namesakes
from tests.support.steps import Json, etag, expect, impose


class Tour:
    """Sends examples, and remembers which it has sent."""

    def __init__(self, http: httpx2.AsyncClient, document: Json) -> None:
        self._http = http
        self._calls: dict[str, tuple[str, str, Json]] = {
            operation["operationId"]: (method, path, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
        }
        self.sent: set[tuple[str, str]] = set()

    @property
    def every(self) -> set[tuple[str, str]]:
        """Every example there is of a JSON body."""
        bodies = {
            name: operation["requestBody"]["content"]["application/json"]
            for name, (_, _, operation) in self._calls.items()
            if "requestBody" in operation
        }
        return {
            (name, example) for name, body in bodies.items() for example in body.get("examples", {"": None})
        }

    async def send(
        self,
        call: str,
        example: str,
        by: Caller,
        *,
        about: str = "",
        on: Mapping[str, Any] | None = None,
        **given: Any,
    ) -> Json:
        """The answer to an example, sent by a caller about one id, on the version of what was answered before."""
        method, path, operation = self._calls[call]
        body = operation["requestBody"]["content"]["application/json"]["examples"][example]["value"]
        headers = by.headers if on is None else by.on(etag(dict(on)))
        names = {each["name"] for each in operation.get("parameters", ())}
        if "Idempotency-Key" in names:
            headers = {**headers, "Idempotency-Key": f"{call}-{example}"}
        start, _, rest = path.partition("{")
        path = start + about + rest.partition("}")[2]
        answer = await self._http.request(method, path, json=merged(body, given), headers=headers)
        assert answer.is_success, f"{call} {example}: {answer.text}"
        self.sent.add((call, example))
        return answer.json()


async def now(http: httpx2.AsyncClient, by: Caller, entry: Json) -> Json:
    return expect(await http.get(f"/v1/entries/{entry['id']}", headers=by.headers), 200)


@pytest.mark.settings(webhook_full_hosts={"gate.example.go.id"})
@pytest.mark.parametrize("day", [WRITTEN_FOR, date(2027, 8, 31)], ids=str)
async def test_every_example_is_taken(  # noqa: PLR0915 - one story
    http: httpx2.AsyncClient,
    actors: Actors,
    clock: SettableClock,
    owner: Caller,
    counter: Caller,
    auditor: Caller,
    day: date,
):
    clock.set(f"{day}T03:00:00Z")
    document = expect(await http.get("/v1/openapi.json"), 200)
    tour = Tour(http, document)
    verifier, approver = await actors.client("verifier"), await actors.client("approver")
    duty, supervisor = await actors.client("duty_officer"), await actors.client("supervisor")
    admin, colleague = await actors.client("admin"), await actors.client("submitter")

    for call, code in (
        ("change_agency", "CONTOH"),
        ("change_checkpoint", "XKT"),
        ("change_office", "KANIM-CONTOH"),
    ):
        await tour.send(call, "added", admin, about=code)
    await tour.send("change_hours", "office", admin, about="CGK", on={"version": 0})
    await tour.send("change_policy", "supervisor", admin, about="CGK", on={"version": 0})
    await tour.send("plan_closure", "repair", admin, about="CGK")
    await tour.send("register_client", "officer", admin)
    machine = await tour.send("register_client", "counter", admin)
    await tour.send("issue_key", "dated", admin, about=machine["id"])

    entry = await tour.send("submit_entry", "exit_ban", owner)
    entry = await tour.send("decide_on_entry", "return", verifier, about=entry["id"], on=entry)
    entry = await tour.send("resubmit_entry", "exit_ban", owner, about=entry["id"], on=entry)
    entry = await tour.send("decide_on_entry", "verify", verifier, about=entry["id"], on=entry)
    entry = await tour.send("decide_on_entry", "approve", approver, about=entry["id"], on=entry)
    assert entry["in_force"]
    await tour.send("record_duty", "delivered", verifier, about=entry["id"])
    for example in ("document", "name"):
        found = await tour.send("search_entries", example, owner)
        assert [each["id"] for each in found["items"]] == [entry["id"]]
    immigration = await actors.client("submitter", agency="IMIGRASI")
    await tour.send("submit_entry", "entry_ban", immigration)

    answer = await tour.send("make_check", "document", counter)
    assert answer["action"] == "refuse_exit"
    assert (await tour.send("make_check", "zone", counter))["mrz"]["valid"]
    assert (await tour.send("make_check", "person", counter))["outcome"] == "clear"
    both = await tour.send("make_checks", "two", counter)
    assert [each["outcome"] for each in both["items"]] == ["refuse", "clear"]
    explained = await tour.send("explain_check", "entry", auditor, entry_id=entry["id"])
    assert explained["level"] == "exact"
    await tour.send("explain_check", "subject", auditor)
    hit = await hit_of(http, supervisor, answer)
    await tour.send("resolve_hit", "confirmed", supervisor, about=hit["id"], on=hit)

    body, question = namesakes()
    days = {"starts_on": str(day), "ends_on": str(day + timedelta(days=180))}
    letter = {"issued_on": str(day), "received_on": str(day)}
    await impose(http, actors, merged(body, {**days, "basis": letter}))
    asked = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 200)
    hit = await hit_of(http, supervisor, asked)
    hit = await tour.send("resolve_hit", "not_same_person", supervisor, about=hit["id"], on=hit)
    clearance = hit["resolutions"][-1]["clearances"][0]["clearance_id"]
    await tour.send("decide_clearance", "confirm", duty, about=clearance, on={"version": 1})

    request = await tour.send("file_correction_request", "wrong_person", supervisor, entry_id=entry["id"])
    await tour.send("decide_correction_request", "refused", approver, about=request["id"], on=request)
    objection = await tour.send("file_objection", "by_lawyer", owner, about=entry["id"])
    await tour.send("answer_objection", "rejected", colleague, about=objection["id"], on=objection)

    extension = await tour.send("file_amendment", "extension", owner, about=entry["id"], on=entry)
    extension = await tour.send(
        "decide_on_amendment", "verify", verifier, about=extension["id"], on=extension
    )
    await tour.send("decide_on_amendment", "approve", approver, about=extension["id"], on=extension)
    entry = await now(http, owner, entry)
    assert entry["extension_count"] == 1
    for example in ("correction", "revocation", "annulment", "acquittal"):
        await tour.send("file_amendment", example, owner, about=entry["id"], on=entry)

    await tour.send("preview_urgent_entry", "hold", owner)
    made = await tour.send("make_urgent_entry", "hold", owner)
    urgent, alert = made["entry"], made["alert"]
    for example in ("received", "acknowledged"):
        await tour.send("confirm_alert", example, counter, about=alert["id"])
    urgent = await tour.send("decide_on_entry", "countersign", duty, about=urgent["id"], on=urgent)
    for role, number in (
        ("submitter", "198001012005011001"),
        ("verifier", "198203042006042002"),
        ("duty_officer", "197505052000031002"),
    ):
        await actors.client(role, person=number)
    formal = await tour.send("formalise_entry", "decision", owner, about=urgent["id"], on=urgent)
    await tour.send("seal_entry", "persons", owner, about=formal["id"], on=formal)
    await tour.send("call_drill", "drill", duty)

    carrier = await actors.client("carrier")
    for example in ("arrival", "declared"):
        await tour.send("send_manifest", example, carrier)
    await tour.send("record_departure_delay", "sponsored", duty)
    await tour.send("file_supervision_report", "seen", await actors.client("timpora"))

    integrator = await actors.client("integrator")
    endpoint = await tour.send("create_endpoint", "integrator", integrator)
    await tour.send("create_endpoint", "checkpoint", admin, client_id=counter.id)
    await tour.send("change_endpoint", "ordered", integrator, about=endpoint["id"], on={"version": 1})
    await tour.send("rotate_secret", "overlap", integrator, about=endpoint["id"])
    await tour.send("replay_deliveries", "day", integrator, about=endpoint["id"])
    assert tour.every - tour.sent == set()


def test_the_committed_document_has_the_examples_as_they_were_written():
    assert examples() == examples(WRITTEN_FOR)
    assert "1970-05-17" in str(examples(date(2027, 8, 31)))
