"""What tests of retention look for: a person's traces in a register, and a ledger that still verifies."""

import hashlib

import httpx2
import pytest

from app.access.domain import SYSTEM
from app.identity import names
from app.kit.canonical import canonical
from app.ledger.service import check_tail
from app.runtime import Runtime
from app.tlog import merkle
from tests.support.actors import Actors, Caller
from tests.support.ledger import root
from tests.support.refusals import contents
from tests.support.steps import Json, expect, impose

DONE = {"name": "deliver_to_person", "done_at": "2026-11-23T03:00:00Z", "reference": "Budi Santoso, saudara"}
OBJECTION = {
    "filed_on": "2026-11-23",
    "objector": {"name": "Ratna Wulandari", "capacity": "lawyer"},
    "grounds": "Bukan orang yang dimaksud.",
}
ANSWER = {
    "outcome": "rejected",
    "reason": "Perkara menyebut namanya.",
    "letter": {"number": "B-77/KPK/2026", "issued_on": "2026-11-23"},
}
OWN_WORDS = {"reason": "Uang proyek Tirtamaya Raya.", "signed_by": "Tulus Harsono"}
LETTER = {"number": "S-99/LAIN/2026", "issued_on": "2026-11-23"}
PERSON = pytest.mark.settings(photo_retention_days=30, personal_retention_days=100)


async def read(http: httpx2.AsyncClient, by: Caller, path: str) -> Json:
    return expect(await http.get(path, headers=by.headers), 200)


async def changes(http: httpx2.AsyncClient, by: Caller) -> list[Json]:
    return (await read(http, by, "/v1/changes?limit=500"))["items"]


async def verify(http: httpx2.AsyncClient, by: Caller, runtime: Runtime) -> list[Json]:
    """Recompute the tree from the leaves as they are sent, and every commitment that is still open."""
    records = await changes(http, by)
    assert [each["sequence"] for each in records] == list(range(1, len(records) + 1))
    nodes: dict[merkle.Node, bytes] = {}
    for index, each in enumerate(records):
        nodes |= merkle.completed(index, merkle.leaf_hash(canonical(each["leaf"])), nodes)
        if each["personal"] is not None:
            bound = bytes.fromhex(each["salt"]) + canonical(each["personal"])
            assert hashlib.sha256(bound).hexdigest() == each["leaf"]["commitment"]
        else:
            assert (each["salt"], each["withheld"]) == (None, "erased")
    async with runtime.reading(SYSTEM) as reader:
        size, top = await root(reader)
        assert await check_tail(reader)
    assert size == len(records)
    assert top == merkle.root([nodes[peak] for peak in merkle.peaks(size)])
    return records


async def lived(http: httpx2.AsyncClient, actors: Actors, body: Json) -> Json:
    """An entry in force of which everything is on record that can be: a delivery, an objection, its answer."""
    entry, owner = await impose(http, actors, body), await actors.client("submitter")
    path = f"/v1/entries/{entry['id']}"
    expect(await http.post(f"{path}/duties", json=DONE, headers=owner.headers), 201)
    filed = expect(await http.post(f"{path}/objections", json=OBJECTION, headers=owner.headers), 201)
    colleague = await actors.client("verifier")
    answered = await http.post(
        f"/v1/objections/{filed['id']}/answer", json=ANSWER, headers=colleague.on('"1"')
    )
    expect(answered, 201)
    return entry


def secrets_of(body: Json) -> list[str]:
    """What names the person of a body, or tells their case."""
    subject, basis = body["subject"], body["basis"]
    return [
        subject["full_name"],
        names.fold(subject["full_name"]),
        subject["aliases"][0]["name"],
        subject["birth"]["date"],
        subject["nik"],
        subject["address"],
        subject["documents"][0]["number"],
        basis["number"],
        basis["reason"],
        basis["case_reference"],
        basis["signed_by"],
    ]


async def found_in(runtime: Runtime, secrets: list[str]) -> dict[str, list[str]]:
    """Tables in whose rows one of the texts stands."""
    told = {name: repr(rows) for name, rows in (await contents(runtime)).items()}
    found = {name: [secret for secret in secrets if secret in text] for name, text in told.items()}
    return {name: which for name, which in found.items() if which}
