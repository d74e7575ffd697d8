"""Random lives of whole cases: a father and a son of one name, urgent, formal and further entries, and what ends them.

The acts run through the register's own use cases. Beside them a life keeps its own account of what must follow: which
entries may never hold again, which cases are closed, which passports were listed.
"""

import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from itertools import count
from typing import Any, NamedTuple

import msgspec

from app.access.domain import SYSTEM
from app.actor import Actor
from app.errors import NotFound
from app.identity.births import Birth
from app.ledger.domain import Record
from app.ledger.service import head, list_after
from app.register.amendments import service as amendments
from app.register.amendments import store as amendment_store
from app.register.amendments.domain import (
    OPEN,
    Amendment,
    AmendmentKind,
    AmendmentLetter,
    AmendmentState,
    Extension,
    Judgment,
    Scope,
)
from app.register.amendments.requested import RequestedAmendment, RequestedCorrection
from app.register.entries import service, store, urgent
from app.register.entries.blobs import Blob
from app.register.entries.domain import Entry, Letter, Measure, Reopening, State, Verdict
from app.register.entries.formalising import formalise
from app.register.entries.law.deadlines import Terms
from app.register.entries.requested import Formal, RequestedMeasure, RequestedUrgentMeasure
from app.register.entries.subjects import Document, Subject
from app.runtime import Runtime
from app.worker import Worker
from tests.support.clock import SettableClock
from tests.support.lives import IMMIGRATION, KPK, PHOTO, VERDICTS, Life
from tests.unit.register.entries.examples import person, subject

POLRI = [person("P", "submitter", agency="POLRI"), person("Q", "verifier", agency="POLRI")]
CASE_ACTS = (
    *("submit", "follow", "urgent", *["decide"] * 5, "resubmit", *["formalise"] * 3, "extend"),
    *(*["correct"] * 3, "revoke", "acquit", "annul", *["settle"] * 4, "wait", "wait", "work"),
)
_WAITS = (
    *(timedelta(hours=n) for n in (1, 1, 2, 5, 9)),
    *(timedelta(days=n) for n in (1, 1, 2, 3, 5, 8, 13, 21, 60)),
)
_EVERYBODY = (*KPK, *POLRI, *IMMIGRATION)
_NATURAL = {"submitted": Verdict.VERIFY, "verified": Verdict.APPROVE, "provisional": Verdict.COUNTERSIGN}
_ROLES = {
    Verdict.VERIFY: "verifier",
    Verdict.APPROVE: "approver",
    Verdict.COUNTERSIGN: "duty_officer",
    Verdict.REJECT: "approver",
}
_DOCUMENT = Blob("0" * 64, "letter", "application/pdf", b"%PDF-1.4 an invented judgment")
_numbers = count(1)


class Matter(NamedTuple):
    """What an entry is about: its owner, its case and its subject."""

    owner: str
    case: int
    who: str


class Alarm(NamedTuple):
    """An alert as the ledger recorded it."""

    sequence: int
    family: str
    entry_id: str
    kind: str
    action: str
    documents: tuple[str, ...]


def matter(entry: Entry) -> Matter:
    """Read off what an entry says now, by means other than the register's."""
    birth = entry.subject.birth
    who = "father" if birth is not None and str(birth.date).startswith("1950") else "son"
    return Matter(entry.agency, int(re.findall(r"\d+", entry.basis.case_reference)[-1]), who)


def passports(subject: Subject) -> frozenset[str]:
    """The numbers of a person's documents."""
    return frozenset(each.number for each in subject.documents)


class CaseLife(Life):
    """What befalls two namesakes in two cases.

    Attributes:
        entries: every entry as it was after the last act, by id.
        alarms_told: every alert of the life, in order.
        dead: entries that an act has ended for good, and which act.
        closed: the matters that an acquittal has closed.
        listed: by the first entry of a formalisation, the passports that were listed and never withdrawn.
        decided: who decided, and the persons who must not have.
        reached: the names of what has happened, to see that chance reaches everything.
    """

    def __init__(self, runtime: Runtime, clock: SettableClock) -> None:
        super().__init__(runtime, clock)
        name = f"Raka {self.number} Prambanan"
        self.people = {
            "father": _someone(name, "1950-02-03", f"FX{self.number:05d}"),
            "son": _someone(name, "1980-06-07", f"KX{self.number:05d}"),
        }
        self.entries: dict[str, Entry] = {}
        self.alarms_told: list[Alarm] = []
        self.fresh_alarms: list[Alarm] = []
        self.dead: dict[str, str] = {}
        self.closed: set[Matter] = set()
        self.listed: dict[str, set[str]] = {}
        self.decided: list[tuple[str | None, tuple[str, ...]]] = []
        self.reached: set[str] = set()
        self._heard: int | None = None
        self._read: dict[str, frozenset[str]] = {}

    def chain(self, entry: Entry) -> str:
        """The id of the first entry of a formalisation."""
        return entry.formalises or entry.id

    async def look(self) -> None:
        """Take up how everything stands after an act."""
        async with self.runtime.reading(SYSTEM) as reader:
            found = await store.list_by_ids(reader, self.ids)
            if self._heard is None:
                self._heard = (await head(reader)).size
            records: list[Record] = []
            while more := await list_after(reader, self._heard, 500):
                records += more
                self._heard = more[-1].sequence
        self.entries = {entry.id: entry for entry in found}
        mine = [each for each in records if each.alert_id is not None and each.entry_id in self.entries]
        self.fresh_alarms = [_alarm(each) for each in mine]
        self.alarms_told += self.fresh_alarms
        for entry in found:
            if entry.in_force(self.clock()):
                self.listed.setdefault(self.chain(entry), set()).update(passports(entry.subject))

    async def act(self, what: str, a: int, b: int) -> bool:
        """Try something, mostly a second after what was before; whether the register took it."""
        if a % 4:
            self.clock.advance(seconds=1)
        return await super().act(self._sensible(what) if a % 9 else what, a, b)

    def _sensible(self, what: str) -> str:
        """The same act where there is something to do it to; else one for which there is."""
        found = [entry.at(self.clock()) for entry in self.entries.values()]
        followed = {entry.formalises for entry in found if entry.runs or entry.awaits_decision}
        possible = {
            "decide": any(map(_waits, found)),
            "resubmit": any(entry.state is State.RETURNED for entry in found),
            "extend": any(entry.state is State.ACTIVE for entry in found),
            "formalise": any(entry.urgent and entry.runs and entry.id not in followed for entry in found),
            "settle": bool(self.amendment_ids),
        }
        if possible.get(what, True):
            return what
        return next((act for act in ("settle", "decide", "formalise") if possible[act]), "follow")

    def _pick(self, a: int, fits: Callable[[Entry], bool]) -> Entry:
        """One of the entries as they are now; mostly one that fits, now and then any."""
        found = [entry.at(self.clock()) for entry in self.entries.values()]
        fitting = [entry for entry in found if fits(entry)] if a % 9 else []
        return (fitting or found)[a % len(fitting or found)]

    # What officers try.

    def _case(self, number: int) -> str:
        written = (
            f"Sprin.Dik-{self.number}/1",
            f"SPRINDIK {self.number} 01",
            f"sprin dik-{self.number}.1",
            f"Sprin.Dik-{self.number}/2",
        )
        return written[number % len(written)]

    def _who(self, number: int) -> Subject:
        return self.people["son" if number % 3 == 0 else "father"]

    def _letter(self, owner: str = "KPK", **changes: Any) -> Any:
        form = {"KPK": "order", "POLRI": "request"}[owner]
        return self.letter(**{"instrument": form, "issued_on": self.today - timedelta(days=1), **changes})

    async def _submit(self, a: int, b: int) -> None:
        starts_on = self.today + timedelta(days=a % 9)
        reopens = Reopening(f"PK-{next(_numbers)}", "MA", self.today) if b % 4 == 0 and self.closed else None
        by = POLRI[0] if b % 7 == 0 else KPK[a % 2]
        letter = self._letter(str(by.agency), case_reference=self._case(b), reopens=reopens)
        await self._ask(by, self._who(a), letter, starts_on, starts_on + timedelta(days=10 + b % 90))

    async def _follow(self, a: int, b: int) -> None:
        """Ask for a period behind another one of the same case and person."""
        before = self._pick(a, lambda e: not e.urgent and e.ends_on is not None and not e.awaits_decision)
        starts_on = max(self.today, (before.ends_on or self.today) + timedelta(days=1))
        by = POLRI[0] if before.agency == "POLRI" else KPK[a % 2]
        letter = self._letter(before.agency, case_reference=before.basis.case_reference)
        await self._ask(by, before.subject, letter, starts_on, starts_on + timedelta(days=10 + b % 90))

    async def _ask(self, by: Actor, who: Subject, letter: Any, starts_on: date, ends_on: date) -> None:
        await self._keep(
            by,
            RequestedMeasure(
                measure=Measure.PREVENTION,
                subject=msgspec.structs.replace(who, photo=None),
                photo=PHOTO,
                basis=letter,
                starts_on=starts_on,
                ends_on=ends_on,
                unknown=("nik",),
            ),
        )

    async def _urgent(self, a: int, b: int) -> None:
        requested = RequestedUrgentMeasure(
            measure=Measure.PREVENTION,
            subject=self._who(a),
            photo=PHOTO,
            basis=self._letter(case_reference=self._case(b)),
            unknown=("nik",),
            letter=Letter(f"ND-{next(_numbers)}", self.today, "0" * 64),
        )
        async with self.runtime.writing(KPK[a % 2]) as unit:
            entry = await urgent.submit_urgent(unit, requested, self.runtime.settings, "unknown")
        self.ids.append(entry.id)

    async def _decide(self, a: int, b: int) -> None:
        """Decide on a request, mostly as far as it goes."""
        entry = self._pick(a, _waits)
        for step in range(1 + b % 4):
            linked = [each for each in self.entries.values() if each.id == entry.formalises]
            wrote = (*entry.authors, *(person for each in linked for person in each.authors))
            acted = (entry.verified_by, *entry.approved_by, *(each.countersigner for each in linked))
            verdict, by = _decision(entry.state, entry.agency, (*wrote, *acted), b + step)
            async with self.runtime.writing(by) as unit:
                entry = await service.decide(
                    unit, entry.id, entry.version, verdict, "Because.", Terms.of(self.runtime.settings)
                )
            self.decided.append((by.person, wrote))
            self.reached.add(verdict.value)
            if entry.state not in {State.SUBMITTED, State.VERIFIED}:
                return

    async def _resubmit(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.state is State.RETURNED)
        who = entry.subject if b % 4 else self._who(b)
        requested = RequestedMeasure(
            measure=entry.measure,
            subject=msgspec.structs.replace(who, photo=None, documents=who.documents[: 1 + b % 2]),
            photo=PHOTO,
            basis=msgspec.structs.replace(
                entry.basis,
                issued_on=self.today,
                received_on=None,
                case_reference=entry.basis.case_reference if b % 3 else self._case(b),
            ),
            starts_on=max(self.today, entry.starts_on),
            ends_on=max(self.today, entry.starts_on) + timedelta(days=10 + b % 90),
            unknown=entry.unknown,
        )
        by = POLRI[0] if entry.agency == "POLRI" else KPK[b % 2]
        async with self.runtime.writing(by) as unit:
            await service.resubmit(unit, entry.id, entry.version, requested, self.runtime.settings)
        self.reached.add("resubmitted")

    async def _formalise(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.urgent and e.runs)
        starts_on = self.today + timedelta(days=a % 3 * (b % 11))
        person_given: tuple[Subject | None, ...] = (
            *(None, None, entry.subject),
            msgspec.structs.replace(entry.subject, documents=entry.subject.documents[:1], address="Jalan 2"),
            self._who(b),
        )
        who = person_given[b % len(person_given)]
        formal = Formal(
            basis=self._letter(case_reference=entry.basis.case_reference if b % 6 else self._case(b // 6)),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=10 + b % 90),
            lifetime=False,
            gap_acknowledged=b % 3 == 0,
            unknown=("nik",),
            subject=None if who is None else msgspec.structs.replace(who, photo=None),
            photo=None if who is None else PHOTO,
        )
        async with self.runtime.writing(KPK[b % 2]) as unit:
            made = await formalise(unit, entry.id, entry.version, formal, self.runtime.settings)
        self.ids.append(made.id)
        self.reached.add("formalised")

    async def _extend(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.state is State.ACTIVE)
        ends_on = (entry.ends_on or self.today) + timedelta(days=1 + b % 60)
        case = entry.basis.case_reference
        letter = self._letter(entry.agency, case_reference=case, issued_on=self.today)
        await self._amend(entry, AmendmentKind.EXTENSION, b, extension=Extension(ends_on, letter))

    async def _correct(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.runs)
        said, basis, ends_on = msgspec.structs.replace(entry.subject, photo=None), None, None
        second = Document("passport", f"{said.documents[0].number[0]}Y{self.number:05d}", "IDN")
        match b % 8:
            case 0 | 1 | 2 | 3:
                said = msgspec.structs.replace(
                    said, documents=tuple(dict.fromkeys((*said.documents, second)))
                )
            case 4:
                said = msgspec.structs.replace(
                    said, address=f"Jalan {next(_numbers)}", documents=said.documents[-1:]
                )
            case 5:
                said = self._who(b // 8)
            case 6:
                basis = msgspec.structs.replace(entry.basis, case_reference=self._case(b // 8))
            case _:
                ends_on = self.today + timedelta(days=b % 15)
        requested = RequestedCorrection(said if b % 8 < 6 else None, None, basis, (), None, ends_on)
        await self._amend(entry, AmendmentKind.CORRECTION, b, correction=requested)

    async def _revoke(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.runs)
        scope = Scope.ENTRY if b % 2 else Scope.MEASURE
        await self._amend(
            entry, AmendmentKind.REVOCATION, b, refers_to_number=entry.basis.number, scope=scope
        )

    async def _acquit(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.runs or (a % 4 == 0 and e.state is State.ENDED))
        await self._amend(
            entry, AmendmentKind.ACQUITTAL, b, judgment=self._judgment(entry, charges=b % 9 != 0)
        )

    async def _annul(self, a: int, b: int) -> None:
        entry = self._pick(a, lambda e: e.runs)
        await self._amend(entry, AmendmentKind.ANNULMENT, b, judgment=self._judgment(entry, charges=None))

    def _judgment(self, entry: Entry, *, charges: bool | None) -> Judgment:
        return Judgment(
            number=f"{next(_numbers)}/Pid.Sus/2026",
            court="PN",
            decided_on=self.today - timedelta(days=3),
            final_on=self.today,
            case_reference=entry.basis.case_reference,
            all_charges=charges,
            sha256="0" * 64,
            media_type="application/pdf",
        )

    async def _amend(self, entry: Entry, kind: AmendmentKind, b: int, **part: Any) -> None:
        requested = RequestedAmendment(
            **{
                "kind": kind,
                "reason": "Because.",
                "letter": AmendmentLetter("B-1", self.today) if kind is AmendmentKind.REVOCATION else None,
                "extension": None,
                "correction": None,
                "refers_to_number": None,
                "judgment": None,
                "document": _DOCUMENT if "judgment" in part else None,
                **part,
            }
        )
        owner = POLRI[0] if entry.agency == "POLRI" else KPK[b // 3 % 2]
        by = IMMIGRATION[0] if "judgment" in part and b % 2 else owner
        async with self.runtime.writing(by) as unit:
            made = await amendments.file(unit, entry.id, entry.version, requested, self.runtime.settings)
        self.amendment_ids.append(made.id)
        self._read[made.id] = passports(entry.subject)

    async def _settle(self, a: int, b: int) -> None:
        """Decide on an amendment, mostly as far as it goes."""
        for step in range(1 + b % 4):
            found = await self._waiting(a)
            if found is None:
                raise NotFound("No amendment waits.")
            acted = (*found.authors, found.verified_by, found.first_approver)
            entry = self.entries[found.entry_id]
            verdict, by = _decision(found.state, found.agency, (*acted, *entry.authors), b + step)
            before = {each.id: each.at(self.clock()) for each in self.entries.values()}
            async with self.runtime.writing(by) as unit:
                decided = await amendments.decide(
                    unit, found.id, found.version, verdict, "Because.", self.runtime.settings
                )
            if decided.state is AmendmentState.APPROVED:
                self._account(decided, before)
            if decided.state not in OPEN:
                return

    async def _waiting(self, a: int) -> Amendment | None:
        """One of the amendments that wait, as its reader sees it now."""
        async with self.runtime.reading(SYSTEM) as reader:
            while self.amendment_ids:
                chosen = self.amendment_ids[a % len(self.amendment_ids)]
                found = await amendment_store.find(reader, chosen)
                assert found is not None
                if found.state in OPEN:
                    return await amendments.current(reader, found)
                self.amendment_ids.remove(chosen)
        return None

    async def _wait(self, a: int, _b: int) -> None:
        self.clock.advance(_WAITS[a % len(_WAITS)])

    async def _work(self, _a: int, _b: int) -> None:
        worker = Worker(self.runtime)
        await worker.end_by_law()
        await worker.announce_begun()

    # What must follow.

    def _account(self, amendment: Amendment, before: dict[str, Entry]) -> None:
        """Note what an approved amendment means for the case, from docs/api.md alone."""
        named, kind = before[amendment.entry_id], amendment.kind
        self.reached.add(
            f"{kind.value} {amendment.scope.value}" if kind is AmendmentKind.REVOCATION else kind.value
        )
        if amendment.correction is not None and amendment.correction.subject is not None:
            withdrawn = self._read[amendment.id] - passports(amendment.correction.subject)
            for entry in before.values():  # a correction reaches every entry of its dossier
                if self.chain(entry) == self.chain(named) or matter(entry) == matter(named):
                    self.listed.setdefault(self.chain(entry), set()).difference_update(withdrawn)
        if kind not in {AmendmentKind.REVOCATION, AmendmentKind.ACQUITTAL, AmendmentKind.ANNULMENT}:
            return
        ended = [named]
        if not (kind is AmendmentKind.REVOCATION and amendment.scope is Scope.ENTRY):
            linked = self.chain(named)
            ended += [e for e in before.values() if matter(e) == matter(named) or self.chain(e) == linked]
        judgment = amendment.judgment
        for entry in ended:
            newer = judgment is not None and entry.basis.issued_on >= judgment.decided_on
            apart = entry.awaits_decision or self.chain(entry) != self.chain(named)
            if kind is AmendmentKind.ANNULMENT and newer and apart:
                continue  # a decision made since the annulment is another one
            if entry.runs or entry.awaits_decision:
                self.dead[entry.id] = kind.value
        if kind is AmendmentKind.ACQUITTAL:
            self.closed.add(matter(named))
            self.reached.add("acquittal of what had ended" if named.state is State.ENDED else "acquittal")


def _waits(entry: Entry) -> bool:
    """Whether an entry waits for a decision."""
    unsigned = entry.state is State.PROVISIONAL and entry.countersigned_at is None
    return unsigned or entry.state in {State.SUBMITTED, State.VERIFIED}


def _someone(name: str, born: str, number: str) -> Subject:
    document = Document("passport", number, "IDN")
    return subject(full_name=name, birth=Birth(date=born), nik=None, documents=(document,))


def _decision(state: str, agency: str, acted: Collection[str | None], b: int) -> tuple[Verdict, Actor]:
    """Mostly what comes next, by one who has not acted yet; now and then anything by anybody."""
    verdict = _NATURAL.get(state)
    if verdict is None or b % 17 == 0:
        return VERDICTS[b // 17 % len(VERDICTS)], _EVERYBODY[b // 128 % len(_EVERYBODY)]
    if b % 19 == 0 and verdict is Verdict.APPROVE:
        verdict = Verdict.REJECT
    able = [officer for officer in _EVERYBODY if officer.holds(_ROLES[verdict])]
    if verdict is Verdict.VERIFY:
        able = [officer for officer in able if officer.agency == agency]
    fresh = [officer for officer in able if officer.person not in acted] if b % 7 else []
    able = fresh or able
    if b % 13 == 0 and verdict is not Verdict.COUNTERSIGN:
        verdict = Verdict.RETURN
    return verdict, able[b // 4 % len(able)]


def _alarm(record: Record) -> Alarm:
    said = record.personal
    assert said is not None, "nothing is erased in these lives"
    papers = said["entry"]["documents"]
    return Alarm(
        sequence=record.sequence,
        family=said["refers_to"] or str(record.alert_id),
        entry_id=str(record.entry_id),
        kind=said["kind"],
        action=said["action"],
        documents=tuple(each["number"] for each in papers),
    )
