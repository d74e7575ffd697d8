"""What the law demands of an amendment (R22-R24, R36, R37, R40); pure, but for the errors that say so."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from app.amendments.domain import BY_JUDGMENT, AmendmentKind, Correction, Effect, Extension
from app.amendments.effects import known_as
from app.amendments.wanted import AmendmentWanted, CorrectionWanted
from app.entries import periods
from app.entries.deadlines import EXTENSION_DAYS
from app.entries.domain import Entry, Measure, Notice
from app.entries.law import Owner, Policy, Request, exhausted, judge
from app.entries.references import folded
from app.entries.subjects import Photo, Subject
from app.errors import CekalError, ExtensionLate, Fault, Invalid, PeriodTooLong, WrongState
from app.kit.clock import legal_day

_PARTS: Final = {
    AmendmentKind.EXTENSION: "extension",
    AmendmentKind.CORRECTION: "correction",
    AmendmentKind.REVOCATION: "revocation",
    AmendmentKind.ACQUITTAL: "judgment",
    AmendmentKind.ANNULMENT: "judgment",
}


def well_formed(wanted: AmendmentWanted, entry: Entry, today: date, *, own: bool) -> None:
    """Make sure that the part of its kind is there and no other, and that it speaks of this entry.

    Args:
        wanted: what is asked.
        entry: the entry as it stands.
        today: the legal day.
        own: whether the owner asks; another body's letter need not know the owner's number, but its judgment is
            attached.

    Raises:
        Invalid: with every fault.
    """
    faults = [*_parts(wanted, own=own), *_days(wanted, today), *_judgment(wanted, entry, own=own)]
    faults += _seal(wanted, own=own)
    if wanted.kind is AmendmentKind.REVOCATION and own:
        faults += _refers(wanted, entry)
    if wanted.judgment is not None and wanted.kind in BY_JUDGMENT:
        faults += _same_case("/judgment/case_reference", wanted.judgment.case_reference, entry)
    if wanted.extension is not None and wanted.kind is AmendmentKind.EXTENSION:
        faults += _same_case("/extension/basis/case_reference", wanted.extension.basis.case_reference, entry)
    if faults:
        raise Invalid(faults[0].detail, faults=faults)


def is_question(wanted: AmendmentWanted, *, own: bool) -> bool:
    """Whether it is only a question to the owner, which changes nothing.

    Another body's letter is one, and so is an acquittal of some charges: whether the measure rests on the others is
    for its owner to say.
    """
    if wanted.kind is AmendmentKind.ACQUITTAL:
        return wanted.judgment is not None and wanted.judgment.all_charges is False
    if wanted.kind is AmendmentKind.ANNULMENT:
        return not own and wanted.judgment is None and wanted.grounds is None
    return wanted.kind is AmendmentKind.REVOCATION and not own


def _parts(wanted: AmendmentWanted, *, own: bool) -> Iterator[Fault]:
    given = {
        "extension": wanted.extension,
        "correction": wanted.correction,
        "revocation": wanted.refers_to_number,
        "judgment": wanted.judgment,
    }
    part_name = _PARTS[wanted.kind]
    for name, part in given.items():
        if part is not None and name != part_name:
            yield Fault(f"/{name}", "other_kind", f"`{name}` is no part of the kind {wanted.kind.value}.")
    annulment = wanted.kind is AmendmentKind.ANNULMENT
    if wanted.grounds is not None and not annulment:
        yield Fault("/grounds", "other_kind", f"`grounds` are no part of the kind {wanted.kind.value}.")
    elif wanted.grounds is not None and wanted.judgment is not None:
        yield Fault(
            "/grounds", "contradiction", "An annulment rests on a judgment or on `grounds`, not on both."
        )
    # An annulment may also rest on a granted objection or correction request; another body's letter is a question.
    otherwise = annulment and (wanted.grounds is not None or (not own and wanted.letter is not None))
    if given[part_name] is None and not otherwise:
        yield Fault(f"/{part_name}", "required", f"The kind {wanted.kind.value} needs its `{part_name}`.")
    if wanted.kind is AmendmentKind.REVOCATION and wanted.letter is None:
        yield Fault("/letter", "required", "A revocation rests on a letter of the owner (R36).")


def _seal(wanted: AmendmentWanted, *, own: bool) -> Iterator[Fault]:
    if wanted.sealed_for is not None and not own:
        yield Fault("/sealed_for", "owner_only", "Only its owner seals an entry by what it files (R61).")


def _days(wanted: AmendmentWanted, today: date) -> Iterator[Fault]:
    for pointer, day in wanted.today_at_least:
        if day > today:
            yield Fault(pointer, "future", "This day lies in the future.")
    judgment = wanted.judgment
    if judgment is not None and judgment.final_on is not None and judgment.final_on < judgment.decided_on:
        yield Fault("/judgment/final_on", "order", "A judgment becomes final after it was given.")


def _judgment(wanted: AmendmentWanted, entry: Entry, *, own: bool) -> Iterator[Fault]:
    """What the law demands of a judgment (UU 6/2011 art. 97(3); KUHAP art. 163; R37, R67)."""
    judgment = wanted.judgment
    if wanted.kind is AmendmentKind.ACQUITTAL and entry.measure is not Measure.PREVENTION:
        yield Fault("/kind", "prevention_only", "An acquittal ends exit bans only (UU 6/2011 art. 97(3)).")
    if judgment is None or wanted.kind not in BY_JUDGMENT:
        return
    if wanted.kind is AmendmentKind.ACQUITTAL and judgment.all_charges is None:
        detail = "Say whether the judgment acquits of every charge of the case."
        yield Fault("/judgment/all_charges", "required", detail)
    if judgment.effect is Effect.IMMEDIATE:
        if wanted.kind is not AmendmentKind.ANNULMENT:
            yield Fault("/judgment/effect", "final_only", "An acquittal ends a measure once it is final.")
        if judgment.final_on is not None:
            detail = "A judgment that works at once is not final yet."
            yield Fault("/judgment/final_on", "must_be_null", detail)
    elif judgment.final_on is None:
        yield Fault("/judgment/final_on", "required", "The day on which the judgment became final is needed.")
    if not own and (judgment.sha256 is None or wanted.document is None):
        detail = "The judgment itself is attached by who does not own the entry, with its `sha256`."
        yield Fault("/judgment/attachment", "required", detail)


def _refers(wanted: AmendmentWanted, entry: Entry) -> Iterator[Fault]:
    numbers = [entry.basis.number, entry.extended_by.number if entry.extended_by else None]
    numbers.append(entry.letter.number if entry.letter else None)
    known = {folded(number) for number in numbers if number is not None}
    if wanted.refers_to_number is not None and folded(wanted.refers_to_number) not in known:
        detail = "A revocation refers to the number of the owner's own decision, order or request (R36)."
        yield Fault("/revocation/refers_to_number", "other_letter", detail)


def _same_case(pointer: str, reference: str, entry: Entry) -> Iterator[Fault]:
    if folded(reference) != folded(entry.basis.case_reference):
        detail = "It must be the case that was the reason of the measure (UU 6/2011 art. 97(3); R37)."
        yield Fault(pointer, "other_case", detail)


def judge_extension(
    extension: Extension, entry: Entry, owner: Owner, policy: Policy, now: datetime, most: int
) -> tuple[Notice, ...]:
    """Judge an extension: once, in time, right behind its period and at most as long as the law allows.

    Args:
        extension: what is asked.
        entry: the entry as it stands.
        owner: its owner.
        policy: the deployment's choices.
        now: when it reached the register, which is its delivery (R23).
        most: how often this measure may be extended.

    Raises:
        ExtensionExhausted, ExtensionLate: R22, R23.
        WrongState: an urgent entry, or a measure for life.
        CekalError: as `law.judge`, with pointers into the amendment.
    """
    if entry.urgent:
        raise WrongState("An urgent entry can't be extended (Permenimipas 13/2025 art. 9(5)); formalise it.")
    if entry.ends_on is None:
        raise WrongState("A measure for life has no end that could be extended (UU 6/2011 art. 102(3)).")
    if entry.extension_count >= most:
        raise exhausted(entry.measure)
    closes_on = entry.ends_on - timedelta(days=EXTENSION_DAYS)
    if periods.over_at(closes_on) <= now:
        raise ExtensionLate(
            f"It had to arrive by {closes_on} 23:59:59 WIB, three days before the end (Permenimipas 13/2025 art. "
            f"13(5)-(6)); the measure ends on {entry.ends_on} by law."
        )
    request = Request(
        measure=entry.measure,
        subject=entry.subject,
        has_photo=entry.subject.photo is not None,
        basis=extension.basis,
        starts_on=entry.ends_on + timedelta(days=1),
        ends_on=extension.ends_on,
        lifetime=False,
        unknown=entry.unknown,
        origin="extension",
        has_loss_document=True,
        extends=(entry.basis, *((entry.extended_by,) if entry.extended_by else ())),
    )
    return _judged(request, owner, policy, legal_day(now), "/extension")


def judge_correction(
    wanted: CorrectionWanted, entry: Entry, owner: Owner, policy: Policy, today: date
) -> tuple[Correction, tuple[Notice, ...]]:
    """Judge a correction: the corrected entry must be as lawful as a new one, its period apart (R40).

    Returns:
        The correction as it will be applied, earlier spellings kept as aliases, and the warnings.

    Raises:
        Invalid: nothing would change, or a withdrawn name is not one of the entry's.
        CekalError: as `law.judge`, with pointers into the amendment.
    """
    _refuse_unknown_names(wanted.withdrawn_names, entry)
    subject = entry.subject
    if wanted.subject is not None:
        photo = Photo(wanted.photo.sha256, wanted.photo.media_type) if wanted.photo else entry.subject.photo
        subject = msgspec.structs.replace(wanted.subject, photo=photo)
        subject = known_as(subject, entry.subject, wanted.withdrawn_names)
    basis = wanted.basis or entry.basis
    if wanted.ends_on is not None:
        _refuse_longer(wanted.ends_on, entry, policy, today)
    if subject == entry.subject and basis == entry.basis and wanted.ends_on is None:
        fault = Fault("/correction", "no_change", "The correction changes nothing.")
        raise Invalid(fault.detail, faults=[fault])
    unknown = wanted.unknown if wanted.unknown is not None else _still_unknown(entry, subject)
    loss = subject.citizenship_loss
    request = Request(
        measure=entry.measure,
        subject=subject,
        has_photo=subject.photo is not None,
        has_loss_document=wanted.loss_document is not None or loss == entry.subject.citizenship_loss,
        basis=basis,
        starts_on=entry.starts_on,
        ends_on=wanted.ends_on or entry.ends_on,
        lifetime=entry.lifetime and wanted.ends_on is None,
        unknown=unknown,
        origin="correction",
        photo_optional=entry.subject.photo is None,
    )
    warnings = _judged(request, owner, policy, today, "/correction")
    changed = Correction(
        subject if wanted.subject is not None else None,
        wanted.basis,
        unknown,
        wanted.ends_on,
        other_subject=not entry.subject.same_person(subject),
    )
    return changed, warnings


def _refuse_longer(ends_on: date, entry: Entry, policy: Policy, today: date) -> None:
    """A wrong period is mended downwards only: to an earlier last day, and a ban for life to at most ten years.

    Raises:
        WrongState: an urgent entry, whose twenty days are the law's.
        Invalid: the day is not earlier, or lies in the past.
        PeriodTooLong: more than ten years from the first day of a ban for life.
    """
    pointer = "/correction/ends_on"
    if entry.urgent:
        raise WrongState(
            "An urgent entry's last day is the law's (Permenimipas 13/2025 art. 9(5)); revoke it."
        )
    if ends_on < max(today, entry.starts_on):
        fault = Fault(pointer, "past", "The last day lies before today, or before the first.")
        raise Invalid(fault.detail, faults=[fault])
    if entry.ends_on is not None and ends_on >= entry.ends_on:
        detail = (
            f"A correction makes the period shorter: before {entry.ends_on}. Ask for an extension otherwise."
        )
        raise Invalid(
            "A correction never makes a period longer.", faults=[Fault(pointer, "not_earlier", detail)]
        )
    if entry.ends_on is None:
        last = periods.last_day_allowed(entry.starts_on, periods.DETERRENCE_MONTHS, policy.month_convention)
        if ends_on > last:
            detail = f"At most ten years from its first day: until {last} (UU 6/2011 art. 102(1))."
            raise PeriodTooLong(detail, faults=[Fault(pointer, "too_long", detail)])


def _refuse_unknown_names(withdrawn: tuple[str, ...], entry: Entry) -> None:
    spellings = (entry.subject.full_name, *(alias.name for alias in entry.subject.aliases))
    known = {name.casefold() for name in spellings}
    faults = [
        Fault(f"/correction/withdrawn_names/{i}", "unknown", "The entry does not know this name.")
        for i, name in enumerate(withdrawn)
        if name.casefold() not in known
    ]
    if faults:
        raise Invalid(faults[0].detail, faults=faults)


def _still_unknown(entry: Entry, subject: Subject) -> tuple[str, ...]:
    return tuple(member for member in entry.unknown if not getattr(subject, member))


def _judged(request: Request, owner: Owner, policy: Policy, today: date, part: str) -> tuple[Notice, ...]:
    try:
        found = judge(request, owner, policy, today)
    except CekalError as error:
        raise error.under(part) from None
    return tuple(Notice(each.code, part + each.pointer, each.detail) for each in found)
