"""Reading the feed of changes in its three formats, and writing records for it."""

import json
from collections.abc import Sequence
from typing import Any

import httpx2

from app.access.domain import SYSTEM
from app.ledger.domain import Draft, RecordType
from app.ledger.service import append
from app.runtime import Runtime
from tests.support.actors import Caller
from tests.support.contract import contract
from tests.support.sse import Events
from tests.support.steps import Json, expect

PATH = "/v1/changes"
LINES = "application/x-ndjson"
EVENTS = "text/event-stream"


async def page(http: httpx2.AsyncClient, by: Caller, **asked: Any) -> Json:
    """A page of JSON."""
    return expect(await http.get(PATH, params=asked, headers=by.headers), 200)


async def lines(http: httpx2.AsyncClient, by: Caller, **asked: Any) -> tuple[list[Json], Json]:
    """An answer in lines: the records, and the last line."""
    got = await http.get(PATH, params=asked, headers={**by.headers, "Accept": LINES}, timeout=60)
    assert (got.status_code, got.headers["content-type"]) == (200, LINES), got.text
    *records, last = got.content.removesuffix(b"\n").split(b"\n")
    for each in (*records, last):
        contract().check_line(PATH, each)
    read = [json.loads(each) for each in records]
    assert all("leaf" in each for each in read)
    end = json.loads(last)
    assert set(end) == {"cursor", "head", "more"}
    return read, end


async def changes(stream: Events, count: int) -> list[Json]:
    """The data of the next so many records of a stream."""
    return [(await stream.next("change")).json for _ in range(count)]


def draft(entry_id: str, number: int, agency: str = "KPK", kind: str = "entry.listed") -> Draft:
    """A record of one entry's version."""
    return Draft(
        RecordType(kind), entry_id, number, agency, {"number": number}, {"secret": f"{entry_id} {number}"}
    )


async def write(runtime: Runtime, drafts: Sequence[Draft]) -> None:
    """Append records, as another process would."""
    async with runtime.writing(SYSTEM) as unit:
        await append(unit, drafts)
