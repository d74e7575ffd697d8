"""An owner's officers, Immigration's and a counter, who act on entries of one case as they are at each moment."""

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Self
from uuid import uuid4

import httpx2

from app.worker import Worker
from tests.support.actors import Actors, Caller
from tests.support.bodies import (
    check_body,
    entry_body,
    formal_body,
    judgment_body,
    merged,
    photo,
    urgent_body,
    without_photo,
)
from tests.support.steps import Json, etag, expect, file_amendment

DOCUMENT = b"%PDF-1.4 an invented judgment"
ATTACHED = {
    "sha256": hashlib.sha256(DOCUMENT).hexdigest(),
    "attachment": {"media_type": "application/pdf", "data": b64encode(DOCUMENT).decode()},
}
"""The members of a judgment that carry its document."""

NEWER = {"type": "passport", "number": "Y7654321", "issuing_state": "IDN", "expires_on": "2031-01-31"}
"""A second passport, found later."""


def acquittal(entry: Mapping[str, Any], **judgment: Any) -> Json:
    """An acquittal of every charge of the entry's case."""
    return judgment_body(entry, judgment={"all_charges": True, **ATTACHED, **judgment})


def annulment(entry: Mapping[str, Any], **judgment: Any) -> Json:
    """A final praperadilan judgment against the measure, with its document."""
    given = {"all_charges": ..., **ATTACHED, **judgment}
    return judgment_body(entry, "annulment", judgment=given)


def same_case(body: Json, other: Json | None = None, **given: Any) -> Json:
    """Another request (an ordinary one unless given) against the person of a body, in its case."""
    case = {"case_reference": body["basis"]["case_reference"]}
    return merged(merged(other or entry_body(), {"subject": body["subject"], "basis": case}), given)


def given_again(subject: Json, **given: Any) -> Json:
    """A person as an entry was answered, to be sent again in full, with a photo."""
    return merged({**subject, "photo": photo()}, given)


def correction(subject: Json | None = None, **given: Any) -> Json:
    """A correction of an entry's person or of what is given."""
    parts = {} if subject is None else {"subject": without_photo(subject)}
    return {"kind": "correction", "correction": parts | given}


async def time_passes(worker: Worker) -> None:
    """Let the loops run once that tell what time has done to entries: ends, and beginnings."""
    await worker.end_by_law()
    await worker.announce_begun()


class Offices:
    """Officers who know the current version of everything they act on, unless a test gives another.

    Attributes:
        submitter: who writes; `verifier`, `approver`, `second` (another approver), `duty`: the other persons.
    """

    def __init__(self, http: httpx2.AsyncClient, actors: Actors, *officers: Caller) -> None:
        self.http, self.actors, self.officers = http, actors, officers
        self.submitter, self.verifier, self.approver, self.second, self.duty, self.counter = officers

    @classmethod
    async def opened(cls, http: httpx2.AsyncClient, actors: Actors, agency: str = "KPK") -> Self:
        """The officers that an owner's case takes."""
        return cls(
            http,
            actors,
            await actors.client("submitter", agency=agency),
            await actors.client("verifier", agency=agency),
            await actors.client("approver"),
            await actors.client("approver"),
            await actors.client("duty_officer"),
            await actors.client("checkpoint"),
        )

    async def read(self, one: Json, by: Caller | None = None) -> Json:
        """An entry or an amendment as it is now, read by somebody who sees everything unless given."""
        kind = "amendments" if one["id"].startswith("amd_") else "entries"
        headers = (by or self.approver).headers
        return expect(await self.http.get(f"/v1/{kind}/{one['id']}", headers=headers), 200)

    async def submit(self, body: Json) -> Json:
        """A submitted request."""
        return expect(await self.try_submit(body), 201)

    async def try_submit(self, body: Json) -> httpx2.Response:
        """The answer to an ordinary or an urgent request that may be refused."""
        path = "/v1/urgent-entries" if "letter" in body else "/v1/entries"
        return await self.http.post(path, json=body, headers=self.submitter.once(uuid4().hex))

    async def decide(
        self, one: Json, verdict: str, by: Caller | None = None, reason: str | None = None, **given: Any
    ) -> Json:
        """An entry or an amendment after a verdict on its current version."""
        return expect(await self.try_decide(one, verdict, by, reason, **given), 201)

    async def try_decide(
        self,
        one: Json,
        verdict: str,
        by: Caller | None = None,
        reason: str | None = None,
        *,
        stale: bool = False,
    ) -> httpx2.Response:
        """The answer to a verdict that may be refused; on the version that is given where that is `stale`."""
        usual = {"verify": self.verifier, "countersign": self.duty}
        by = by or usual.get(verdict, self.approver)
        known = one if stale else await self.read(one)
        kind = "amendments" if one["id"].startswith("amd_") else "entries"
        path, body = f"/v1/{kind}/{one['id']}/decisions", {"verdict": verdict, "reason": reason}
        return await self.http.post(path, json=body, headers=by.on(etag(known)))

    async def approve(self, one: Json) -> Json:
        """An entry or an amendment, verified and approved."""
        await self.decide(one, "verify")
        return await self.decide(one, "approve")

    async def impose(self, body: Json) -> Json:
        """An active entry."""
        return await self.approve(await self.submit(body))

    async def urgent(self, body: Json | None = None, *, signed: bool = True) -> Json:
        """An urgent entry, countersigned unless it is not to be."""
        entry: Json = (await self.submit(body or urgent_body()))["entry"]
        return await self.decide(entry, "countersign") if signed else entry

    async def try_formalise(self, urgent: Json, **given: Any) -> httpx2.Response:
        """The answer to the formal decision behind an urgent entry, in its case unless given."""
        body = formal_body(basis={"case_reference": urgent["basis"]["case_reference"]})
        path = f"/v1/entries/{urgent['id']}/formalisation"
        known = await self.read(urgent)
        return await self.http.post(path, json=merged(body, given), headers=self.submitter.on(etag(known)))

    async def formalise(self, urgent: Json, **given: Any) -> Json:
        """The formal request behind an urgent entry, submitted."""
        return expect(await self.try_formalise(urgent, **given), 201)

    async def try_resubmit(self, entry: Json, body: Json) -> httpx2.Response:
        """The answer to the new content of a returned request, which may be refused."""
        known = await self.read(entry)
        headers = self.submitter.on(etag(known))
        return await self.http.put(f"/v1/entries/{entry['id']}", json=body, headers=headers)

    async def try_file(self, entry: Json, body: Json, by: Caller | None = None) -> httpx2.Response:
        """The answer to an amendment that may be refused."""
        return await file_amendment(self.http, by or self.submitter, await self.read(entry), body)

    async def file(self, entry: Json, body: Json, by: Caller | None = None) -> Json:
        """An amendment, submitted."""
        return expect(await self.try_file(entry, body, by), 201)

    async def amend(self, entry: Json, body: Json) -> Json:
        """The entry after an amendment of its owner."""
        await self.approve(await self.file(entry, body))
        return await self.read(entry)

    async def ask(self, subject: Json, *, document: Json | None = None, direction: str = "exit") -> Json:
        """A counter's answer about a person, by the first passport unless another is given."""
        question = check_body(subject, direction)
        if document is not None:
            question["document"] = {name: document[name] for name in ("number", "issuing_state", "type")}
        return expect(await self.http.post("/v1/checks", json=question, headers=self.counter.headers), 200)

    async def action(self, subject: Json, *, document: Json | None = None) -> str:
        """What a counter is to do with a person who leaves."""
        return str((await self.ask(subject, document=document))["action"])

    async def told(self) -> list[Json]:
        """Every alert that the counter got."""
        answer = await self.http.get("/v1/alerts", headers=self.counter.headers)
        return list(expect(answer, 200)["items"])

    async def last_word(self) -> tuple[str, str]:
        """Kind and action of the last alert."""
        last = (await self.told())[-1]
        return last["kind"], last["action"]

    async def tasks(self, by: Caller, name: str | None = None) -> list[Json]:
        """What an officer's worklist holds, of a name or of every name."""
        items = expect(await self.http.get("/v1/worklist", headers=by.headers), 200)["items"]
        return [item for item in items if name is None or item["name"] == name]
