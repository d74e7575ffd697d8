"""The question at the border and the law's answer; pure (contract section 5, R43-R48).

A traveller is compared with each candidate entry (`compare`), and what a comparison means for a direction is
decided by the law's table (`decide`). Nothing here asks a database; names and their scores will join the
evidence in `_evidence`, without changing how it is weighed.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Final, Literal

import msgspec

from app.checks.reasons import TEXTS
from app.entries.domain import Entry, Measure
from app.entries.periods import boundary_note
from app.entries.subjects import Citizenship
from app.identity import documents, names, nik, states
from app.identity.births import Agreement, Birth, age_on, best_agreement
from app.identity.mrz import Mrz

Direction = Literal["exit", "entry"]
Level = Literal["exact", "probable", "possible"]
Outcome = Literal["clear", "refer", "refuse"]

ADULT: Final = 18
"""Age in years below which nobody is refused without a supervisor."""

_SEVERITY: Final = {"clear": 0, "refer": 1, "refuse": 2}


class Paper(msgspec.Struct, frozen=True):
    """A document that the traveller showed.

    Attributes:
        number: normalised.
        skeleton: the number with confusable characters folded.
        state: canonical code of the issuing state, if known.
        sure: typed, or read from a zone whose check digits hold.
    """

    number: str
    skeleton: str
    state: str | None
    sure: bool


class Traveller(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a question says about a person.

    Attributes:
        births: typed and read; each may contradict.
        names: folded.
        indonesian: something says Indonesian: then no answer ever refuses entry (R45).
        proved_foreign: another nationality is positively shown.
    """

    papers: tuple[Paper, ...]
    births: tuple[Birth, ...]
    names: tuple[str, ...]
    nik: str | None
    indonesian: bool
    proved_foreign: bool

    def known_under(self) -> list[str]:
        """The register's keys under which this person may stand."""
        keys = [key for p in self.papers for key in (f"d:{p.number}", f"k:{p.skeleton}")]
        if self.nik:
            keys.append(f"n:{self.nik}")
        if self.births:
            keys += [f"f:{name}"[:200] for name in self.names]
        return keys


class Reason(msgspec.Struct, frozen=True):
    """One piece of evidence: what was compared, what came out, and what it weighs."""

    feature: str
    result: str
    weight: float

    def shown(self) -> dict[str, object]:
        """The reason with its sentences in both languages."""
        text_id, text_en = TEXTS[self.feature, self.result]
        return {
            "feature": self.feature,
            "result": self.result,
            "weight": self.weight,
            "text_id": text_id,
            "text_en": text_en,
        }


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate entry that fits the traveller, and what follows from it.

    Attributes:
        outcome: what this entry alone would answer.
        sighting: the measure does not stop this direction; the owner is told that the person was seen.
    """

    entry_id: str
    version: int
    measure: str
    level: Level
    score: float
    reasons: tuple[Reason, ...]
    outcome: Outcome
    sighting: bool
    boundary_note: str | None


def traveller_of(
    *,
    mrz: Mrz | None,
    document: tuple[str, str | None] | None,
    name: str | None,
    birth: Birth | None,
    nationality: str | None,
    personal_number: str | None,
) -> Traveller:
    """Bring together what was read and what was typed.

    Args:
        mrz: the zone that was read.
        document: number and issuing state that were typed.
        name: a typed name.
        birth: a typed birth date.
        nationality: a typed nationality.
        personal_number: a typed NIK.
    """
    papers: dict[tuple[str, str | None], Paper] = {}
    said = [nationality] if nationality else []
    births = [birth] if birth else []
    spelled = [name] if name else []
    if mrz is not None:
        said += [mrz.nationality, mrz.issuing_state]
        _show(papers, mrz.document_number, mrz.issuing_state or None, sure=all(mrz.check_digits.values()))
        births += [mrz.birth] if mrz.birth else []
        spelled += [mrz.name] if mrz.name else []
    if document is not None:
        number, state = document
        said += [state] if state else []
        _show(papers, number, states.canonical(state) if state else None, sure=True)
    well_formed = personal_number is not None and nik.well_formed(personal_number)
    shown = (nationality, mrz.nationality if mrz else None)
    return Traveller(
        papers=tuple(papers.values()),
        births=tuple(dict.fromkeys(births)),
        names=tuple(dict.fromkeys(folded for folded in map(names.fold, spelled) if folded)),
        nik=documents.normalise(personal_number) if personal_number else None,
        indonesian=well_formed or any(states.canonical(code) == states.INDONESIA for code in said if code),
        proved_foreign=any(states.proves_foreign(states.canonical(code)) for code in shown if code),
    )


def _show(
    papers: dict[tuple[str, str | None], Paper], written: str, state: str | None, *, sure: bool
) -> None:
    number = documents.normalise(written)
    known = papers.get((number, state))
    if number and (known is None or sure):
        papers[number, state] = Paper(number, documents.skeleton(number), state, sure)


def compare(traveller: Traveller, entry: Entry) -> tuple[Level, bool, tuple[Reason, ...]] | None:
    """Whether an entry's subject may be this traveller.

    Returns:
        How sure, whether the law may refuse on it (contract section 5, "What refuses"), and why; None when
        the two have nothing in common that counts.
    """
    births = _births(traveller, entry)
    same_name = _same_name(traveller, entry)
    best: tuple[Level, bool, tuple[Reason, ...]] | None = None
    for found in _evidence(traveller, entry, births, agrees=same_name or births in {"equal", "compatible"}):
        level, refuses, reasons = found
        extra = (*_about_birth(births), *((_NAME_EQUAL,) if same_name else _about_name(traveller)))
        weighed = (level, refuses, (*reasons, *extra))
        if best is None or _rank(weighed) > _rank(best):
            best = weighed
    if best is None and same_name and births in {"equal", "compatible"}:
        best = ("possible", False, (_NAME_EQUAL, *_about_birth(births)))
    if best is None and same_name and births == "unknown" and traveller.births and _is_full_name(entry):
        best = ("possible", False, (_NAME_EQUAL,))
    return best


def _evidence(
    traveller: Traveller, entry: Entry, births: Agreement, *, agrees: bool
) -> Iterable[tuple[Level, bool, tuple[Reason, ...]]]:
    """The cases of the contract's table "What refuses", one candidate document after the other."""
    listed_nik = entry.subject.nik
    if traveller.nik and listed_nik and traveller.nik == documents.normalise(listed_nik):
        yield "exact", births != "contradicts", (_NIK_EQUAL,)
    for paper in traveller.papers:
        for document in entry.subject.documents:
            number = documents.normalise(document.number)
            state = states.canonical(document.issuing_state) if document.issuing_state else None
            differ = state is not None and paper.state is not None and state != paper.state
            if number == paper.number:
                yield from _number_equal(paper, state, births, agrees=agrees, differ=differ)
            elif documents.skeleton(number) == paper.skeleton and (
                agrees or not (differ or births == "contradicts")
            ):
                yield "possible", False, (_SKELETON_EQUAL, *((_STATE_DIFFERS,) if differ else ()))


def _number_equal(
    paper: Paper, state: str | None, births: Agreement, *, agrees: bool, differ: bool
) -> Iterable[tuple[Level, bool, tuple[Reason, ...]]]:
    doubts = () if paper.sure else (_DIGITS_FAIL,)
    if differ:
        if agrees:
            yield "possible", False, (_NUMBER_EQUAL, _STATE_DIFFERS, *doubts)
        return
    if births == "contradicts":
        yield "probable", False, (_NUMBER_EQUAL, _state_reason(paper, state), *doubts)
    elif state is None or paper.state is None:
        level: Level = "exact" if agrees and paper.sure else "probable"
        yield level, level == "exact", (_NUMBER_EQUAL, _STATE_MISSING, *doubts)
    elif paper.sure:
        yield "exact", True, (_NUMBER_EQUAL, _STATE_EQUAL)
    else:
        yield "probable", False, (_NUMBER_EQUAL, _STATE_EQUAL, *doubts)


def _state_reason(paper: Paper, state: str | None) -> Reason:
    return _STATE_MISSING if state is None or paper.state is None else _STATE_EQUAL


def decide(
    direction: Direction, traveller: Traveller, candidates: Sequence[Entry], now: datetime, today: date
) -> list[Match]:
    """What each entry in force means for this traveller in this direction, gravest first (R44).

    Args:
        direction: leaving or entering.
        traveller: who.
        candidates: entries that share a key with the traveller, in whatever state.
        now: the instant of the check.
        today: its legal day, for ages.
    """
    matches = []
    for entry in candidates:
        if not entry.in_force(now):
            continue
        found = compare(traveller, entry)
        if found is None:
            continue
        level, refuses, reasons = found
        outcome, sighting, doubt = _by_the_table(direction, traveller, entry, refuses=refuses, today=today)
        if sighting and level == "possible":
            continue  # too little to tell an owner that the person was seen
        reasons = (*reasons, *((doubt,) if doubt else ()))
        matches.append(
            Match(
                entry_id=entry.id,
                version=entry.version,
                measure=entry.measure.value,
                level=level,
                score=round(min(1.0, max(0.0, sum(reason.weight for reason in reasons))), 2),
                reasons=reasons,
                outcome=outcome,
                sighting=sighting,
                boundary_note=boundary_note(now, entry.in_force_from, entry.in_force_until),
            )
        )
    matches.sort(key=lambda match: (_SEVERITY[match.outcome], match.score), reverse=True)
    return matches


def _by_the_table(  # noqa: PLR0911 - a row of the table each
    direction: Direction, traveller: Traveller, entry: Entry, *, refuses: bool, today: date
) -> tuple[Outcome, bool, Reason | None]:
    """The decision table R44: outcome, whether it is a sighting only, and what held a refusal back."""
    wni = traveller.indonesian or entry.citizenship is Citizenship.WNI
    outcome: Outcome = "refuse" if refuses else "refer"
    if entry.measure is Measure.PREVENTION:
        if direction == "entry":
            return ("clear", True, None) if wni else ("refer", False, None)
    elif direction == "exit":
        return "clear", True, None
    elif wni:
        return "refer", False, _CLAIMS_WNI
    elif not (traveller.proved_foreign and entry.subject.nationalities):
        return "refer", False, _CITIZENSHIP_UNPROVEN
    if outcome == "refuse" and _may_be_a_child(traveller, entry, today):
        return "refer", False, _CHILD
    if outcome == "refuse" and entry.urgent and entry.countersigned_at is None:
        return "refer", False, _NOT_COUNTERSIGNED
    return outcome, False, None


def worst(matches: Iterable[Match]) -> Outcome:
    """The outcome of a check: the gravest of its matches, `clear` without any."""
    return max((match.outcome for match in matches), key=_SEVERITY.__getitem__, default="clear")


def action_on(outcome: Outcome, direction: Direction) -> str:
    """What the counter does."""
    if outcome == "refuse":
        return f"refuse_{direction}"
    return "allow" if outcome == "clear" else "refer_to_supervisor"


def _births(traveller: Traveller, entry: Entry) -> Agreement:
    listed = entry.subject.births
    found = [best_agreement(listed, birth) for birth in traveller.births]
    if not found:
        return "unknown"
    for worse in ("contradicts", "unknown", "compatible"):
        if worse in found:
            return worse
    return "equal"


def _same_name(traveller: Traveller, entry: Entry) -> bool:
    if not traveller.names:
        return False
    subject = entry.subject
    listed = (subject.full_name, *(alias.name for alias in subject.aliases if alias.quality == "good"))
    return any(names.fold(spelling) in traveller.names for spelling in listed)


def _is_full_name(entry: Entry) -> bool:
    return " " in names.fold(entry.subject.full_name)


def _may_be_a_child(traveller: Traveller, entry: Entry, today: date) -> bool:
    births = traveller.births or entry.subject.births
    return any(age_on(birth, today)[0] < ADULT for birth in births)


def _about_birth(births: Agreement) -> tuple[Reason, ...]:
    return () if births == "unknown" else (_BIRTHS[births],)


def _about_name(traveller: Traveller) -> tuple[Reason, ...]:
    return (_NAME_DIFFERS,) if traveller.names else ()


def _rank(found: tuple[Level, bool, tuple[Reason, ...]]) -> tuple[bool, int, float]:
    level, refuses, reasons = found
    return refuses, ("possible", "probable", "exact").index(level), sum(r.weight for r in reasons)


_NUMBER_EQUAL = Reason("document_number", "equal", 0.6)
_SKELETON_EQUAL = Reason("document_number", "confusable", 0.3)
_STATE_EQUAL = Reason("issuing_state", "equal", 0.25)
_STATE_MISSING = Reason("issuing_state", "missing", 0.0)
_STATE_DIFFERS = Reason("issuing_state", "different", -0.3)
_NIK_EQUAL = Reason("nik", "equal", 0.9)
_DIGITS_FAIL = Reason("check_digits", "failed", -0.2)
_NAME_EQUAL = Reason("name", "equal", 0.15)
_NAME_DIFFERS = Reason("name", "different", -0.03)
_BIRTHS = {
    "equal": Reason("birth_date", "equal", 0.15),
    "compatible": Reason("birth_date", "compatible", 0.08),
    "contradicts": Reason("birth_date", "contradicts", -0.3),
}
_CITIZENSHIP_UNPROVEN = Reason("citizenship", "citizenship_unproven", 0.0)
_CLAIMS_WNI = Reason("citizenship", "claims_wni", 0.0)
_CHILD = Reason("age", "under_18", 0.0)
_NOT_COUNTERSIGNED = Reason("entry", "not_countersigned", 0.0)
