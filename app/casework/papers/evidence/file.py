"""The evidence file of an entry for a court (praperadilan, UU 20/2025 art. 158): everything on record about the entry.

It is sent while it is being made: a first short transaction fixes its content (`case`), then each file is read in a
short transaction of its own and sent (`pieces`), so that no transaction stays open and the file is never in memory as a
whole. Whatever is stored after that first moment is left out, with these exceptions: objections and their answers,
decisions on correction requests, and resolutions of hits are included as they are when their file is read.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, Final

import msgspec

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.casework.papers import service, store
from app.casework.papers.domain import RecordedVersion
from app.casework.papers.evidence import index
from app.casework.papers.evidence.archive import Archive
from app.casework.papers.evidence.case import Case, decisions, reports
from app.casework.papers.heads import path_of
from app.casework.papers.letter import pdf
from app.casework.papers.store import Json
from app.kit.canonical import canonical
from app.kit.clock import rfc3339
from app.kit.json_text import on_one_line
from app.ledger.domain import Record
from app.register.entries.blob_store import find_blob
from app.register.entries.domain import Entry
from app.runtime import Runtime
from app.sync.heads.covering import CoveringHead
from app.tlog.merkle import leaf_hash
from app.tlog.proofs import InclusionProof

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
TEXT: Final = "text/plain"
_PAGE: Final = 200
_SUFFIXES: Final = {"image/jpeg": "jpg", "image/png": "png", "application/pdf": "pdf"}


@dataclass(slots=True)
class _Making:
    """An evidence file while it is being made.

    Attributes:
        seen: ids of the clients named in it.
        summary: counts and other data for the index, by name.
    """

    runtime: Runtime
    case: Case
    archive: Archive
    seen: set[str] = field(default_factory=set)
    summary: Json = field(default_factory=dict)

    def add(self, name: str, content: Any, titles: tuple[str, str]) -> None:
        """Add an indented JSON file, and collect the clients that it names."""
        self._note(content)
        data = msgspec.json.format(msgspec.json.encode(content), indent=2)
        self.archive.add(name, data + b"\n", JSON, titles)

    def line(self, content: Any) -> bytes:
        """Return a line of an NDJSON file, and collect the clients that it names."""
        self._note(content)
        return on_one_line(msgspec.json.encode(content)) + b"\n"

    def _note(self, content: Any) -> None:
        for value in _texts(content):
            if value.startswith("cli_"):
                self.seen.add(value)


async def pieces(runtime: Runtime, case: Case) -> AsyncIterator[bytes]:
    """Yield the bytes of the evidence file, a ZIP archive, in pieces.

    Before the last piece, the hash of the archive's file `index.json` is written to the audit trail. An error of the
    database or the disk is raised between pieces; the pieces yielded until then are not a valid ZIP.
    """
    making = _Making(runtime, case, Archive(case.until))
    parts = (_entry, _related, _letters, _kept, _alerts, _checks, _audit, _ledger, _verifier)
    for part in parts:
        async for _ in part(making):
            if piece := making.archive.piece():
                yield piece
    digest = await _index(making)
    async with runtime.writing(case.by) as unit:
        detail = {"index_sha256": digest, "size": case.head.size, "version": case.entry.version}
        await record(unit, AuditAct.EVIDENCE_MADE, case.entry.id, detail)
    yield making.archive.end()


async def _entry(making: _Making) -> AsyncIterator[None]:
    """Add every version of the entry, and the list of decisions."""
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


async def _related(making: _Making) -> AsyncIterator[None]:
    """Add the entry's amendments, objections, duties, correction requests, reports, clearances and notices."""
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
        making.add(f"entry/{name}.json", content, index.RELATED[name])
        yield


async def _letters(making: _Making) -> AsyncIterator[None]:
    """Add every letter of the entry and of its linked entries, with the bytes that it had when it was issued.

    Erased entries have no letters.
    """
    case = making.case
    async for _ in _letters_of(making, case.entry, case.recorded, "letters"):
        yield
    making.summary["linked"] = []
    for linked in case.linked:
        folder = f"linked/{linked.entry.id}/letters"
        before = len(making.archive.files)
        async for _ in _letters_of(making, linked.entry, linked.recorded, folder):
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
    making: _Making, entry: Entry, recorded: Sequence[RecordedVersion], folder: str
) -> AsyncIterator[None]:
    settings = making.runtime.settings
    for last, each in enumerate(recorded, 1):
        if each.kind is None or entry.erased_at is not None:
            continue
        async with making.runtime.reading(making.case.by) as reader:
            head = making.case.letter_heads[each.record.sequence]
            composed = await service.compose(reader, recorded[:last], settings, head)
        document = await asyncio.to_thread(pdf.render, composed.letter, composed.photo)
        name = f"{folder}/{each.record.sequence:08d}-{each.kind.value}.pdf"
        number = composed.letter.number
        making.archive.add(
            name, document, "application/pdf", (f"Surat Nomor {number}", f"Letter no. {number}")
        )
        yield


async def _kept(making: _Making) -> AsyncIterator[None]:
    """Add photos and attached letters; list the erased ones with their hashes in the summary."""
    case, gone = making.case, []
    async with making.runtime.reading(case.by) as reader:
        known = await store.list_files(reader, case.entry.id)
    for each in known:
        async with making.runtime.reading(case.by) as reader:
            blob = await find_blob(reader, case.entry.id, each.sha256)
        if blob is None:
            gone.append({"kind": each.kind, "sha256": each.sha256, "erased_at": each.erased_at})
            continue
        folder, titles = index.KEPT[each.kind]
        name = f"{folder}/{each.sha256}.{_SUFFIXES.get(each.media_type, 'bin')}"
        making.archive.add(name, blob.data, each.media_type, titles)
        yield
    making.summary["erased"] = gone


async def _alerts(making: _Making) -> AsyncIterator[None]:
    """Add every alert, with its recipients and their receipts."""
    case, summaries = making.case, []
    async with making.runtime.reading(case.by) as reader:
        alerts = await store.list_alerts(reader, case.entry.id, case.until)
    place = {each.alert_id: each.sequence for each in case.records}
    for alert in sorted(alerts, key=lambda alert: place.get(alert["id"], 0)):
        async with making.runtime.reading(case.by) as reader:
            recipients = await store.list_recipients(reader, alert["family"])
            receipts = await store.list_receipts(reader, alert["id"], case.until)
        levels = {level: {r["checkpoint"] for r in receipts if r["level"] == level} for level in index.LEVELS}
        counts = {level: len(places) for level, places in levels.items()}
        summaries.append({"id": alert["id"], "kind": alert["kind"], "at": alert["issued_at"], **counts})
        summaries[-1]["recipients"] = len(recipients)
        content = {"alert": alert, "recipients": recipients, "receipts": receipts}
        title = (
            f"Pemberitahuan {alert['kind']} dan tanda terima",
            f"Alert ({alert['kind']}) and its receipts",
        )
        making.add(f"alerts/{alert['id']}.json", content, title)
        yield
    making.summary["alerts"] = summaries


async def _checks(making: _Making) -> AsyncIterator[None]:
    """Add every check that matched the entry: hits with their resolutions, and sightings."""
    case, after, counts = making.case, "", {"refuse": 0, "refer": 0, "sighting": 0}
    with making.archive.begin("checks/matches.ndjson", NDJSON, index.CHECKS) as part:
        while True:
            async with making.runtime.reading_checks(case.by) as checks:
                found = await store.page_matches(checks, case.entry.id, after, case.until, _PAGE)
            requested = {match["check"]["hit_id"] for match in found if match["check"] is not None} - {None}
            async with making.runtime.reading(case.by) as reader:
                hits = await store.list_hits(reader, requested, case.entry.id)
            for match in found:
                match["hit"] = hits.get(match["check"]["hit_id"]) if match["check"] else None
                counts["sighting" if match["sighting"] else match["outcome"]] += 1
                part.write(making.line(match))
            if len(found) < _PAGE:
                break
            after = found[-1]["check_id"]
            yield
    making.summary["checks"] = counts
    yield


async def _audit(making: _Making) -> AsyncIterator[None]:
    """Add the audit trail of the entry: who read it, and every other act (PDP art. 31; R62)."""
    case, after = making.case, ""
    with making.archive.begin("audit.ndjson", NDJSON, index.AUDIT) as part:
        while True:
            async with making.runtime.reading(case.by) as reader:
                found = await store.page_audit(reader, case.entry.id, after, case.until, _PAGE)
            for act in found:
                part.write(making.line(act))
            if len(found) < _PAGE:
                break
            after = found[-1]["id"]
            yield
    yield


async def _ledger(making: _Making) -> AsyncIterator[None]:
    """Add the ledger's records about the entry, a proof file of each, the published keys, and the clients named."""
    case = making.case
    with making.archive.begin("ledger/records.ndjson", NDJSON, index.LEDGER) as part:
        for each in case.records:
            part.write(making.line(_told(each, case.proving.get(each.sequence))))
    yield
    for each in case.records:
        if (head := case.proving.get(each.sequence)) is None:
            continue
        async with making.runtime.reading(case.by) as reader:
            path = await path_of(reader, each, head.checkpoint)
        proof = InclusionProof(each.sequence - 1, tuple(path), head.note)
        titles = (f"Bukti catatan {each.sequence}", f"Proof of record {each.sequence}")
        making.archive.add(_proof_name(each), str(proof).encode(), TEXT, titles)
        yield
    making.archive.add("ledger/policy", str(case.policy).encode(errors="surrogateescape"), TEXT, index.POLICY)
    making.summary["ledger"] = _ledger_summary(case)
    async with making.runtime.reading(case.by) as reader:
        clients = await store.list_clients(reader, making.seen)
    making.add("clients.json", clients, index.CLIENTS)
    yield


def _proof_name(of: Record) -> str:
    return f"ledger/proofs/{of.sequence:08d}.tlog-proof"


def _told(of: Record, by: CoveringHead | None) -> Json:
    return {
        "leaf": of.leaf,
        "personal": of.personal,
        "salt": None if of.salt is None else of.salt.hex(),
        "leaf_hash": leaf_hash(canonical(of.leaf)).hex(),
        "proof": None if by is None else _proof_name(of),
    }


def _ledger_summary(case: Case) -> Json:
    """Return the signed head of the last proved record, and how many records are proved and witnessed."""
    heads = list(case.proving.values())
    last = heads[-1].checkpoint if heads else None
    return {
        "epoch": case.head.epoch,
        "origin": None if last is None else last.origin,
        "size": case.head.size if last is None else last.size,
        "root": None if last is None else last.root.hex(),
        "records": len(case.records),
        "proved": len(heads),
        "witnessed": sum(bool(each.quorum) for each in heads),
    }


async def _verifier(making: _Making) -> AsyncIterator[None]:
    """Add the programs and the instructions that verify the file without this register's software."""
    data = files(__package__) / "data"
    explained = (data / "VERIFY.md").read_text(encoding="utf-8")
    for name, titles in (("verify", index.PROGRAM), ("verify_file", index.FILE_PROGRAM)):
        program = (data / f"{name}.txt").read_text(encoding="utf-8")
        explained = explained.replace(f"{{{name}}}", program)
        making.archive.add(f"{name}.py", program.encode(), "text/x-python", titles)
    making.archive.add("VERIFY.md", explained.encode(), "text/markdown", index.EXPLAINED)
    yield


async def _index(making: _Making) -> str:
    """Add the indexes as HTML and JSON. Returns the SHA-256 of the JSON one, which contains every other file's hash."""
    case, archive = making.case, making.archive
    page = index.page(case.entry, making.summary, archive.files, case.until)
    archive.add("index.html", page.encode(), "text/html", index.PAGE)
    content = {
        "format": "cekal-evidence/2",
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
