"""Why a traveller and a listed person match or not, and what a check would answer, step by step; for auditors.

Told by the functions that answer checks, on the traveller as a check understands one. Nothing is decided or changed.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from app.checks.clearing import pass_over
from app.checks.domain import DOUBTS, Candidate, Comparison, Reason, by_numbers, compare, fits
from app.checks.finding import Finder
from app.checks.reasons import TEXTS
from app.checks.schemas import Asked
from app.clearances.service import list_standing
from app.db.unit import Reader, Unit
from app.entries import name_keys, service
from app.entries.answer import Doubt, Measured, Outcome, action_on, by_the_table
from app.entries.domain import Entry, Measure
from app.entries.pending import stops, undecided
from app.entries.subjects import Subject
from app.identity import documents, states
from app.kit.clock import legal_day
from app.matching.assessment import assess
from app.matching.explaining import Step, normalised, retrieved, weighed
from app.matching.persons import Listed
from app.matching.policy import MatchPolicy


class Verdict(msgspec.Struct, frozen=True):
    """What a check would answer of one measure.

    Attributes:
        outcome: of this measure alone.
        matched: whether the two are taken for one person, so that somebody is stopped or told.
        noted: alike, but not so much that anybody waits.
        sighting: nobody is stopped in this direction; the owner is told that the person was seen.
    """

    measure: Measure
    outcome: Outcome
    action: str
    matched: bool
    noted: bool
    sighting: bool


class Explanation(msgspec.Struct, frozen=True):
    """Every step, in order, and where they lead.

    Attributes:
        comparison: what speaks for the two being one person; None where nothing that counts does.
        verdicts: one of an entry; of a supposed subject one for each measure.
    """

    entry: Entry | None
    comparison: Comparison | None
    verdicts: list[Verdict]
    steps: list[Step]


async def explain_entry(
    unit: Unit, asked: Asked, entry_id: str, policy: MatchPolicy, pepper: bytes
) -> Explanation:
    """Why a traveller matches an entry, or not, as the register stands now; that it was asked is recorded.

    Raises:
        NotFound: there is no such entry within the actor's view.
    """
    entry = await service.get(unit, entry_id)
    candidate = Candidate(entry, name_keys.listed(entry.subject))
    view = await Finder(policy).find(unit, [asked])
    (near,) = view.near
    steps, by_key = _persons(asked, entry.subject, candidate.person)
    found = entry_id in near.candidates or entry_id in near.compared
    steps.append(_looked_at(found=found, expected=by_key, truncated=near.truncated))
    steps += _compared(asked, entry.subject, candidate.person, policy)
    steps.append(_in_force(entry, unit.now))
    cleared = await _cleared(unit, asked, candidate, policy)
    steps += [_clearance(clearance_id) for clearance_id in cleared]
    comparison = compare(asked.traveller, entry.subject, candidate.person, policy)
    counts = comparison if found and stops(entry, unit.now) and not cleared else None
    verdict, last = _verdict(asked, Measured.of(entry, unit.now), counts, unit.now)
    await _record(unit, asked, entry_id, pepper)
    return Explanation(entry, comparison, [verdict], [*steps, last])


async def explain_subject(
    unit: Unit, asked: Asked, subject: Subject, policy: MatchPolicy, pepper: bytes
) -> Explanation:
    """Why a traveller would match a subject that is only supposed, or not; that it was asked is recorded."""
    person = name_keys.listed(subject)
    steps, found = _persons(asked, subject, person)
    steps.append(_looked_at(found=found, expected=found, truncated=False))
    steps += _compared(asked, subject, person, policy)
    comparison = compare(asked.traveller, subject, person, policy)
    verdicts = []
    for measure in Measure:
        supposed = Measured(measure, subject)
        verdict, last = _verdict(asked, supposed, comparison if found else None, unit.now)
        verdicts.append(verdict)
        steps.append(last)
    await _record(unit, asked, None, pepper)
    return Explanation(None, comparison, verdicts, steps)


async def _record(unit: Unit, asked: Asked, entry_id: str | None, pepper: bytes) -> None:
    question = asked.body.model_dump_json(exclude_none=True).encode()
    keyed = hmac.new(pepper, question, hashlib.sha256).hexdigest()
    await service.log_look(unit, "check.explained", entry_id, {"question": keyed})


def _persons(asked: Asked, subject: Subject, person: Listed) -> tuple[list[Step], bool]:
    """Both sides made ready, and by which keys the one finds the other."""
    by_key, found = retrieved(asked.traveller.person, person)
    numbers = sorted({*asked.keys} & subject.identifiers())
    steps = [*_traveller(asked), *_names_of(subject), *map(_number_key, numbers), *by_key]
    return steps, found or bool(numbers)


def _traveller(asked: Asked) -> Iterator[Step]:
    zone, person = asked.mrz, asked.body.person
    if zone is not None:
        faults = ", ".join(zone.fails)
        yield Step(
            "zone",
            "valid" if zone.valid else "doubtful",
            f"MRZ {zone.format}: {f'tidak cocok: {faults}' if faults else 'semua angka pemeriksa cocok'}.",
            f"Machine-readable zone {zone.format}: {f'fails: {faults}' if faults else 'every check digit holds'}.",
            {"format": zone.format, "check_digits": zone.check_digits, "fails": list(zone.fails)},
        )
    who = asked.traveller
    says = "WNI" if who.indonesian else "WNA" if who.proved_foreign else "unproven"
    yield Step(
        "citizenship",
        says,
        f"Kewarganegaraan pelintas: {says}.",
        f"The traveller's citizenship: {says}.",
        {"says_indonesian": who.indonesian, "proves_foreign": who.proved_foreign},
    )
    for paper in who.papers:
        yield Step(
            "number",
            "sure" if paper.sure else "doubtful",
            f"Nomor dokumen {paper.number}, negara {paper.state or 'tidak diketahui'}; kerangka {paper.skeleton}.",
            f"Document number {paper.number}, state {paper.state or 'unknown'}; skeleton {paper.skeleton}.",
            {"number": paper.number, "skeleton": paper.skeleton, "state": paper.state, "sure": paper.sure},
        )
    if person is not None and person.name:
        yield normalised("traveller", "typed", person.name)
    if zone is not None and zone.name:
        yield normalised("traveller", "zone", f"{zone.surname} {zone.given_names}", cut=zone.name_truncated)


def _names_of(subject: Subject) -> Iterator[Step]:
    if subject.full_name:
        yield normalised("listed", "full_name", subject.full_name)
    for alias in subject.aliases:
        yield normalised("listed", "alias_good" if alias.quality == "good" else "alias_low", alias.name)


def _number_key(key: str) -> Step:
    kind, number = key.split(":", 1)
    what_id, what_en = {
        "d": ("nomor dokumen", "document number"),
        "k": ("kerangka nomor dokumen", "skeleton of a document number"),
        "n": ("NIK", "NIK"),
    }[kind]
    return Step(
        "number_key",
        {"d": "document", "k": "skeleton", "n": "nik"}[kind],
        f"Kunci sama: {what_id} {number}.",
        f"A key in common: {what_en} {number}.",
        {"number": number},
    )


def _looked_at(*, found: bool, expected: bool, truncated: bool) -> Step:
    if found:
        result, text_id, text_en = "found", "Data ini dibandingkan.", "A check compares this entry."
    elif expected and truncated:
        result = "cut_off"
        text_id = "Data ini tidak dibandingkan: terlalu banyak yang lebih cocok (`most_candidates`)."
        text_en = "A check does not compare this entry: too many others share more (`most_candidates`)."
    else:
        result = "not_found"
        text_id = "Data ini tidak dibandingkan: tidak ada kunci yang cukup."
        text_en = "A check does not compare this entry: no number and not enough keys are shared."
    return Step("candidate", result, text_id, text_en, {"truncated": truncated})


def _compared(asked: Asked, subject: Subject, person: Listed, policy: MatchPolicy) -> Iterator[Step]:
    """Numbers by the contract's table, then names and birth dates for themselves."""
    traveller = asked.traveller
    for document in subject.documents:
        number = documents.normalise(document.number)
        state = states.canonical(document.issuing_state) if document.issuing_state else None
        yield Step(
            "listed_number",
            "equal" if any(paper.number == number for paper in traveller.papers) else "other",
            f"Terdaftar: nomor dokumen {number}, negara {state or 'tidak diketahui'}.",
            f"Listed: document number {number}, state {state or 'unknown'}.",
            {"number": number, "skeleton": documents.skeleton(number), "state": state},
        )
    names = assess(traveller.person, person, policy)
    numbered = by_numbers(traveller, subject, names, policy)
    for each in numbered:
        yield Step(
            "number_case",
            each.level,
            f"Menurut nomor: {each.level}, {'dapat menolak' if each.refuses else 'paling banyak merujuk'}.",
            f"By a number: {each.level}, {'may refuse' if each.refuses else 'at most refer'}.",
            {"refuses": each.refuses, "score": each.score, "reasons": shown(each.reasons)},
        )
    yield from weighed(traveller.person, person, names, policy)
    if numbered:
        yield Step(
            "decided_by",
            "number",
            "Nomor berbicara lebih dahulu; nama dan tanggal lahir menjadi alasan di sampingnya.",
            "A number speaks first; name and birth date are reasons beside it.",
        )
    else:
        yield Step(
            "decided_by",
            "name_and_birth",
            "Tidak ada nomor yang sama; nama dan tanggal lahir berbicara sendiri, tidak pernah menolak.",
            "No number agrees; name and birth date speak for themselves, and never refuse.",
        )


def _in_force(entry: Entry, now: datetime) -> Step:
    if entry.in_force(now):
        return Step("in_force", "yes", "Data ini sedang berlaku.", "The entry is in force.")
    if undecided(entry, now):
        return Step("in_force", "decision_pending", *TEXTS["entry", "decision_pending"])
    text_en = "The entry is not in force; a check passes it over."
    return Step("in_force", "no", "Data ini tidak berlaku; pemeriksaan melewatinya.", text_en)


async def _cleared(reader: Reader, asked: Asked, candidate: Candidate, policy: MatchPolicy) -> list[str]:
    """The clearance by which this traveller passes this entry over, if there is one."""
    match = fits(asked.body.direction, asked.traveller, candidate, policy, reader.now)
    numbers = {paper.number for paper in asked.traveller.papers}
    if match is None or not numbers:
        return []
    entry = candidate.entry
    standing = await list_standing(reader, {entry.id}, numbers)
    _, named = pass_over([match], asked.traveller, {entry.id: entry}, standing)
    return named


def _clearance(clearance_id: str) -> Step:
    return Step(
        "clearance",
        "passed_over",
        f"Dilewati menurut {clearance_id}: bukan orang yang sama.",
        f"Passed over by {clearance_id}: not the same person.",
        {"clearance_id": clearance_id},
    )


def _verdict(
    asked: Asked, listed: Measured, comparison: Comparison | None, now: datetime
) -> tuple[Verdict, Step]:
    """What a check would answer by the law's table, and the step that says so."""
    direction, measure = asked.body.direction, listed.measure
    outcome: Outcome = "clear"
    noted = sighting = False
    doubt: Doubt | None = None
    if comparison is not None:
        by_law, sighting, doubt = by_the_table(
            direction, asked.traveller, listed, refuses=comparison.refuses, today=legal_day(now)
        )
        noted = not comparison.stops
        outcome = "clear" if noted else by_law
    sighting = sighting and comparison is not None and comparison.level != "possible"
    action = action_on(outcome, direction)
    matched = comparison is not None and not noted and (outcome != "clear" or sighting)
    held_back = None if doubt is None else DOUBTS[doubt]
    why_id, why_en = TEXTS[held_back.feature, held_back.result] if held_back else ("", "")
    step = Step(
        "outcome",
        outcome,
        f"{measure.value}, {direction}: {action}. {why_id}".strip(),
        f"{measure.value}, {direction}: {action}. {why_en}".strip(),
        {
            "measure": measure.value,
            "direction": direction,
            "action": action,
            "sighting": sighting,
            "held_back_by": doubt,
        },
    )
    return Verdict(measure, outcome, action, matched, noted, sighting), step


def shown(reasons: Iterable[Reason]) -> list[dict[str, object]]:
    """Reasons with their sentences."""
    return [reason.shown() for reason in reasons]
