"""Import of an existing register: NDJSON with one entry per line.

Lines are read one after another and stored in batches of some hundred, so a file may be of any size. Each commit
records the lines that it stored, so that an interrupted import continues from there when it is run again.

A line whose period is over is stored as an ended entry: it bars no traveller, but it is the history of the older
register, and a used extension stays used. A line that has changed since the last import changes its entry, unless
officers have changed that entry here: after the takeover this register is the authority. A line that is no longer
in the file ends nothing.
"""

import asyncio
import itertools
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Annotated, Final

import pydantic
from pydantic import Field

from app.access.acts import AuditAct
from app.access.clients.service import record
from app.access.domain import SYSTEM
from app.db.faults import outage
from app.errors import CekalError, Fault, Invalid, MalformedJson
from app.kit import json_text
from app.kit.clock import legal_day
from app.register.entries import listing
from app.register.entries.drafting import policy_of
from app.register.entries.filed_numbers import without_empty_documents
from app.register.entries.keys import letter_key, named_case_key
from app.register.entries.law.request import Owner
from app.register.entries.listing import Approvers, ImportedMeasure, ImportOutcome, Source
from app.register.entries.requested import RequestedMeasure
from app.register.entries.schemas import EntryIn
from app.register.lists.report import Progress, Report, no_progress
from app.register.lists.takeover_lines import LONGEST_LINE, RawLine, expect_objects, origin_of, steps_of
from app.runtime import Runtime
from app.web.bodies import expect_single
from app.web.faults import in_body
from app.web.wire import Code, LegalDay, Line, WireIn

STEP: Final = 2000
"""Maximum number of lines in a transaction."""

MIN_STEP: Final = 50
HELD: Final = 0.4
"""Target duration of a transaction on SQLite, in seconds; it is short because urgent entries wait for the lock.

On a slow machine the next transaction gets fewer lines.
"""

HELD_BY_ROWS: Final = 0.3
"""Target duration of a transaction on PostgreSQL, in seconds. Small transactions are cheap there."""

_SHARE: Final = 50
"""Number of lines that a thread parses at a time."""


class TakenOverIn(WireIn):
    """A line of the file: an entry of the older register.

    Attributes:
        agency: code of the owner.
        reference: the entry's permanent key in the older register.
        entry: the entry.
        approved_on: the day of its approval; the entry is judged by the law of that day.
        extension_count: number of extensions that it has had.
        first_started_on: first day of the measure before its extensions.
    """

    agency: Code
    reference: Annotated[Line, Field(max_length=200)]
    entry: EntryIn
    approved_on: LegalDay
    extension_count: Annotated[int, Field(strict=True, ge=0, le=100)] = 0
    first_started_on: LegalDay | None = None


async def take_over(
    runtime: Runtime,
    path: Path,
    approvers: Approvers,
    *,
    legacy: bool = False,
    progress: Progress = no_progress,
) -> Report:
    """Import the entries of a file, in batches. Returns the report.

    A line that is malformed or breaks a rule is left out and reported; it does not stop the others. Importing the same
    file again changes nothing, unless several lines have the same agency and reference: each of them is imported in
    place of the one before, and so changes the entry again.

    Args:
        runtime: the process's databases, clock and settings.
        path: the file.
        approvers: the persons that approve the import.
        legacy: whether photos may be missing, because the older register had none.
        progress: receives the number of bytes read, and the size of the file.

    Raises:
        NotNdjson: the first batch of lines has no JSON object; nothing was changed.
        OSError: the file can't be read.
    """
    takeover = _Takeover(runtime, approvers, legacy=legacy)
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        async with runtime.register.bulk():
            parsed: _Batch | None = None
            for step in steps_of(file, takeover.lines):
                if parsed is None:
                    expect_objects(step, path)
                    await takeover.open(path)
                parsing = asyncio.create_task(takeover.parse(step, file.tell()))
                try:
                    if parsed is not None:  # stored while the next batch is parsed
                        await takeover.store(parsed)
                        progress(parsed.end, size)
                    parsed = await parsing
                finally:
                    parsing.cancel()
            if parsed is not None:
                await takeover.store(parsed)
                progress(parsed.end, size)
            await takeover.merge(everything=True)
    if parsed is not None:  # an empty file begins no import
        await takeover.close(path)
    return takeover.report


@dataclass(frozen=True, slots=True)
class _Batch:
    """Parsed lines of the file with different keys.

    Attributes:
        items: each line with its item, or with the error that refuses it; lines that have not changed are left out.
        end: the position in the file at which the batch ends, in bytes.
    """

    items: Sequence[tuple[RawLine, ImportedMeasure | CekalError]]
    end: int


class _Takeover:
    """One import of a file."""

    def __init__(self, runtime: Runtime, approvers: Approvers, *, legacy: bool) -> None:
        self.report = Report()
        self._runtime = runtime
        self._approvers = approvers
        self._legacy = legacy
        self._policy = policy_of(runtime.settings)
        self._owners: dict[str, Owner | None] = {}
        self._lines = min(STEP, MIN_STEP)  # until the first batch has been timed
        self._held = HELD if runtime.register.is_sqlite else HELD_BY_ROWS
        # One core is left to the event loop, which would wait for the threads after each answer of the database.
        self._threads = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1))

    def lines(self) -> int:
        """Return the maximum number of lines of the next batch."""
        return self._lines

    async def open(self, path: Path) -> None:
        """Log the start of the import with its approvers."""
        detail = {
            "file": path.name,
            "approved_by": self._approvers.first,
            "second_approver": self._approvers.second,
            "legacy": self._legacy,
        }
        async with self._runtime.writing(SYSTEM) as unit:
            await record(unit, AuditAct.TAKEOVER_BEGUN, None, detail)

    async def close(self, path: Path) -> None:
        """Log the end of the import with its counts."""
        async with self._runtime.writing(SYSTEM) as unit:
            await record(unit, AuditAct.TAKEOVER_ENDED, None, {"file": path.name, **self.report.counts()})

    async def parse(self, lines: list[RawLine], end: int) -> _Batch:
        """Parse lines with different keys that end at a position in the file, and return those that have changed.

        A line that the batch before changes too may be among them: it is compared again when it is stored.
        """
        new_lines = await self._changed_lines(lines)
        loop = asyncio.get_running_loop()
        shares = [new_lines[at : at + _SHARE] for at in range(0, len(new_lines), _SHARE)]
        parsed = await asyncio.gather(
            *(loop.run_in_executor(self._threads, self._parse_all, share) for share in shares)
        )
        return _Batch(list(zip(new_lines, itertools.chain(*parsed), strict=True)), end)

    async def store(self, batch: _Batch) -> None:
        """Import the lines of a batch, and report those that were refused."""
        items: list[tuple[RawLine, ImportedMeasure]] = []
        for line, result in batch.items:
            if isinstance(result, CekalError):
                self.report.note(line.name, result, line.where)
            else:
                items.append((line, result))
        if not items:
            return
        begun = monotonic()
        outcomes = await self._store([item for _, item in items])
        held = monotonic() - begun
        fitting = int(len(items) * self._held / max(held, 1e-6))
        self._lines = min(STEP, max(MIN_STEP, min(fitting, 4 * self._lines)))
        for (line, _), outcome in zip(items, outcomes, strict=True):
            self.report.note(line.name, outcome, line.where)
        await self.merge()

    async def _store(self, items: Sequence[ImportedMeasure]) -> Sequence[ImportOutcome | CekalError]:
        """Store items with different keys; if the database refuses one, leave out only that item.

        A failing batch is split in halves until the item is found.

        Raises:
            Exception: the database is not available.
        """
        try:
            async with self._runtime.writing(SYSTEM) as unit:
                return await listing.import_items(unit, items, self._approvers)
        except CekalError:
            raise
        except Exception as error:
            if outage(error) is not None:
                raise
            if len(items) == 1:
                return [_unforeseen(error)]
        half = len(items) // 2
        return [*await self._store(items[:half]), *await self._store(items[half:])]

    async def merge(self, *, everything: bool = False) -> None:
        """Merge the name keys of imports (SQLite only).

        Args:
            everything: whether to move all of them into the index, also those of an interrupted import.
        """
        if not self._runtime.register.is_sqlite:
            return
        while True:
            async with self._runtime.reading(SYSTEM) as reader:
                merge = await listing.due_merge(reader, everything=everything)
            if merge is None:
                return
            for place in range(len(merge.starts) + 1):
                async with self._runtime.writing(SYSTEM) as unit:
                    await listing.move_keys(unit, merge, place)

    async def _changed_lines(self, lines: list[RawLine]) -> list[RawLine]:
        """Return the lines that are new or have changed since they were imported; also load their agencies."""
        async with self._runtime.reading(SYSTEM) as reader:
            for line in lines:
                if line.head is not None and line.head.agency not in self._owners:
                    self._owners[line.head.agency] = await listing.find_owner(reader, line.head.agency)
            known = await listing.list_digests(reader, [line.key for line in lines if line.head])
        news = [line for line in lines if known.get(line.key) != line.digest]
        self.report.unchanged += len(lines) - len(news)
        return news

    def _parse_all(self, lines: Sequence[RawLine]) -> list[ImportedMeasure | CekalError]:
        """Parse a share of the lines in a thread, beside the work of the event loop."""
        parsed: list[ImportedMeasure | CekalError] = []
        for line in lines:
            try:
                parsed.append(self._parse(line))
            except CekalError as refusal:
                parsed.append(refusal)
            except Exception as error:  # noqa: BLE001 - a faulty line must not stop the others
                parsed.append(_unforeseen(error))
        return parsed

    def _parse(self, line: RawLine) -> ImportedMeasure:
        """Convert a line to an item for the register, judged by the rules of the day of its approval.

        Raises:
            CekalError: its content is malformed or breaks a rule.
        """
        taken = _parsed(line)
        owner = self._owners.get(taken.agency)
        if owner is None:
            raise _fault("/agency", "unknown", "There is no agency with this code.")
        if taken.approved_on > legal_day(self._runtime.clock()):
            raise _fault("/approved_on", "future", "The day of approval is in the future.")
        try:
            requested = _without_placeholders(taken.entry.requested())
            warnings = listing.judge_import(
                requested,
                owner,
                self._policy,
                taken.approved_on,
                origin="takeover",
                extension_count=taken.extension_count,
                first_started_on=taken.first_started_on,
                photo_optional=self._legacy,
            )
        except CekalError as refusal:
            raise _in_line(refusal) from None
        # Fill the caches of the keys before the batch takes its lock.
        letter_key(owner.code, requested.basis.number)
        named_case_key(owner.code, requested.basis.case_reference)
        return ImportedMeasure(
            source=Source(origin_of(owner.code), leads=False),
            reference=taken.reference,
            digest=line.digest,
            agency=owner.code,
            requested=requested,
            warnings=warnings,
            extension_count=taken.extension_count,
            note=f"taken over as {taken.reference}, approved on {taken.approved_on}",
            keys=listing.prepare(requested.subject),
        )


def _parsed(line: RawLine) -> TakenOverIn:
    if not line.text:
        raise _fault("", "too_long", f"A line has at most {LONGEST_LINE // 1024 // 1024} MiB.")
    try:
        sent = json_text.read(line.text)
    except json_text.NotJson:
        raise MalformedJson("The line is no JSON.") from None
    expect_single(sent)
    try:
        return TakenOverIn.model_validate(sent)
    except pydantic.ValidationError as error:
        faults = in_body(error, sent)
        raise Invalid("The line is not what it should be.", faults=faults) from None


def _without_placeholders(requested: RequestedMeasure) -> RequestedMeasure:
    """Return the measure without documents that have a placeholder for a number ("N/A", zeros), with warnings."""
    subject, notices = without_empty_documents(requested.subject)
    if not notices:
        return requested
    unknown = requested.unknown if subject.documents else (*requested.unknown, "documents")
    return replace(requested, subject=subject, unknown=unknown, notices=(*requested.notices, *notices))


def _unforeseen(error: Exception) -> CekalError:
    return Invalid(f"The line can't be taken over: {type(error).__name__}.")


def _in_line(error: CekalError) -> CekalError:
    """Return the error with pointers that start at the line instead of at the entry in it."""
    faults = [
        fault if fault.pointer in _LINE_MEMBERS else replace(fault, pointer=f"/entry{fault.pointer}")
        for fault in error.faults
    ]
    return type(error)(error.detail, faults=faults)


_LINE_MEMBERS = frozenset({"/extension_count", "/first_started_on"})
"""Pointers to members of the line itself, outside its entry, that the rules judge."""


def _fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(pointer, code, detail)])
