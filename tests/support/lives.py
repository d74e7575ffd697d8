"""Random lives of entries: officers who try whatever comes to mind, through the register's own use cases."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import count
from typing import Any

import msgspec
from sqlalchemy import select

from app.access.domain import SYSTEM
from app.actor import Actor
from app.alerting.alerts.tables import alert as alert_table
from app.errors import CekalError
from app.kit.clock import legal_day
from app.register.amendments import service as amendments
from app.register.amendments import store as amendment_store
from app.register.amendments.domain import Amendment, AmendmentKind, AmendmentLetter, Extension, Judgment
from app.register.amendments.requested import RequestedAmendment, RequestedCorrection
from app.register.entries import service, store, urgent
from app.register.entries.blobs import Blob
from app.register.entries.domain import Entry, Letter, Measure, State, Verdict
from app.register.entries.formalising import formalise
from app.register.entries.law.deadlines import Terms
from app.register.entries.requested import Formal, RequestedMeasure, RequestedUrgentMeasure
from app.register.entries.subjects import Subject
from app.runtime import Runtime
from app.worker import Worker
from tests.support.clock import SettableClock
from tests.unit.register.entries.examples import basis, foreigner, person, subject

PHOTO = Blob("0" * 64, "photo", "image/jpeg", b"a photo")
VERDICTS = tuple(Verdict)
KINDS = tuple(AmendmentKind)
STEPS = timedelta(hours=1), timedelta(hours=7), *(timedelta(days=n) for n in (1, 1, 3, 3, 17, 60, 200))
KPK = [
    person("A", "submitter"),
    person("B", "submitter"),
    person("A", "verifier"),  # another account of the same person
    person("C", "verifier"),
]
IMMIGRATION = [
    person("G", "submitter", agency="IMIGRASI", office="KANIM-BATAM"),
    person("H", "verifier", agency="IMIGRASI", office="KANIM-BATAM"),
    person("C", "approver", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("D", "approver", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("E", "approver", agency="IMIGRASI", office="KANIM-BATAM"),
    person("B", "duty_officer", agency="IMIGRASI", office="KANIM-MEDAN"),
    person("F", "duty_officer", agency="IMIGRASI", office="KANIM-MEDAN"),
]
OFFICERS = (*KPK, *IMMIGRATION)
ACTS = (
    *("submit", "urgent", "deter", "decide", "decide", "decide", "decide", "decide", "resubmit", "formalise"),
    *("file", "file", "settle", "settle", "settle", "wait", "wait", "work"),
)
_numbers = count(1)


_NATURAL = {"submitted": Verdict.VERIFY, "verified": Verdict.APPROVE, "provisional": Verdict.COUNTERSIGN}
_ROLES = {Verdict.VERIFY: "verifier", Verdict.APPROVE: "approver", Verdict.COUNTERSIGN: "duty_officer"}


def _decision(state: str, agency: str, b: int) -> tuple[Verdict, Actor]:
    """Mostly what comes next, by one of those who might; now and then anything by anybody."""
    verdict = _NATURAL.get(state)
    if verdict is None or b % 5 == 0:
        return VERDICTS[b // 5 % len(VERDICTS)], OFFICERS[b // 32 % len(OFFICERS)]
    if b % 7 == 0 and verdict is not Verdict.COUNTERSIGN:
        return Verdict.RETURN, next(o for o in OFFICERS[2:] if o.holds(_ROLES[verdict]))
    able = [officer for officer in OFFICERS if officer.holds(_ROLES[verdict])]
    if verdict is Verdict.VERIFY:
        able = [officer for officer in able if officer.agency == agency]
    return verdict, able[b // 5 % len(able)]


def unknown_of(who: Subject, *members: str) -> tuple[str, ...]:
    """What a request says is unknown: the members that the person lacks."""
    return tuple(member for member in members if not getattr(who, member))


class Life:
    """What befalls one person in the register."""

    def __init__(self, runtime: Runtime, clock: SettableClock) -> None:
        self.runtime, self.clock = runtime, clock
        self.number = next(_numbers)
        self.citizen = subject(full_name=f"Raka {self.number} Prambanan", nik=None, documents=())
        self.foreigner = foreigner(full_name=f"Aldous {self.number} Quillfeather", documents=())
        self.ids: list[str] = []
        self.amendment_ids: list[str] = []

    @property
    def today(self) -> date:
        return legal_day(self.clock())

    def letter(self, **changes: Any) -> Any:
        """A letter of today, in one of two cases of this life."""
        given = {
            "number": f"R-{self.number}-{next(_numbers)}",
            "issued_on": self.today,
            "received_on": None,
            "case_reference": f"Case-{self.number}-{changes.pop('case', 0)}",
            **changes,
        }
        return basis(**given)

    async def act(self, what: str, a: int, b: int) -> bool:
        """Try something, which the register may refuse; whether it did not."""
        with suppress(CekalError):
            await getattr(self, f"_{what}")(a, b)
            return True
        return False

    async def _submit(self, a: int, b: int) -> None:
        starts_on = self.today + timedelta(days=a % 60 - 30)
        requested = RequestedMeasure(
            measure=Measure.PREVENTION,
            subject=self.citizen,
            photo=PHOTO,
            basis=self.letter(case=b % 5),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=b % 200),
            unknown=unknown_of(self.citizen, "nik", "documents"),
        )
        await self._keep(KPK[a % 2], requested)

    async def _deter(self, a: int, b: int) -> None:
        requested = RequestedMeasure(
            measure=Measure.DETERRENCE,
            subject=self.citizen if a % 5 == 0 else self.foreigner,
            photo=PHOTO,
            basis=self.letter(
                case=b % 5,
                instrument="decision",
                reason_code="overstay",
                stage=None,
                subject_status="foreigner_under_measure",
                lifetime_ground="A danger to public order.",
            ),
            starts_on=self.today,
            ends_on=None if a % 3 == 0 else self.today + timedelta(days=b % 4000),
            lifetime=a % 3 == 0,
            unknown=unknown_of(self.foreigner, "documents"),
        )
        await self._keep(IMMIGRATION[0], requested)

    async def _urgent(self, a: int, b: int) -> None:
        requested = RequestedUrgentMeasure(
            measure=Measure.PREVENTION,
            subject=self.citizen,
            photo=PHOTO,
            basis=self.letter(case=b % 5),
            unknown=unknown_of(self.citizen, "nik", "documents"),
            letter=Letter(f"ND-{next(_numbers)}", self.today, "0" * 64),
        )
        async with self.runtime.writing(KPK[a % 2]) as unit:
            entry = await urgent.submit_urgent(unit, requested, self.runtime.settings, "unknown")
        self.ids.append(entry.id)

    async def _keep(self, by: Actor, requested: RequestedMeasure) -> None:
        async with self.runtime.writing(by) as unit:
            entry = await service.submit(unit, requested, self.runtime.settings)
        self.ids.append(entry.id)

    async def _one(self, a: int, *states: State, urgent: bool | None = None) -> Entry:
        """One of the entries; mostly one in these states, now and then any."""
        if not self.ids:
            await self._submit(a, 90)
        async with self.runtime.reading(SYSTEM) as reader:
            found = await store.list_by_ids(reader, self.ids)
        fitting = [e for e in found if e.state in states and urgent in {None, e.urgent}] if a % 7 else []
        return (fitting or found)[a % len(fitting or found)]

    async def _decide(self, a: int, b: int) -> None:
        entry = await self._one(a, State.SUBMITTED, State.VERIFIED, State.PROVISIONAL)
        verdict, by = _decision(entry.state, entry.agency, b)
        async with self.runtime.writing(by) as unit:
            await service.decide(
                unit, entry.id, entry.version, verdict, "Because.", Terms.of(self.runtime.settings)
            )

    async def _resubmit(self, a: int, b: int) -> None:
        entry = await self._one(a, State.RETURNED)
        requested = RequestedMeasure(
            measure=entry.measure,
            subject=self.citizen if entry.measure is Measure.PREVENTION else self.foreigner,
            photo=PHOTO,
            basis=msgspec.structs.replace(entry.basis, issued_on=self.today, received_on=None),
            starts_on=self.today,
            ends_on=self.today + timedelta(days=b % 250),
            unknown=entry.unknown,
        )
        by = KPK[b % 2] if entry.agency == "KPK" else IMMIGRATION[0]
        async with self.runtime.writing(by) as unit:
            await service.resubmit(unit, entry.id, entry.version, requested, self.runtime.settings)

    async def _formalise(self, a: int, b: int) -> None:
        entry = await self._one(a, State.PROVISIONAL, urgent=True)
        starts_on = self.today + timedelta(days=a % 2 * (b % 12))
        formal = Formal(
            basis=self.letter(case_reference=entry.basis.case_reference),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=b % 200),
            lifetime=False,
            gap_acknowledged=b % 3 == 0,
            unknown=None,
            subject=None,
            photo=None,
        )
        async with self.runtime.writing(KPK[b % 2]) as unit:
            made = await formalise(unit, entry.id, entry.version, formal, self.runtime.settings)
        self.ids.append(made.id)

    async def _file(self, a: int, b: int) -> None:
        entry = await self._one(a, State.ACTIVE, State.PROVISIONAL)
        kind = KINDS[b % len(KINDS)]
        own = {"case_reference": entry.basis.case_reference}
        number = entry.basis.number if b % 4 else "another"
        moved = msgspec.structs.replace(
            self.citizen if b % 2 else self.foreigner, address=f"Jalan {next(_numbers)}"
        )
        corrected = RequestedCorrection(moved, None, None, (), None)
        ends_on = (entry.ends_on or self.today) + timedelta(days=a % 220)
        requested = RequestedAmendment(
            kind=kind,
            reason="Because.",
            letter=AmendmentLetter("B-1", self.today) if kind is not AmendmentKind.EXTENSION else None,
            extension=Extension(ends_on, self.letter(**own)) if kind is AmendmentKind.EXTENSION else None,
            correction=corrected if kind is AmendmentKind.CORRECTION else None,
            refers_to_number=number if kind is AmendmentKind.REVOCATION else None,
            judgment=Judgment("1", "PN", self.today, self.today, entry.basis.case_reference, all_charges=True)
            if kind is AmendmentKind.ACQUITTAL
            else None,
        )
        owner = KPK[1] if entry.agency == "KPK" else IMMIGRATION[0]
        by = owner if b % 3 else OFFICERS[b // 8 % len(OFFICERS)]
        async with self.runtime.writing(by) as unit:
            made = await amendments.file(unit, entry.id, entry.version, requested, self.runtime.settings)
        self.amendment_ids.append(made.id)

    async def _settle(self, a: int, b: int) -> None:
        if not self.amendment_ids:
            return await self._file(a, b)
        async with self.runtime.reading(SYSTEM) as reader:
            found = await amendment_store.find(reader, self.amendment_ids[a % len(self.amendment_ids)])
        assert found is not None
        verdict, by = _decision(found.state, found.agency, b)
        async with self.runtime.writing(by) as unit:
            await amendments.decide(unit, found.id, found.version, verdict, "Because.", self.runtime.settings)
        return None

    async def _wait(self, a: int, _b: int) -> None:
        self.clock.advance(STEPS[a % len(STEPS)])

    async def _work(self, _a: int, _b: int) -> None:
        worker = Worker(self.runtime)
        await worker.end_by_law()
        await worker.announce_begun()

    async def told(
        self,
    ) -> tuple[list[Entry], dict[str, list[tuple[str, Entry]]], dict[str, list[Amendment]]]:
        """Every entry, its former versions with their events, and its amendments."""
        async with self.runtime.reading(SYSTEM) as reader:
            entries = await store.list_by_ids(reader, self.ids)
            former = {entry.id: await store.list_former(reader, entry.id) for entry in entries}
            amended = {e.id: await amendment_store.list_page(reader, e.id, None, 500) for e in entries}
        return entries, former, amended

    async def alarms(self) -> list[Any]:
        """The first alert of each family of this life's entries: its entry and when it was cancelled."""
        table = alert_table
        statement = select(table.c.entry_id, table.c.cancelled_at).where(
            table.c.entry_id.in_(self.ids), table.c.id == table.c.family
        )
        async with self.runtime.reading(SYSTEM) as reader:
            return list(await reader.run(statement))
