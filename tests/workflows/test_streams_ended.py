"""What is left of an alert once it has ended, and what a gate is told while it holds, over real sockets."""

import pytest

from app.alerting.alerts.rendering import ENDED_MESSAGE, GATE_MESSAGE
from tests.support.actors import Actors, Caller
from tests.support.bodies import urgent_body
from tests.support.clock import SettableClock
from tests.support.feeds import alerts
from tests.support.served import Served
from tests.support.sse import listening
from tests.support.steps import Json, decide, expect, sound


def secrets(body: Json) -> list[str]:
    """What tells who somebody is."""
    subject = body["subject"]
    return [
        subject["full_name"],
        subject["aliases"][0]["name"],
        subject["documents"][0]["number"],
        subject["birth"]["date"],
        body["alert"]["message"],
    ]


async def streamed(served: Served, by: Caller, count: int) -> list[str]:
    """The data of the first so many alerts of a stream that begins at the beginning."""
    page = expect(await served.http.get("/v1/alerts", headers=by.headers), 200)
    epoch = page["cursor"].partition(".")[0]
    async with listening(served.http, by.headers, last_event_id=f"{epoch}.0") as stream:
        return [(await stream.next("alert")).data for _ in range(count)]


@pytest.mark.parametrize("kind", ["counter", "autogate"])
async def test_a_released_person_is_named_to_nobody_who_reads_later(
    served: Served, actors: Actors, kind: str
) -> None:
    body, duty = urgent_body(), await actors.client("duty_officer")
    submitter, by = await actors.client("submitter"), await actors.client("checkpoint", kind=kind)
    made = await sound(served.http, submitter, body)
    held = urgent_body(alert={"message": "Hold."})
    await sound(served.http, submitter, held)
    await decide(served.http, duty, made["entry"], "reject", "A mistake.")
    told = await alerts(served.http, by)
    raised, other, cancelled = told
    assert [each["kind"] for each in told] == ["raise", "raise", "cancel"]
    assert [each["sequence"] for each in told] == [2, 4, 6]
    assert (raised["id"], raised["message"]) == (made["alert"]["id"], ENDED_MESSAGE)
    assert cancelled["action"] == "release"
    for each in (raised, cancelled):
        left = {name for name, value in each["entry"].items() if value not in (None, [])}
        assert left == {"id", "version"}
        assert each["entry"]["id"] == made["entry"]["id"]
    assert held["subject"]["documents"][0]["number"] in str(other)
    for text in (str(told), *await streamed(served, by, 3)):
        assert [each for each in secrets(body) if each in text] == []


async def test_an_alert_that_has_expired_names_nobody(
    served: Served, actors: Actors, counter: Caller, clock: SettableClock
) -> None:
    body = urgent_body()
    await sound(served.http, await actors.client("submitter"), body)
    assert body["subject"]["full_name"] in (await streamed(served, counter, 1))[0]
    clock.advance(days=21)
    for text in (str(await alerts(served.http, counter)), *await streamed(served, counter, 1)):
        assert [each for each in secrets(body) if each in text] == []


async def test_a_gate_is_told_which_document_stays_out_and_nothing_else_of_the_person(
    served: Served, actors: Actors, counter: Caller
) -> None:
    gate, submitter = await actors.client("checkpoint", kind="autogate"), await actors.client("submitter")
    first = urgent_body()
    await sound(served.http, submitter, first)
    async with (
        listening(served.http, gate.headers) as at_gate,
        listening(served.http, counter.headers) as at_counter,
    ):
        came = [(await stream.next("alert")).json for stream in (at_gate, at_counter)]
        second = urgent_body()
        await sound(served.http, submitter, second)
        live = [(await stream.next("alert")).json for stream in (at_gate, at_counter)]
    assert await alerts(served.http, gate) == [came[0], live[0]]
    assert await alerts(served.http, counter) == [came[1], live[1]]
    for body, (shut, full) in ((first, came), (second, live)):
        assert body["subject"]["full_name"] == full["entry"]["full_name"]
        number = body["subject"]["documents"][0]["number"]
        assert [each["number"] for each in shut["entry"]["documents"]] == [number]
        assert [each for each in secrets(body) if each in str(shut)] == [number]
        assert shut["message"] == GATE_MESSAGE
        same = ("id", "sequence", "previous_sequence", "kind", "action", "direction", "expires_at")
        assert {name: shut[name] for name in same} == {name: full[name] for name in same}
