"""Every specimen of a machine-readable zone, sound or faulty, through `POST /v1/checks/batch`: read as labelled."""

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.identity.documents import is_filler
from app.identity.mrz import MrzUnreadable, parse
from app.kit.clock import legal_day
from app.kit.ids import new_id
from app.register.entries.domain import Entry
from app.register.entries.store import add_all
from app.register.entries.subjects import Document, Subject
from app.runtime import Runtime
from tests.support.actors import Caller
from tests.support.steps import Json, expect
from tests.unit.border.checks.register import NOW, WNA, entry
from tests.unit.identity.test_mrz_vectors import labelled

TODAY = legal_day(NOW)
AT_ONCE = 1000


def specimens() -> list[Json]:
    return labelled("vectors.ndjson") + labelled("synthetic.ndjson")


async def answers(http: httpx2.AsyncClient, by: Caller, zones: list[str]) -> list[Json]:
    """What a counter is answered about zones that a traveller shows when leaving."""
    found: list[Json] = []
    for start in range(0, len(zones), AT_ONCE):
        items = [{"direction": "exit", "mrz": zone} for zone in zones[start : start + AT_ONCE]]
        response = await http.post("/v1/checks/batch", json={"items": items}, headers=by.headers)
        found += expect(response, 200)["items"]
    return found


def listed(number: str, state: str) -> Entry:
    """An exit ban against the bearer of a document; nothing else is known about the person."""
    subject = Subject(full_name="", documents=(Document("passport", number, state),))
    standing = entry(WNA)
    return standing.replace(
        id=new_id("ent", NOW), subject=subject, citizenship=subject.citizenship_on(legal_day(NOW))
    )


async def test_every_specimen_is_read_as_labelled_and_its_bearer_is_never_cleared(
    http: httpx2.AsyncClient, runtime: Runtime, counter: Caller
) -> None:
    every = specimens()
    assert len(every) == 172
    zones = ["\n".join(each["lines"]) for each in every]
    readable = [number for number in map(numbered, zones) if number is not None]
    async with runtime.writing(SYSTEM) as unit:
        people = [listed(number, state) for number, state in dict.fromkeys(readable) if number]
        await add_all(unit, [(each, None) for each in people], "approved")
    unreadable = 0
    for specimen, answer in zip(every, await answers(http, counter, zones), strict=True):
        if "problem" in answer:
            unreadable += 1
            assert answer["problem"]["type"] == "/problems/mrz-unreadable", specimen["id"]
            assert [fault["code"] for fault in answer["problem"]["errors"]] == specimen["fails"]
            continue
        zone = answer["mrz"]
        assert specimen["format"].startswith(zone["format"]), specimen["id"]
        assert (zone["valid"], set(zone["fails"])) == (specimen["valid"], set(specimen["fails"])), specimen[
            "id"
        ]
        assert zone["fields"]["document_number"] == (
            specimen["fields"]["document_number"].replace("<", "") or None
        )
        if is_filler(specimen["fields"]["document_number"].replace("<", "")):
            continue  # zeros are the number of no document: nobody is found by them
        assert answer["outcome"] != "clear", specimen["id"]
        if not all(zone["check_digits"].values()):
            assert answer["outcome"] == "refer", specimen["id"]
            results = {(each["feature"], each["result"]) for each in answer["matches"][0]["reasons"]}
            assert ("check_digits", "failed") in results
    assert 0 < unreadable < len(every) / 10


def numbered(zone: str) -> tuple[str, str] | None:
    """The number and issuing state that a zone is listed under; None of one that is none."""
    try:
        read = parse(zone, TODAY)
    except MrzUnreadable:
        return None
    return read.document_number, read.issuing_state


def damaged(zone: str) -> Iterator[str]:
    """A zone with every kind of fault that a scanner or a typist makes."""
    lines = zone.split("\n")
    yield from (zone[:cut] for cut in (1, 5, 44, len(zone) // 2, len(zone) - 1))
    yield "\n".join(reversed(lines))
    yield zone.lower()
    yield zone.replace("<", " ")
    yield zone.replace("<", "K")
    yield zone.replace("0", "O")
    yield zone.replace("\n", "")
    yield zone.replace("\n", "\r\n\r\n") + "\n"
    yield f"  {zone}  "
    yield zone + "\n" + lines[-1]
    yield zone.replace(lines[0][0], "É")
    yield zone.replace("<", "\uff1c")
    yield lines[0] + "\n" + "<" * len(lines[0])
    yield "\n".join("<" * len(line) for line in lines)


async def test_no_damage_breaks_a_check_or_clears_in_silence(
    http: httpx2.AsyncClient, counter: Caller
) -> None:
    zones = list(dict.fromkeys(z for each in specimens()[::6] for z in damaged("\n".join(each["lines"]))))
    assert len(zones) > 400
    kinds = set()
    for zone, answer in zip(zones, await answers(http, counter, zones), strict=True):
        if "problem" in answer:
            problem = answer["problem"]
            assert problem["status"] == 422, zone
            assert {fault["pointer"] for fault in problem["errors"]} == {"/mrz"}, zone
            kinds.add(problem["type"])
        else:
            read = parse(zone, TODAY)
            assert (answer["mrz"]["valid"], answer["mrz"]["fails"]) == (read.valid, list(read.fails))
            kinds.add(read.valid)
    assert kinds == {"/problems/mrz-unreadable", "/problems/validation", True, False}


@pytest.mark.parametrize("sent", [None, "", "\n", "x" * 401, 7, ["P<UTO"], {"lines": []}, "P<UTO\0"])
async def test_what_is_no_text_of_a_zone_is_refused_with_its_place(
    http: httpx2.AsyncClient, counter: Caller, sent: Any
) -> None:
    question = {"direction": "exit", "mrz": sent}
    problem = expect(await http.post("/v1/checks", json=question, headers=counter.headers), 422)
    assert {fault["pointer"] for fault in problem["errors"]} == ({""} if sent is None else {"/mrz"})
