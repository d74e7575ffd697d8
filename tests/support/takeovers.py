"""Lines of an older register, and what becomes of them."""

import json
from pathlib import Path
from typing import Any

from app.access.domain import SYSTEM
from app.ledger.domain import Record
from app.ledger.service import list_after
from app.register.entries import store
from app.register.entries.domain import Entry
from app.register.entries.listing import Approvers
from app.register.entries.store import Filter
from app.register.lists.report import Report
from app.register.lists.takeover import take_over
from app.runtime import Runtime
from tests.support.bodies import entry_body, merged

Json = dict[str, Any]


TWO = Approvers.named("198001012005011001", "197505052000031002")


def line(reference: str = "old-1", **given: Any) -> Json:
    """A line of KPK's register that was approved on 23 November 2026; `...` leaves a member out."""
    whole = {
        "agency": "KPK",
        "reference": reference,
        "entry": entry_body(),
        "approved_on": "2026-11-23",
        "extension_count": 0,
        "first_started_on": None,
    }
    return merged(whole, given)


def ndjson(folder: Path, *lines: Json | str) -> Path:
    path = folder / "register.ndjson"
    texts = [one if isinstance(one, str) else json.dumps(one) for one in lines]
    path.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    return path


async def taken(runtime: Runtime, path: Path, **given: Any) -> Json:
    return (await take_over(runtime, path, TWO, **given)).as_json()


def told(**given: Any) -> Json:
    return {**Report().as_json(), **given}


async def entries(runtime: Runtime) -> list[Entry]:
    """Every entry as it stands, oldest first."""
    async with runtime.reading(SYSTEM) as reader:
        found = await store.list_page(reader, Filter(), None, 500)
        return [entry.at(reader.now) for entry in reversed(found)]


async def records(runtime: Runtime) -> list[Record]:
    async with runtime.reading(SYSTEM) as reader:
        return await list_after(reader, 0, 500)
