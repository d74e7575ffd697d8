"""An officer's and a counter's day, by the client that openapi-python-client makes of the API's document.

Run by tests/workflows/test_generated_clients.py, which also checks its types. Reads from its standard input where the
service is, the keys and the bodies; says at the end what it has seen.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from cekal_client import AuthenticatedClient
from cekal_client.api.alerts import confirm_alert, open_alert_stream, read_alerts, read_coverage
from cekal_client.api.checks import make_check, read_check
from cekal_client.api.entries import decide_on_entry, read_entry, read_history, read_photo, search_entries
from cekal_client.api.urgent_entries import make_urgent_entry
from cekal_client.api.worklist import read_worklist
from cekal_client.models import (
    AlertFrameOut,
    AlertsOut,
    CheckIn,
    CheckOut,
    CoverageOut,
    DecisionIn,
    EntryOut,
    EntryPage,
    HistoryOut,
    ReceiptIn,
    ReceiptOut,
    SearchIn,
    UrgentEntryIn,
    UrgentEntryOut,
    WorklistOut,
)
from cekal_client.types import File

T = TypeVar("T")


def expect(answer: object, kind: type[T]) -> T:
    """The answer, if it is of this kind; a problem ends the day."""
    assert isinstance(answer, kind), answer
    return answer


@contextmanager
def alerts(client: AuthenticatedClient) -> Iterator[Iterator[AlertFrameOut]]:
    """The alert stream, opened; its path, headers and models are the generated client's."""
    request = open_alert_stream._get_kwargs()
    with client.get_httpx_client().stream(**request) as response:
        assert response.status_code == 200, response.read()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        yield frames(response.iter_lines())


def frames(lines: Iterator[str]) -> Iterator[AlertFrameOut]:
    """The alerts among a stream's events."""
    event: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            event[name] = value
        elif event.get("event") == "alert":
            yield AlertFrameOut.from_dict({**event, "data": json.loads(event["data"])})
            event = {}
        else:
            event = {}


def main() -> None:
    given = json.load(sys.stdin)

    def client(role: str) -> AuthenticatedClient:
        return AuthenticatedClient(base_url=given["url"], token=given["keys"][role])

    officer, duty, counter = client("officer"), client("duty"), client("counter")
    question = CheckIn.from_dict(given["check"])
    seen: dict[str, object] = {}

    before = expect(read_worklist.sync(client=officer), WorklistOut)
    seen["tasks_before"] = len(before.items)
    with alerts(counter) as stream:
        body = UrgentEntryIn.from_dict(given["urgent"])
        made = expect(
            make_urgent_entry.sync(client=officer, body=body, idempotency_key="a-day"), UrgentEntryOut
        )
        alert = next(stream).data
    assert made.alert is not None
    seen["alert"] = alert.id == made.alert.id and alert.kind.value == "raise"

    receipt = ReceiptIn.from_dict({"level": "acknowledged", "officer_reference": "Counter 7"})
    told = expect(confirm_alert.sync(alert.id, client=counter, body=receipt), ReceiptOut)
    seen["receipt"] = told.level.value
    first = expect(make_check.sync(client=counter, body=question), CheckOut)
    decided = decide_on_entry.sync(
        made.entry.id,
        client=duty,
        body=DecisionIn.from_dict({"verdict": "countersign"}),
        if_match=f'"{made.entry.version}"',
    )
    seen["countersigned"] = expect(decided, EntryOut).countersigned_at is not None
    second = expect(make_check.sync(client=counter, body=question), CheckOut)
    seen["actions"] = [first.action.value, second.action.value]
    again = expect(read_check.sync(second.id, client=counter), CheckOut)
    seen["same_answer"] = again.checked_at == second.checked_at
    seen["polled"] = len(expect(read_alerts.sync(client=counter), AlertsOut).items)

    seen["acknowledged"] = expect(read_coverage.sync(alert.id, client=officer), CoverageOut).acknowledged
    found = search_entries.sync(client=officer, body=SearchIn.from_dict(given["search"]))
    seen["found"] = [each.id == made.entry.id for each in expect(found, EntryPage).items]
    seen["state"] = expect(read_entry.sync(made.entry.id, client=officer), EntryOut).state.value
    steps = expect(read_history.sync(made.entry.id, client=officer), HistoryOut)
    seen["history"] = [step.event.value for step in steps.items]
    photo = read_photo.sync(made.entry.id, client=officer)
    seen["photo"] = expect(photo, File).payload.read(4).hex()
    sys.stdout.write(json.dumps(seen))


main()
