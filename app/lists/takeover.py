"""Taking over an existing register: a line of JSON for each entry (NDJSON; contract section 8).

Lines are read one after another and stored some hundred at a time, so a file may be of any size; each commit
notes which lines it holds, so that an import that was cut off goes on where it stood when it is run again.

A line whose period is over by today is kept as an ended entry: it bars nobody, but it is the older register's
history, and an extension that has been used up stays used up. A line that has changed since changes its entry,
unless officers have worked on it here: from the takeover on this register leads. A line that is no longer in the
file ends nothing.
"""

import asyncio
import hashlib
import os
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from time import monotonic
from typing import Annotated, BinaryIO, Final

import msgspec
import pydantic
from pydantic import Field

from app.access.domain import SYSTEM
from app.access.service import record
from app.entries import listing
from app.entries.drafting import policy_of
from app.entries.law import Owner
from app.entries.listing import Approvers, Key, Listed, Source
from app.entries.schemas import EntryIn
from app.errors import CekalError, Fault, Invalid, MalformedJson
from app.kit.clock import legal_day
from app.lists.report import Report, Tell, silent
from app.runtime import Runtime
from app.web.faults import in_body
from app.web.wire import Code, Line, WireIn

STEP: Final = 1000
"""Lines a transaction, at most."""

LEAST_STEP: Final = 100
HELD: Final = 0.4
"""Seconds, about, that a step holds the lock, for which urgent entries wait; on a busy machine it has fewer lines."""

SETTLED: Final = 20_000
"""Lines whose name keys are put in their place together: the more, the more of them come to one page."""

_SHARE: Final = 50
"""Lines that a thread understands in one go."""

STEP_BYTES: Final = 8 * 1024 * 1024
"""Bytes of lines in memory at once, at most: photos make lines long."""

LONGEST_LINE: Final = 3 * 1024 * 1024
"""Bytes; a photo of 1 MiB in base64 and everything else fit twice."""


class NotNdjson(ValueError):
    """The file does not hold an object of JSON a line; nothing of it is used."""


class TakenOverIn(WireIn):
    """A line: an entry as it stood in the older register."""

    agency: Code
    reference: Annotated[Line, Field(max_length=200)]
    entry: EntryIn
    approved_on: date
    extension_count: Annotated[int, Field(ge=0, le=100)] = 0
    first_started_on: date | None = None


class _Head(msgspec.Struct):
    """What tells a line from all others, where it is fit to be looked up."""

    agency: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
    reference: Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,200}$")]


@dataclass(frozen=True, slots=True)
class _Raw:
    """A line of the file.

    Attributes:
        number: from 1.
        text: without the line's end; empty where it was too long to be read.
        head: None where the line is no object, or has no key.
    """

    number: int
    text: bytes
    head: _Head | None

    @property
    def where(self) -> str:
        """Where it stands, in words."""
        return f"line {self.number}"

    @property
    def name(self) -> str:
        """What the report calls it."""
        return self.head.reference if self.head else self.where

    @property
    def key(self) -> Key:
        """Under which it was imported before, if it was."""
        return (_origin(self.head.agency), self.head.reference.strip()) if self.head else ("", "")

    @property
    def digest(self) -> str:
        """By which a change of it is seen."""
        return hashlib.sha256(self.text).hexdigest()


async def take_over(
    runtime: Runtime,
    path: Path,
    approvers: Approvers,
    *,
    legacy: bool = False,
    tell: Tell = silent,
) -> Report:
    """Take over the entries of a file; the same file again changes nothing.

    Args:
        runtime: the process.
        path: the file.
        approvers: who stands for it.
        legacy: the older register never had photos, so they may be missing.
        tell: is told how many bytes are done.

    Raises:
        NotNdjson: the file is something else; nothing was changed.
        OSError: the file can't be read.
    """
    takeover = _Takeover(runtime, approvers, legacy=legacy)
    done = 0
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        async with runtime.register.bulk():
            for step in _steps(file, takeover.lines):
                if done == 0:
                    _expect_objects(step, path)
                    await takeover.open(path)
                await takeover.take(step)
                done = file.tell()
                tell(done, size)
                await asyncio.sleep(0)  # SQLite never lets others have a turn: here Ctrl-C is heard
            await takeover.settle()
    await takeover.close(path)
    return takeover.report


class _Takeover:
    """One run over a file."""

    def __init__(self, runtime: Runtime, approvers: Approvers, *, legacy: bool) -> None:
        self.report = Report()
        self._runtime = runtime
        self._approvers = approvers
        self._legacy = legacy
        self._policy = policy_of(runtime.settings)
        self._owners: dict[str, Owner | None] = {}
        self._unsettled = 0
        self._lines = STEP

    def lines(self) -> int:
        """How many lines the next step may have."""
        return self._lines

    async def open(self, path: Path) -> None:
        """Put on record who stands for the takeover."""
        detail = {
            "file": path.name,
            "approved_by": self._approvers.first,
            "second_approver": self._approvers.second,
            "legacy": self._legacy,
        }
        async with self._runtime.writing(SYSTEM) as unit:
            await record(unit, "takeover.begun", None, detail)

    async def close(self, path: Path) -> None:
        """Put on record what came of it."""
        async with self._runtime.writing(SYSTEM) as unit:
            await record(unit, "takeover.ended", None, {"file": path.name, **self.report.counts()})

    async def take(self, lines: list[_Raw]) -> None:
        """Take some lines over, each with another key."""
        items: list[tuple[_Raw, Listed]] = []
        news = await self._news(lines)
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            shares = threads.map(self._tried, (news[at : at + _SHARE] for at in range(0, len(news), _SHARE)))
            tried = [each for share in shares for each in share]
        for line, understood in zip(news, tried, strict=True):
            if isinstance(understood, CekalError):
                self.report.note(line.name, understood, line.where)
            else:
                items.append((line, understood))
        if not items:
            return
        async with self._runtime.writing(SYSTEM) as unit:
            begun = monotonic()
            outcomes = await listing.take_in(unit, [item for _, item in items], self._approvers)
            held = monotonic() - begun
        self._lines = min(STEP, max(LEAST_STEP, int(len(items) * HELD / max(held, 1e-6))))
        for (line, _), outcome in zip(items, outcomes, strict=True):
            self.report.note(line.name, outcome, line.where)
        self._unsettled += len(items)
        if self._unsettled >= SETTLED:
            await self.settle()

    async def settle(self) -> None:
        """Put the name keys of many lines in their place together; also those that an import left that was cut off."""
        self._unsettled = 0
        if not self._runtime.register.is_sqlite:
            return
        after: int | None = None
        while True:
            async with self._runtime.writing(SYSTEM) as unit:
                after = await listing.settle(unit, after)
            if after is None:
                return

    async def _news(self, lines: list[_Raw]) -> list[_Raw]:
        """The lines that are not in the register as they are; looks up their agencies as well."""
        async with self._runtime.reading(SYSTEM) as reader:
            for line in lines:
                if line.head is not None and line.head.agency not in self._owners:
                    self._owners[line.head.agency] = await listing.find_owner(reader, line.head.agency)
            known = await listing.list_digests(reader, [line.key for line in lines if line.head])
        news = [line for line in lines if known.get(line.key) != line.digest]
        self.report.unchanged += len(lines) - len(news)
        return news

    def _tried(self, lines: Sequence[_Raw]) -> list[Listed | CekalError]:
        """As `_understood`, for a share of the lines in a thread: photos are decoded on every core."""
        tried: list[Listed | CekalError] = []
        for line in lines:
            try:
                tried.append(self._understood(line))
            except CekalError as refusal:
                tried.append(refusal)
        return tried

    def _understood(self, line: _Raw) -> Listed:
        """A line as an item for the register, judged as on the day of its approval.

        Raises:
            CekalError: its content is not what it should be, or breaks a rule.
        """
        taken = _parsed(line)
        owner = self._owners.get(taken.agency)
        if owner is None:
            raise _fault("/agency", "unknown", "There is no agency with this code.")
        if taken.approved_on > legal_day(self._runtime.clock()):
            raise _fault("/approved_on", "future", "The day of approval lies in the future.")
        try:
            wanted = taken.entry.wanted()
            warnings = listing.lawful(
                wanted,
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
        return Listed(
            source=Source(_origin(owner.code), leads=False),
            reference=taken.reference,
            digest=line.digest,
            agency=owner.code,
            wanted=wanted,
            warnings=warnings,
            extension_count=taken.extension_count,
            note=f"taken over as {taken.reference}, approved on {taken.approved_on}",
            keys=listing.prepare(wanted.subject),
        )


def _origin(agency: str) -> str:
    return f"takeover:{agency}"


def _lines(file: BinaryIO) -> Iterator[_Raw]:
    """The lines that are not blank; of a line that is too long only where it stands."""
    number = 0
    while text := file.readline(LONGEST_LINE):
        number += 1
        if len(text) < LONGEST_LINE or text.endswith(b"\n"):
            content = text.removeprefix(BOM_UTF8).strip() if number == 1 else text.strip()
            if content:
                yield _Raw(number, content, _head(content))
            continue
        while text and not text.endswith(b"\n"):
            text = file.readline(LONGEST_LINE)
        yield _Raw(number, b"", None)


def _head(text: bytes) -> _Head | None:
    with suppress(msgspec.DecodeError, UnicodeDecodeError):
        return _decode_head(text)
    return None


_decode_head = msgspec.json.Decoder(_Head).decode


def _steps(file: BinaryIO, most: Callable[[], int]) -> Iterator[list[_Raw]]:
    """The lines in steps of a bounded size; no key comes twice in one step."""
    step: list[_Raw] = []
    keys: set[Key] = set()
    size = 0
    for line in _lines(file):
        if len(step) >= most() or size + len(line.text) > STEP_BYTES or (line.head and line.key in keys):
            yield step
            step, keys, size = [], set(), 0
        step.append(line)
        keys.add(line.key)
        size += len(line.text)
    if step:
        yield step


def _expect_objects(lines: Iterable[_Raw], path: Path) -> None:
    """Make sure that at least one of the first lines is an object of JSON.

    Raises:
        NotNdjson: none is.
    """
    for line in lines:
        with suppress(msgspec.DecodeError, UnicodeDecodeError):
            if line.head is not None or isinstance(msgspec.json.decode(line.text), dict):
                return
    raise NotNdjson(f"{path.name} is no NDJSON: it should hold an object of JSON on each line.")


def _parsed(line: _Raw) -> TakenOverIn:
    if not line.text:
        raise _fault("", "too_long", f"A line has at most {LONGEST_LINE // 1024 // 1024} MiB.")
    try:
        return TakenOverIn.model_validate_json(line.text)
    except pydantic.ValidationError as error:
        if error.errors()[0]["type"] == "json_invalid":
            raise MalformedJson("The line is no JSON.") from None
        faults = in_body(error, msgspec.json.decode(line.text))
        raise Invalid("The line is not what it should be.", faults=faults) from None


def _in_line(error: CekalError) -> CekalError:
    """The same error with pointers into the line instead of the entry in it."""
    faults = [
        fault if fault.pointer in _BESIDE else replace(fault, pointer=f"/entry{fault.pointer}")
        for fault in error.faults
    ]
    return type(error)(error.detail, faults=faults)


_BESIDE = frozenset({"/extension_count", "/first_started_on"})
"""What the rules look at that stands beside the entry in a line."""


def _fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(pointer, code, detail)])
