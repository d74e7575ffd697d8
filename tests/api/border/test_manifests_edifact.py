"""A PAXLST in, a CUSRES out, as carriers and states speak to each other."""

from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.border.manifests.edifact import Segment, decode, segments
from app.runtime import Runtime
from tests.api.border.test_checks_refused import stored
from tests.support.actors import Actors, Caller
from tests.support.bodies import Json, deterrence_body, entry_body
from tests.support.manifests import (
    EDIFACT,
    FLIGHT,
    HEADER,
    PATH,
    listed,
    manifest_body,
    passenger,
    paxlst,
    send,
    statuses,
    stranger,
)
from tests.support.steps import expect, impose

TWO = paxlst(stranger("1"), stranger("2")).encode()
SHARED = Path(__file__).parents[4] / "shared" / "data" / "edifact"


async def post(
    http: httpx2.AsyncClient, by: Caller, text: str | bytes, accept: str = "application/json"
) -> httpx2.Response:
    content = text if isinstance(text, bytes) else text.encode()
    headers = {**by.headers, **EDIFACT, "Accept": accept}
    return await http.post(PATH, content=content, headers=headers)


async def taken(http: httpx2.AsyncClient, by: Caller, text: str | bytes) -> Json:
    return expect(await post(http, by, text), 201)


def replied(response: httpx2.Response) -> list[Segment]:
    assert response.headers["content-type"] == "application/edifact"
    return list(segments(decode(response.content)))


async def test_a_passenger_list_is_answered_like_its_twin(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    banned, free = passenger(body["subject"], "7"), stranger("8")
    manifest = await taken(http, carrier, paxlst(banned, free))
    twin = await send(http, carrier, manifest_body(banned, free, departs_at="2026-11-24T12:30:00+08:00"))
    for name in ("flight", "direction", "from", "to"):
        assert manifest[name] == twin[name]
    assert [item["reference"] for item in manifest["items"]] == ["7", "8"]
    assert statuses(manifest) == statuses(twin) == ["do_not_board", "board"]
    assert manifest["warnings"] == []


async def test_departure_abroad_is_taken_as_late_as_it_can_be_but_not_after_the_arrival(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    manifest = await taken(http, carrier, paxlst(stranger()))
    assert manifest["departs_at"] == "2026-11-24T04:30:00.000000Z"  # the arrival at Denpasar, UTC+8
    leaving = paxlst(stranger(), flight=FLIGHT.replace("125+SYD", "125+DPS").replace("87+DPS", "87+SYD"))
    manifest = await taken(http, carrier, leaving)
    assert (manifest["direction"], manifest["departs_at"]) == ("exit", "2026-11-24T01:05:00.000000Z")


async def test_a_passengers_own_journey_decides_which_way_they_cross(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    coming = listed(passenger(body["subject"], "1"))
    leaving = coming.replace("LOC+178+SYD", "LOC+178+DPS").replace("LOC+179+DPS", "LOC+179+SIN")
    text = HEADER + FLIGHT + coming + leaving + "UNT+0+1'UNZ+1+1'"
    assert statuses(await taken(http, carrier, text)) == ["do_not_board", "board"]


async def test_the_leg_that_crosses_the_border_is_the_one_that_counts(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    flight = (
        "TDT+20+GA1'LOC+92+CGK'DTM+189:2611240100:201'LOC+92+DPS'DTM+232:2611240300:201'"
        "TDT+20+GA2'LOC+92+DPS'DTM+189:2611240500:201'LOC+92+SYD'DTM+232:2611241200:201'"
    )
    manifest = await taken(
        http, carrier, HEADER + flight + "NAD+FL+++DOE:JOHN'DTM+329:710203'UNT+0+1'UNZ+1+1'"
    )
    assert (manifest["flight"], manifest["direction"], manifest["from"]) == ("GA2", "exit", "DPS")
    assert manifest["departs_at"] == "2026-11-23T21:00:00.000000Z"


async def test_every_document_is_asked_about(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, runtime: Runtime
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    asked = passenger(body["subject"], "1")
    own = f"DOC+P:110:111+{asked['document']['number']}'"
    two = listed(asked).replace(own, f"DOC+P:110:111+Z9999999'LOC+91+NZL'DOC+V+V1'{own}")
    manifest = await taken(http, carrier, HEADER + FLIGHT + two + "UNT+0+1'UNZ+1+1'")
    assert statuses(manifest) == ["do_not_board"]
    assert await stored(runtime) == 2  # the visa names nobody


async def test_a_passenger_who_cannot_be_asked_about_spoils_nothing(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    bad = listed(stranger("2")).replace("DTM+329:", "DTM+329:9999")
    nobody = "NAD+FL+++DOE:JOHN'RFF+ABO:3'"
    text = HEADER + FLIGHT + listed(stranger("1")) + bad + nobody + listed(stranger("4")) + "UNT+0+1'UNZ+1+1'"
    manifest = await taken(http, carrier, text)
    assert statuses(manifest) == ["board", None, None, "board"]
    assert [bool(item["problem"]) for item in manifest["items"]] == [False, True, True, False]
    assert [each["code"] for each in manifest["warnings"]] == ["segment_count"]


async def test_a_cusres_answers_the_sender_passenger_by_passenger(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    banned = passenger(body["subject"], "1")
    doubtful = passenger(body["subject"], "2", person={"nationality": "XXX"})
    nobody = "NAD+FL+++DOE:JOHN'RFF+ABO:4'"
    text = (
        HEADER
        + FLIGHT
        + "".join(map(listed, (banned, doubtful, stranger("3"))))
        + nobody
        + "UNT+0+1'UNZ+1+1'"
    )
    response = await post(http, carrier, text, "application/edifact")
    assert response.status_code == 201
    told = replied(response)
    unb, ung, unh = told[:3]
    assert (unb.elements[1], unb.elements[2]) == (("CEKAL", "ZZ"), ("GARUDA", "ZZ"))
    assert (unb.get(4), unb.get(6), ung.get(0)) == ("26112301", "APIS", "CUSRES")
    assert unh.elements == (("PAX001",), ("CUSRES", "D", "05B", "UN", "IATA"), ("GA880",))
    parts = [(each.tag, *each.elements[0]) for each in told[3:-3]]
    assert parts[:7] == [
        ("BGM", "962"),
        ("RFF", "TN", "TRX1"),
        ("RFF", "AF", "GA880"),
        ("DTM", "189", "2611240905", "201"),
        ("DTM", "232", "2611241230", "201"),
        ("LOC", "125"),
        ("LOC", "87"),
    ]
    codes = [each.get(0) for each in told if each.tag == "ERC"]
    assert codes == ["1Z", "2Z", "0Z", "4Z"]
    assert [each.get(0, 1) for each in told if each.tag == "RFF" and each.get(0) == "ABO"] == [
        "1",
        "2",
        "3",
        "4",
    ]
    unt, une, unz = told[-3:]
    assert int(unt.get(0)) == unt.number - unh.number + 1
    assert (unt.get(1), une.get(0), unz.get(1)) == ("PAX001", "1", "26112301")


async def test_the_twin_can_be_answered_and_read_as_a_cusres_too(
    http: httpx2.AsyncClient, carrier: Caller
) -> None:
    headers = {**carrier.headers, "Accept": "application/edifact, application/json;q=0.5"}
    body = manifest_body(stranger("O'NEILL+1"))
    response = await http.post(PATH, json=body, headers=headers)
    told = replied(response)
    assert [each.get(0, 1) for each in told if each.get(0) == "ABO"] == ["O'NEILL+1"]
    again = await http.get(response.headers["location"], headers=headers)
    assert [each.elements for each in replied(again)[1:]] == [each.elements for each in told[1:]]
    plain = await http.get(response.headers["location"], headers=carrier.headers)
    assert plain.headers["content-type"] == "application/json"


async def test_a_prevention_is_no_different_in_a_cusres(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller
) -> None:
    body = entry_body()
    await impose(http, actors, body)
    leaving = FLIGHT.replace("125+SYD", "125+DPS").replace("87+DPS", "87+SYD")
    text = HEADER + leaving + listed(passenger(body["subject"], "1")).replace("LOC+17", "LOC+9")
    response = await post(http, carrier, text + "UNT+0+1'UNZ+1+1'", "application/edifact")
    assert [each.get(0) for each in replied(response) if each.tag == "ERC"] == ["0Z"]


async def test_a_message_that_cannot_be_read_says_where_it_broke(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    whole = paxlst(stranger())
    problem = expect(await post(http, carrier, whole[: whole.index("RFF+ABO")], "application/edifact"), 422)
    assert problem["type"] == "/problems/validation"
    assert problem["errors"][0]["code"] == "cut"
    assert (problem["segment"], problem["tag"]) == (problem["segment"], "RFF")
    assert f"Segment {problem['segment']} (RFF)" in problem["detail"]
    assert await stored(runtime) == 0


@pytest.mark.parametrize(
    "sent", [b"", b"hello", b"\x00\xff", b"UNB+UNOA:4'", b"UNH+1+CUSRES:D:05B:UN'UNT+2+1'"]
)
async def test_what_is_no_passenger_list_is_refused(
    http: httpx2.AsyncClient, carrier: Caller, sent: bytes
) -> None:
    expect(await post(http, carrier, sent), 422)


async def test_too_many_passengers_are_too_many_in_edifact_too(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    expect(await post(http, carrier, HEADER + FLIGHT + "NAD+FL+++DOE'" * 1001 + "UNT+0+1'"), 413)
    assert await stored(runtime) == 0


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared EDIFACT files are not here")
@pytest.mark.parametrize(
    ("name", "passengers"),
    [
        ("01_paxlst_two_pax.edi", 2),
        ("02_paxlst_one_refused.edi", 2),
        ("Test1.edi", 8),
        ("apisMessage.edi", 2),
    ],
)
async def test_published_messages_are_answered(
    http: httpx2.AsyncClient, carrier: Caller, name: str, passengers: int
) -> None:
    manifest = await taken(http, carrier, (SHARED / name).read_bytes())
    assert statuses(manifest) == ["board"] * passengers
    assert "direction_assumed" in [each["code"] for each in manifest["warnings"]]
    assert manifest["closed_at"] is not None  # they have departed long ago


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 1500), st.binary(max_size=6)), max_size=5))
async def test_whatever_is_sent_is_answered_or_refused(
    http: httpx2.AsyncClient, carrier: Caller, cuts: list[tuple[int, bytes]]
) -> None:
    sent = bytearray(TWO)
    for at, noise in cuts:
        sent[at : at + len(noise)] = noise
    response = await post(http, carrier, bytes(sent))
    assert response.status_code in {201, 422}
    if response.status_code == 201:
        assert all((item["status"] is None) == bool(item["problem"]) for item in response.json()["items"])


US_LIST = """UNB+UNOA:1+SAMPLAIR:NZ+CEKAL:ID+261123:0300+2611230300'
UNH+2611230300+PAXLST:001:000:NZ+SA812/261124/0905'
TDT++SA812+40+SA'
LOC+005+AUSYD:50'
DTM+136+261124+0905+P11'
LOC+008+IDDPS:50'
DTM+132+261124+1230+P08'
UNS+D'
{passengers}UNT+9+2611230300'
UNZ+1+2611230300'
"""
"""The older passenger list of the United States: a segment a passenger."""


def passenger_of_pdt(asked: Json, state: str | None = None) -> str:
    person, paper = asked["person"], asked["document"]
    given, _, surname = person["name"].rpartition(" ")
    born = person["birth_date"].replace("-", "")[2:]
    document = f"P/{paper['number']}:300131:{state or paper['issuing_state']}"
    return f"PDT+{document}+{surname}:{given}::{born}:{person['sex'][0].upper()}+PAX+AUSYD:IDDPS'\n"


@pytest.mark.parametrize("state", [None, "NZ"])
async def test_the_older_list_of_the_united_states_stops_who_is_listed(
    http: httpx2.AsyncClient, actors: Actors, carrier: Caller, state: str | None
) -> None:
    body = deterrence_body()
    await impose(http, actors, body)
    banned = passenger_of_pdt(passenger(body["subject"]), state)
    text = US_LIST.format(passengers=banned + passenger_of_pdt(stranger()))
    manifest = await taken(http, carrier, text)
    assert (manifest["flight"], manifest["direction"]) == ("SA812", "entry")
    assert (manifest["from"], manifest["to"]) == ("AUSYD", "IDDPS")
    first, second = statuses(manifest)
    assert first in {"do_not_board", "contact"}
    assert second == "board"


async def test_a_list_in_which_no_passenger_is_found_is_refused_with_what_was_found(
    http: httpx2.AsyncClient, carrier: Caller, runtime: Runtime
) -> None:
    for segments_ in ("", "PNA+A+++DOE:JOHN'PNA+A+++DOE:JANE'", "NAD+HV+++DOE:JOHN'"):
        text = HEADER + FLIGHT + segments_ + "UNT+0+1'UNZ+1+1'"
        problem = expect(await post(http, carrier, text), 422)
        [fault] = problem["errors"]
        assert fault["code"] == "no_passengers"
        assert "TDT (1)" in fault["detail"]
        assert segments_.count("PNA") == 0 or "PNA (2)" in fault["detail"]
    assert await stored(runtime) == 0
