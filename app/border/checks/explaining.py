"""Explaining, step by step, why a traveller matches an entry or not, and what a check answers; for auditors.

An explanation uses the functions of checks, on a traveller parsed as in a check. It stores no check and opens no hit.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from app.access.acts import AuditAct
from app.border.checks.clearing import remove_cleared
from app.border.checks.domain import DOUBTS, Candidate, Comparison, Reason, by_numbers, compare, find_match
from app.border.checks.finding import Finder
from app.border.checks.parsing import ParsedQuestion
from app.border.checks.reasons import TEXTS
from app.border.clearances.service import list_standing
from app.db.unit import Reader, Unit
from app.identity import documents, states, typed_numbers
from app.kit.clock import legal_day
from app.matching.assessment import assess
from app.matching.explaining import Step, normalised, retrieved, weighed
from app.matching.persons import KnownPerson
from app.matching.policy import MatchPolicy
from app.register.entries import service
from app.register.entries.answer import Doubt, Measured, Outcome, action_on, by_the_table
from app.register.entries.domain import Entry, Measure
from app.register.entries.names import index as name_keys
from app.register.entries.pending import stops, undecided
from app.register.entries.subjects import Subject


class Verdict(msgspec.Struct, frozen=True):
    """The answer that a check would give for one measure.

    Attributes:
        outcome: the outcome for this measure alone.
        action: the counter's action.
        matched: whether the check would stop the traveller, or notify the owner of a sighting.
        noted: whether the names are similar, but not enough to stop the traveller.
        sighting: whether the measure stops nobody in this direction, so that the owner is only notified.
    """

    measure: Measure
    outcome: Outcome
    action: str
    matched: bool
    noted: bool
    sighting: bool


class Explanation(msgspec.Struct, frozen=True):
    """The steps of a traveller's comparison with an entry or a made-up subject, and their results.

    Attributes:
        entry: the entry; None if a made-up subject was compared.
        comparison: the evidence that both are one person; None without sufficient evidence.
        verdicts: what a check would answer: one verdict for an entry; two, one for each measure, for a made-up subject.
        steps: every step, in the order of the comparison.
    """

    entry: Entry | None
    comparison: Comparison | None
    verdicts: list[Verdict]
    steps: list[Step]


async def explain_entry(
    unit: Unit, parsed: ParsedQuestion, entry_id: str, policy: MatchPolicy, pepper: bytes
) -> Explanation:
    """Explain how a traveller compares with an entry in its present state; record the request in the audit trail.

    Args:
        unit: the transaction.
        parsed: the traveller, as a check's question.
        entry_id: id of the entry.
        policy: thresholds of name matching.
        pepper: the secret of the keyed hash that the audit trail has instead of the traveller.

    Raises:
        NotFound: the actor sees no entry with this id.
    """
    entry = await service.get(unit, entry_id)
    candidate = Candidate(entry, name_keys.listed(entry.subject))
    view = await Finder(policy).find(unit, [parsed])
    (near,) = view.near
    steps, by_key = _persons(parsed, entry.subject, candidate.person)
    found = entry_id in near.candidates or entry_id in near.compared
    steps.append(_looked_at(found=found, expected=by_key, truncated=near.truncated))
    steps += _compared(parsed, entry.subject, candidate.person, policy)
    steps.append(_in_force(entry, unit.now))
    cleared = await _cleared(unit, parsed, candidate, policy)
    steps += [_clearance(clearance_id) for clearance_id in cleared]
    comparison = compare(parsed.traveller, entry.subject, candidate.person, policy)
    counts = comparison if found and stops(entry, unit.now) and not cleared else None
    verdict, last = _verdict(parsed, Measured.of(entry, unit.now), counts, unit.now)
    await _record(unit, parsed, entry_id, pepper)
    return Explanation(entry, comparison, [verdict], [*steps, last])


async def explain_subject(
    unit: Unit, parsed: ParsedQuestion, subject: Subject, policy: MatchPolicy, pepper: bytes
) -> Explanation:
    """Explain how a traveller compares with a made-up subject; record the request in the audit trail.

    Args:
        unit: the transaction.
        parsed: the traveller, as a check's question.
        subject: the made-up subject.
        policy: thresholds of name matching.
        pepper: the secret of the keyed hash that the audit trail has instead of the traveller.
    """
    person = name_keys.listed(subject)
    steps, found = _persons(parsed, subject, person)
    steps.append(_looked_at(found=found, expected=found, truncated=False))
    steps += _compared(parsed, subject, person, policy)
    comparison = compare(parsed.traveller, subject, person, policy)
    verdicts = []
    for measure in Measure:
        supposed = Measured(measure, subject)
        verdict, last = _verdict(parsed, supposed, comparison if found else None, unit.now)
        verdicts.append(verdict)
        steps.append(last)
    await _record(unit, parsed, None, pepper)
    return Explanation(None, comparison, verdicts, steps)


async def _record(unit: Unit, parsed: ParsedQuestion, entry_id: str | None, pepper: bytes) -> None:
    question = parsed.body.model_dump_json(exclude_none=True).encode()
    keyed = hmac.new(pepper, question, hashlib.sha256).hexdigest()
    await service.log_look(unit, AuditAct.CHECK_EXPLAINED, entry_id, {"question": keyed})


def _persons(parsed: ParsedQuestion, subject: Subject, person: KnownPerson) -> tuple[list[Step], bool]:
    """Return the steps that prepare both persons and search by keys, and whether the search finds the entry."""
    by_key, found = retrieved(parsed.traveller.person, person)
    numbers = sorted({*parsed.keys} & subject.identifiers())
    steps = [*_traveller(parsed), *_names_of(subject), *map(_number_key, numbers), *by_key]
    return steps, found or bool(numbers)


def _traveller(parsed: ParsedQuestion) -> Iterator[Step]:
    zone, person = parsed.mrz, parsed.body.person
    if zone is not None:
        faults = ", ".join(zone.fails)
        yield Step(
            "zone",
            "valid" if zone.valid else "doubtful",
            f"MRZ {zone.format}: {f'tidak cocok: {faults}' if faults else 'semua angka pemeriksa cocok'}.",
            f"Machine-readable zone {zone.format}: {f'fails: {faults}' if faults else 'every check digit holds'}.",
            {"format": zone.format, "check_digits": zone.check_digits, "fails": list(zone.fails)},
        )
    checked = parsed.traveller
    shown_citizenship = "WNI" if checked.indonesian else "WNA" if checked.proved_foreign else "unproven"
    yield Step(
        "citizenship",
        shown_citizenship,
        f"Kewarganegaraan pelintas: {shown_citizenship}.",
        f"The traveller's citizenship: {shown_citizenship}.",
        {"says_indonesian": checked.indonesian, "proves_foreign": checked.proved_foreign},
    )
    for paper in checked.papers:
        yield Step(
            "number",
            "sure" if paper.sure else "doubtful",
            f"Nomor dokumen {paper.number}, negara {paper.state or 'tidak diketahui'}; kerangka {paper.skeleton}.",
            f"Document number {paper.number}, state {paper.state or 'unknown'}; skeleton {paper.skeleton}.",
            {
                "number": paper.number,
                "skeleton": paper.skeleton,
                "others": list(paper.skeletons[1:]),
                "state": paper.state,
                "sure": paper.sure,
            },
        )
    if person is not None and person.name:
        yield normalised("traveller", "typed", person.name)
    if zone is not None and zone.name:
        yield normalised("traveller", "zone", f"{zone.surname} {zone.given_names}", cut=zone.name_truncated)
        for other in zone.other_names:
            yield normalised("traveller", "zone", other)


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


def _compared(
    parsed: ParsedQuestion, subject: Subject, person: KnownPerson, policy: MatchPolicy
) -> Iterator[Step]:
    """Yield the steps about numbers, by "What refuses" (API section 5), and about names and birth dates."""
    traveller = parsed.traveller
    for document in subject.documents:
        listed = typed_numbers.read(document.number)
        number = " / ".join(each.number for each in listed.numbers)
        state = states.canonical(document.issuing_state) if document.issuing_state else None
        yield Step(
            "listed_number",
            "equal" if any(paper.number in listed for paper in traveller.papers) else "other",
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


async def _cleared(
    reader: Reader, parsed: ParsedQuestion, candidate: Candidate, policy: MatchPolicy
) -> list[str]:
    """Return the ids of clearances of this traveller against this entry: none or one."""
    match = find_match(parsed.body.direction, parsed.traveller, candidate, policy, reader.now)
    numbers = {paper.number for paper in parsed.traveller.papers}
    if match is None or not numbers:
        return []
    entry = candidate.entry
    standing = await list_standing(reader, {entry.id}, numbers)
    _, named = remove_cleared([match], parsed.traveller, {entry.id: entry}, standing)
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
    parsed: ParsedQuestion, listed: Measured, comparison: Comparison | None, now: datetime
) -> tuple[Verdict, Step]:
    """Return the answer that a check would give by the law's table, and the step that explains it."""
    direction, measure = parsed.body.direction, listed.measure
    outcome: Outcome = "clear"
    noted = sighting = False
    doubt: Doubt | None = None
    if comparison is not None:
        by_law, sighting, doubt = by_the_table(
            direction, parsed.traveller, listed, refuses=comparison.refuses, today=legal_day(now)
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
    """Return reasons as JSON for the answer, in the order of `reasons`, each with the members of `ReasonOut`."""
    return [reason.shown() for reason in reasons]
