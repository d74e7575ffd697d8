"""The law's rules for amendments (R22-R24, R36, R37, R40). No I/O; a broken rule raises an error."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from app.errors import CekalError, ExtensionLate, Fault, Invalid, PeriodTooLong, WrongState
from app.kit.clock import legal_day
from app.register.amendments.domain import BY_JUDGMENT, AmendmentKind, Correction, Effect, Extension
from app.register.amendments.requested import RequestedAmendment, RequestedCorrection
from app.register.entries.domain import Entry, EntryWarning, Measure
from app.register.entries.law import periods
from app.register.entries.law.deadlines import EXTENSION_DAYS, extend_by
from app.register.entries.law.judging import judge
from app.register.entries.law.period import exhausted
from app.register.entries.law.request import Owner, Policy, Request
from app.register.entries.references import folded
from app.register.entries.subjects import Alias, Photo, Subject

_PARTS: Final = {
    AmendmentKind.EXTENSION: "extension",
    AmendmentKind.CORRECTION: "correction",
    AmendmentKind.REVOCATION: "revocation",
    AmendmentKind.ACQUITTAL: "judgment",
    AmendmentKind.ANNULMENT: "judgment",
}


def well_formed(requested: RequestedAmendment, entry: Entry, today: date, *, own: bool) -> None:
    """Raise `Invalid` unless the request has the part for its kind and no other, and this part fits the entry.

    Args:
        requested: the requested amendment.
        entry: the current entry.
        today: the legal day.
        own: whether the entry's owner files it. If so, the number that a revocation refers to must be that of a letter
            of this entry. If not, it may be any number, an annulment may consist of a letter alone, a judgment must
            come with its document, and no seal can be requested.

    Raises:
        Invalid: the request has faults; the error lists all of them.
    """
    faults = [*_parts(requested, own=own), *_days(requested, today), *_judgment(requested, entry, own=own)]
    faults += _seal(requested, own=own)
    if requested.kind is AmendmentKind.REVOCATION and own:
        faults += _refers(requested, entry)
    if requested.judgment is not None and requested.kind in BY_JUDGMENT:
        faults += _same_case("/judgment/case_reference", requested.judgment.case_reference, entry)
    if requested.extension is not None and requested.kind is AmendmentKind.EXTENSION:
        faults += _same_case(
            "/extension/basis/case_reference", requested.extension.basis.case_reference, entry
        )
    if faults:
        raise Invalid(faults[0].detail, faults=faults)


def is_question(requested: RequestedAmendment, *, own: bool) -> bool:
    """Return whether the amendment is only a question to the owner, which changes nothing (`referred`).

    A letter from a body that does not own the entry is a question, unless it comes with a judgment or with `grounds` (a
    granted objection or correction request). An acquittal of only some charges is a question too, even if the owner
    files it: the owner must decide whether the other charges justify the measure. `own` says whether the entry's owner
    files the amendment.
    """
    if requested.kind is AmendmentKind.ACQUITTAL:
        return requested.judgment is not None and requested.judgment.all_charges is False
    if requested.kind is AmendmentKind.ANNULMENT:
        return not own and requested.judgment is None and requested.grounds is None
    return requested.kind is AmendmentKind.REVOCATION and not own


def _parts(requested: RequestedAmendment, *, own: bool) -> Iterator[Fault]:
    given = {
        "extension": requested.extension,
        "correction": requested.correction,
        "revocation": requested.refers_to_number,
        "judgment": requested.judgment,
    }
    part_name = _PARTS[requested.kind]
    for name, part in given.items():
        if part is not None and name != part_name:
            yield Fault(f"/{name}", "other_kind", f"`{name}` is no part of the kind {requested.kind.value}.")
    annulment = requested.kind is AmendmentKind.ANNULMENT
    if requested.grounds is not None and not annulment:
        yield Fault("/grounds", "other_kind", f"`grounds` are no part of the kind {requested.kind.value}.")
    elif requested.grounds is not None and requested.judgment is not None:
        yield Fault(
            "/grounds", "contradiction", "An annulment rests on a judgment or on `grounds`, not on both."
        )
    # An annulment may also be based on a granted objection or correction request; another body's letter is a question.
    otherwise = annulment and (requested.grounds is not None or (not own and requested.letter is not None))
    if given[part_name] is None and not otherwise:
        yield Fault(f"/{part_name}", "required", f"The kind {requested.kind.value} needs its `{part_name}`.")
    if requested.kind is AmendmentKind.REVOCATION and requested.letter is None:
        yield Fault("/letter", "required", "A revocation rests on a letter of the owner (R36).")


def _seal(requested: RequestedAmendment, *, own: bool) -> Iterator[Fault]:
    if requested.sealed_for is not None and not own:
        yield Fault("/sealed_for", "owner_only", "Only its owner seals an entry by what it files (R61).")


def _days(requested: RequestedAmendment, today: date) -> Iterator[Fault]:
    for pointer, day in requested.days_not_in_future:
        if day > today:
            yield Fault(pointer, "future", "This day is in the future.")
    judgment = requested.judgment
    if judgment is not None and judgment.final_on is not None and judgment.final_on < judgment.decided_on:
        yield Fault("/judgment/final_on", "order", "A judgment becomes final after it was given.")


def _judgment(requested: RequestedAmendment, entry: Entry, *, own: bool) -> Iterator[Fault]:
    """Yield the faults of a judgment (UU 6/2011 art. 97(3); KUHAP art. 163; R37, R67)."""
    judgment = requested.judgment
    if requested.kind is AmendmentKind.ACQUITTAL and entry.measure is not Measure.PREVENTION:
        yield Fault("/kind", "prevention_only", "An acquittal ends exit bans only (UU 6/2011 art. 97(3)).")
    if judgment is None or requested.kind not in BY_JUDGMENT:
        return
    if requested.kind is AmendmentKind.ACQUITTAL and judgment.all_charges is None:
        detail = "Say whether the judgment acquits of every charge of the case."
        yield Fault("/judgment/all_charges", "required", detail)
    if judgment.effect is Effect.IMMEDIATE:
        if requested.kind is not AmendmentKind.ANNULMENT:
            yield Fault("/judgment/effect", "final_only", "An acquittal ends a measure once it is final.")
        if judgment.final_on is not None:
            detail = "A judgment that works at once is not final yet."
            yield Fault("/judgment/final_on", "must_be_null", detail)
    elif judgment.final_on is None:
        yield Fault("/judgment/final_on", "required", "The day on which the judgment became final is needed.")
    if not own and (judgment.sha256 is None or requested.document is None):
        detail = "The judgment itself is attached by who does not own the entry, with its `sha256`."
        yield Fault("/judgment/attachment", "required", detail)


def _refers(requested: RequestedAmendment, entry: Entry) -> Iterator[Fault]:
    numbers = [entry.basis.number, entry.extended_by.number if entry.extended_by else None]
    numbers.append(entry.letter.number if entry.letter else None)
    known = {folded(number) for number in numbers if number is not None}
    if requested.refers_to_number is not None and folded(requested.refers_to_number) not in known:
        detail = "A revocation refers to the number of the owner's own decision, order or request (R36)."
        yield Fault("/revocation/refers_to_number", "other_letter", detail)


def _same_case(pointer: str, reference: str, entry: Entry) -> Iterator[Fault]:
    if folded(reference) != folded(entry.basis.case_reference):
        detail = "It must be the case that was the reason of the measure (UU 6/2011 art. 97(3); R37)."
        yield Fault(pointer, "other_case", detail)


def decide_by(
    kind: AmendmentKind, received_at: datetime, within: timedelta, ends_on: date | None
) -> datetime:
    """Return the last instant to decide on an amendment: the end of the last day of its term.

    An extension is due at the latest three days before the measure's last day, because later none may arrive (R23). An
    acquittal is due at once, at `received_at`, because an innocent person is banned until then (R67).

    Args:
        kind: the kind of amendment.
        received_at: when the amendment reached the register.
        within: the term set by the deployment, because the law sets none.
        ends_on: the entry's last day; None for life.
    """
    if kind is AmendmentKind.ACQUITTAL:
        return received_at
    due_at = periods.last_second(legal_day(received_at) + within)
    if kind is AmendmentKind.EXTENSION and ends_on is not None:
        return min(due_at, extend_by(ends_on))
    return due_at


def judge_extension(
    extension: Extension, entry: Entry, owner: Owner, policy: Policy, now: datetime, most: int
) -> tuple[EntryWarning, ...]:
    """Return the warnings about a requested extension; raise an error if a rule of law forbids it.

    Args:
        extension: the requested extension.
        entry: the current entry.
        owner: the entry's owner.
        policy: the deployment's choices.
        now: when the request reached the register, which is its delivery (R23).
        most: maximum number of extensions of this measure.

    Raises:
        WrongState: the entry is urgent, or the measure is for life.
        ExtensionExhausted: the entry has been extended `most` times (R22).
        ExtensionLate: it arrives later than three days before the measure's last day (R23).
        CekalError: another rule of law forbids it (see `law.judge`); the error's JSON pointers begin with
            `/extension`.
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
    requested: RequestedCorrection, entry: Entry, owner: Owner, policy: Policy, today: date
) -> tuple[Correction, tuple[EntryWarning, ...]]:
    """Return a correction in the form to be applied, and warnings; raise an error if a rule forbids it (R40).

    The corrected entry must obey the rules of law for a new entry, except those about its period.

    Args:
        requested: the requested correction.
        entry: the current entry.
        owner: the entry's owner.
        policy: the deployment's choices.
        today: the legal day.

    Returns:
        The correction, in which the entry's earlier names are aliases unless withdrawn; and the warnings.

    Raises:
        Invalid: nothing would change, a withdrawn name is not one of the entry's, or a new last day is in the past or
            not earlier.
        WrongState: a new last day is requested for an urgent entry.
        PeriodTooLong: a ban for life would get a last day more than ten years after its first day.
        CekalError: a rule of law forbids the corrected entry (see `law.judge`); the error's JSON pointers begin with
            `/correction`.
    """
    _refuse_unknown_names(requested.withdrawn_names, entry)
    subject = entry.subject
    if requested.subject is not None:
        photo = (
            Photo(requested.photo.sha256, requested.photo.media_type)
            if requested.photo
            else entry.subject.photo
        )
        subject = msgspec.structs.replace(requested.subject, photo=photo)
        earlier = (Alias(entry.subject.full_name), *entry.subject.aliases)
        subject = subject.with_former_names(earlier, withdrawn=requested.withdrawn_names)
    basis = requested.basis or entry.basis
    if requested.ends_on is not None:
        _refuse_longer(requested.ends_on, entry, policy, today)
    if subject == entry.subject and basis == entry.basis and requested.ends_on is None:
        fault = Fault("/correction", "no_change", "The correction changes nothing.")
        raise Invalid(fault.detail, faults=[fault])
    unknown = requested.unknown if requested.unknown is not None else _still_unknown(entry, subject)
    loss = subject.citizenship_loss
    request = Request(
        measure=entry.measure,
        subject=subject,
        has_photo=subject.photo is not None,
        has_loss_document=requested.loss_document is not None or loss == entry.subject.citizenship_loss,
        basis=basis,
        starts_on=entry.starts_on,
        ends_on=requested.ends_on or entry.ends_on,
        lifetime=entry.lifetime and requested.ends_on is None,
        unknown=unknown,
        origin="correction",
        photo_optional=entry.subject.photo is None,
        notices=requested.notices,
    )
    warnings = _judged(request, owner, policy, today, "/correction")
    changed = Correction(
        subject if requested.subject is not None else None,
        requested.basis,
        unknown,
        requested.ends_on,
        other_subject=not entry.subject.same_person(subject),
    )
    return changed, warnings


def _refuse_longer(ends_on: date, entry: Entry, policy: Policy, today: date) -> None:
    """Raise an error unless a corrected last day shortens the period, or limits a ban for life to ten years.

    Raises:
        WrongState: the entry is urgent; the law fixes its twenty days.
        Invalid: the day is not earlier, or is in the past.
        PeriodTooLong: more than ten years from the first day of a ban for life.
    """
    pointer = "/correction/ends_on"
    if entry.urgent:
        raise WrongState(
            "An urgent entry's last day is the law's (Permenimipas 13/2025 art. 9(5)); revoke it."
        )
    if ends_on < max(today, entry.starts_on):
        fault = Fault(pointer, "past", "The last day is before today, or before the first.")
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


def _judged(
    request: Request, owner: Owner, policy: Policy, today: date, part: str
) -> tuple[EntryWarning, ...]:
    try:
        found = judge(request, owner, policy, today)
    except CekalError as error:
        raise error.under(part) from None
    return tuple(EntryWarning(each.code, part + each.pointer, each.detail) for each in found)
