"""The evidence file of an entry for a court (praperadilan, UU 20/2025 art. 158): all that the register holds about it.

It leaves while it is being made: first a short transaction fixes what it will show (`case`), then each file is
read in a short transaction of its own and sent (`pieces`), so that neither the database nor the memory holds the
whole of it. Whatever was recorded after that first moment is left out.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import msgspec

from app.access.service import record
from app.entries.domain import Entry
from app.entries.store import find_blob
from app.kit.canonical import canonical
from app.kit.clock import rfc3339
from app.kit.merkle import leaf_hash
from app.ledger.domain import Inclusion, Record
from app.ledger.service import prove
from app.papers import index, pdf, service, store
from app.papers.archive import Archive
from app.papers.case import Case, decisions, reports
from app.papers.domain import Told
from app.papers.store import Json
from app.runtime import Runtime

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
_AT_ONCE: Final = 200
_PROOFS_AT_ONCE: Final = 20
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@dataclass(slots=True)
class _Making:
    """An evidence file in the making.

    Attributes:
        seen: ids of clients that are named in it.
        summary: what the index tells beside the list of files.
    """

    runtime: Runtime
    case: Case
    archive: Archive
    seen: set[str] = field(default_factory=set)
    summary: Json = field(default_factory=dict)

    def add(self, name: str, content: Any, titles: tuple[str, str]) -> None:
        """Add a JSON file that a person can read, and note the clients that it names."""
        self._note(content)
        data = msgspec.json.format(msgspec.json.encode(content), indent=2)
        self.archive.add(name, data + b"\n", JSON, titles)

    def line(self, content: Any) -> bytes:
        """A line of an NDJSON file."""
        self._note(content)
        return msgspec.json.encode(content) + b"\n"

    def _note(self, content: Any) -> None:
        for value in _texts(content):
            if value.startswith("cli_"):
                self.seen.add(value)


async def pieces(runtime: Runtime, case: Case) -> AsyncIterator[bytes]:
    """The evidence file, piece by piece; the last one leaves only after the file's own hash is on record."""
    making = _Making(runtime, case, Archive(case.until))
    parts = (_entry, _beside, _letters, _kept, _alerts, _checks, _audit, _ledger, _verifier)
    for part in parts:
        async for _ in part(making):
            if piece := making.archive.piece():
                yield piece
    digest = await _index(making)
    async with runtime.writing(case.by) as unit:
        detail = {"index_sha256": digest, "size": case.head.size, "version": case.entry.version}
        await record(unit, "evidence.made", case.entry.id, detail)
    yield making.archive.end()


async def _entry(making: _Making) -> AsyncIterator[None]:
    """Every version, and who decided what, when and why."""
    case = making.case
    for version in case.versions:
        number = version.entry.version
        content = {
            "version": number,
            "event": version.event,
            "by": version.by,
            "person": version.person,
            "at": rfc3339(version.at),
            "reason": version.reason,
            "entry": version.entry,
        }
        making.add(
            f"entry/versions/{number:04d}.json",
            content,
            (f"Data, versi {number}", f"Entry, version {number}"),
        )
        yield
    steps = decisions(case.versions, case.amendments)
    making.summary["decisions"] = steps
    making.add(
        "entry/decisions.json", steps, ("Keputusan: siapa, kapan, mengapa", "Decisions: who, when, why")
    )
    yield


async def _beside(making: _Making) -> AsyncIterator[None]:
    """What stands beside the entry: amendments, objections, duties, requests for correction, clearances, notices."""
    case, entry_id = making.case, making.case.entry.id
    async with making.runtime.reading(case.by) as reader:
        found: dict[str, Sequence[Any]] = {
            "amendments": case.amendments,
            "objections": await store.list_objections(reader, entry_id),
            "duties": await store.list_duties(reader, entry_id, case.until),
            "correction-requests": await store.list_corrections(reader, entry_id, case.until),
            "supervision-reports": await store.list_reports(reader, reports(case.versions)),
            "clearances": await store.list_clearances(reader, entry_id, case.until),
            "notices": await store.list_notices(reader, entry_id, case.until),
        }
    for name, content in found.items():
        making.summary[name] = len(content)
        making.add(f"entry/{name}.json", content, index.BESIDE[name])
        yield


async def _letters(making: _Making) -> AsyncIterator[None]:
    """Every letter that was called for, with the bytes that it had when it was issued; none without its person.

    The letters of the urgent entry that this one formalises, or of the formal one that follows it, are beside them.
    """
    case = making.case
    async for _ in _letters_of(making, case.entry, case.told, "letters"):
        yield
    making.summary["linked"] = []
    for linked in case.linked:
        folder = f"linked/{linked.entry.id}/letters"
        before = len(making.archive.files)
        async for _ in _letters_of(making, linked.entry, linked.told, folder):
            yield
        letters = [each.name for each in making.archive.files[before:]]
        relation = "formalises" if linked.entry.id == case.entry.formalises else "formalised_by"
        making.summary["linked"].append(
            {
                "entry_id": linked.entry.id,
                "relation": relation,
                "letters": letters,
                "evidence": linked.evidence,
            }
        )


async def _letters_of(
    making: _Making, entry: Entry, told: Sequence[Told], folder: str
) -> AsyncIterator[None]:
    settings = making.runtime.settings
    for last, each in enumerate(told, 1):
        if each.kind is None or entry.erased_at is not None:
            continue
        async with making.runtime.reading(making.case.by) as reader:
            draft = await service.compose(reader, told[:last], settings)
        document = await asyncio.to_thread(pdf.render, draft.letter, draft.photo)
        name = f"{folder}/{each.record.sequence:08d}-{each.kind.value}.pdf"
        number = draft.letter.number
        making.archive.add(
            name, document, "application/pdf", (f"Surat Nomor {number}", f"Letter no. {number}")
        )
        yield


async def _kept(making: _Making) -> AsyncIterator[None]:
    """Photos and attached letters; what was erased is named, with its hash."""
    case, gone = making.case, []
    async with making.runtime.reading(case.by) as reader:
        known = await store.list_kept(reader, case.entry.id)
    for each in known:
        async with making.runtime.reading(case.by) as reader:
            blob = await find_blob(reader, case.entry.id, each.sha256)
        if blob is None:
            gone.append({"kind": each.kind, "sha256": each.sha256, "erased_at": each.erased_at})
            continue
        folder, titles = index.KEPT.get(each.kind, index.KEPT["letter"])
        name = f"{folder}/{each.sha256}.{_SUFFIXES.get(each.media_type, 'bin')}"
        making.archive.add(name, blob.data, each.media_type, titles)
        yield
    making.summary["erased"] = gone


async def _alerts(making: _Making) -> AsyncIterator[None]:
    """Every alert, with the checkpoints that were to get it and what they said."""
    case, told = making.case, []
    async with making.runtime.reading(case.by) as reader:
        alerts = await store.list_alerts(reader, case.entry.id, case.until)
    place = {each.alert_id: each.sequence for each in case.records}
    for alert in sorted(alerts, key=lambda alert: place.get(alert["id"], 0)):
        async with making.runtime.reading(case.by) as reader:
            recipients = await store.list_recipients(reader, alert["family"])
            receipts = await store.list_receipts(reader, alert["id"], case.until)
        levels = {level: {r["checkpoint"] for r in receipts if r["level"] == level} for level in index.LEVELS}
        counts = {level: len(places) for level, places in levels.items()}
        told.append({"id": alert["id"], "kind": alert["kind"], "at": alert["issued_at"], **counts})
        told[-1]["recipients"] = len(recipients)
        content = {"alert": alert, "recipients": recipients, "receipts": receipts}
        title = (
            f"Pemberitahuan {alert['kind']} dan tanda terima",
            f"Alert ({alert['kind']}) and its receipts",
        )
        making.add(f"alerts/{alert['id']}.json", content, title)
        yield
    making.summary["alerts"] = told


async def _checks(making: _Making) -> AsyncIterator[None]:
    """Every check that matched the entry: hits and what supervisors said, and sightings that stopped nobody."""
    case, after, counts = making.case, "", {"refuse": 0, "refer": 0, "sighting": 0}
    with making.archive.begin("checks/matches.ndjson", NDJSON, index.CHECKS) as part:
        while True:
            async with making.runtime.reading_checks(case.by) as checks:
                found = await store.page_matches(checks, case.entry.id, after, case.until, _AT_ONCE)
            wanted = {match["check"]["hit_id"] for match in found if match["check"] is not None} - {None}
            async with making.runtime.reading(case.by) as reader:
                hits = await store.list_hits(reader, wanted, case.entry.id)
            for match in found:
                match["hit"] = hits.get(match["check"]["hit_id"]) if match["check"] else None
                counts["sighting" if match["sighting"] else match["outcome"]] += 1
                part.write(making.line(match))
            if len(found) < _AT_ONCE:
                break
            after = found[-1]["check_id"]
            yield
    making.summary["checks"] = counts
    yield


async def _audit(making: _Making) -> AsyncIterator[None]:
    """Who looked at the entry, and what else was done about it (PDP art. 31; R62)."""
    case, after = making.case, ""
    with making.archive.begin("audit.ndjson", NDJSON, index.AUDIT) as part:
        while True:
            async with making.runtime.reading(case.by) as reader:
                found = await store.page_audit(reader, case.entry.id, after, case.until, _AT_ONCE)
            for act in found:
                part.write(making.line(act))
            if len(found) < _AT_ONCE:
                break
            after = found[-1]["id"]
            yield
    yield


async def _ledger(making: _Making) -> AsyncIterator[None]:
    """The ledger's records about the entry, each with its audit path to one root."""
    case, size = making.case, making.case.head.size
    root = b""
    with making.archive.begin("ledger/records.ndjson", NDJSON, index.LEDGER) as part:
        for first in range(0, len(case.records), _PROOFS_AT_ONCE):
            some = case.records[first : first + _PROOFS_AT_ONCE]
            async with making.runtime.reading(case.by) as reader:
                proofs = await prove(reader, [each.sequence for each in some], size)
            for each, proof in zip(some, proofs, strict=True):
                part.write(making.line(_proved(each, proof)))
                root = proof.root
            yield
    making.summary["ledger"] = {"epoch": case.head.epoch, "size": size, "root": root.hex()}
    async with making.runtime.reading(case.by) as reader:
        clients = await store.list_clients(reader, making.seen)
    making.add("clients.json", clients, index.CLIENTS)
    yield


def _proved(of: Record, by: Inclusion) -> Json:
    return {
        "leaf": of.leaf,
        "personal": of.personal,
        "salt": None if of.salt is None else of.salt.hex(),
        "leaf_hash": leaf_hash(canonical(of.leaf)).hex(),
        "path": [step.hex() for step in by.path],
    }


async def _verifier(making: _Making) -> AsyncIterator[None]:
    """How to verify all this with nothing of ours."""
    data = files("app.papers") / "data"
    program = (data / "verify.txt").read_text(encoding="utf-8")
    explained = (data / "VERIFY.md").read_text(encoding="utf-8").replace("{program}", program)
    making.archive.add("verify.py", program.encode(), "text/x-python", index.PROGRAM)
    making.archive.add("VERIFY.md", explained.encode(), "text/markdown", index.EXPLAINED)
    yield


async def _index(making: _Making) -> str:
    """Add the two indexes; gives the SHA-256 of the one for programs, which holds every other file's."""
    case, archive = making.case, making.archive
    page = index.page(case.entry, making.summary, archive.files, case.until)
    archive.add("index.html", page.encode(), "text/html", index.PAGE)
    content = {
        "format": "cekal-evidence/1",
        "entry_id": case.entry.id,
        "version": case.entry.version,
        "made_at": rfc3339(case.until),
        "made_by": {"client_id": case.by.client_id, "person": case.by.person, "agency": case.by.agency},
        "linked": making.summary["linked"],
        "ledger": making.summary["ledger"],
        "erased": making.summary["erased"],
        "files": archive.files[:],
    }
    data = msgspec.json.format(msgspec.json.encode(content), indent=2) + b"\n"
    archive.add("index.json", data, JSON, index.PAGE)
    return archive.files[-1].sha256


def _texts(content: Any) -> Iterable[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from _texts(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from _texts(value)
    elif isinstance(content, msgspec.Struct):
        yield from _texts(msgspec.structs.asdict(content))
