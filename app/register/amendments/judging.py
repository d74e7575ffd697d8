"""Judging an amendment: each kind has rules of law, and its dossier may bar it."""

from dataclasses import replace
from typing import assert_never

import msgspec

from app.access.clients.service import find_place
from app.access.domain import Agency
from app.db.unit import Unit
from app.errors import CekalError, ExtensionLate, WrongState
from app.kit.clock import legal_day
from app.register.amendments import rules
from app.register.amendments.domain import Amendment, AmendmentKind, Correction, Extension
from app.register.amendments.requested import RequestedAmendment, RequestedCorrection
from app.register.entries import store as entry_store
from app.register.entries.domain import Entry, EntryWarning
from app.register.entries.dossiers import dossier_of
from app.register.entries.drafting import owner_of, policy_of
from app.register.entries.law.deadlines import Terms
from app.register.entries.law.request import Owner
from app.register.entries.merging import merged
from app.register.entries.ports import CountTravellers
from app.register.entries.proposal import Proposal
from app.register.entries.references import folded
from app.register.entries.requested import RequestedMeasure
from app.settings import Settings


async def judged(
    unit: Unit,
    amendment: Amendment,
    requested: RequestedAmendment,
    entry: Entry,
    settings: Settings,
    count: CountTravellers | None = None,
) -> Amendment:
    """Return a new amendment with its warnings; raise an error if the law or another entry of the case forbids it.

    Only extensions and corrections are judged; other kinds are returned unchanged. The result has a correction in the
    form in which it will be applied.

    Args:
        unit: the transaction, which holds the entry's lock.
        amendment: the new amendment, not yet stored.
        requested: the request for the amendment.
        entry: the current entry.
        settings: the deployment's choices.
        count: counts the travellers that a corrected entry would have stopped; with None they are not counted.

    Raises:
        ClockInDoubt: an extension seems to be late, but the clock is not plausible.
        CekalError: a rule of law forbids the amendment (see `rules`). Or the entry's case is closed, the case has used
            all its periods, or the corrected entry would repeat another one (see `Dossier.refuse`).
    """
    match requested.kind:
        case AmendmentKind.EXTENSION:
            return await _extension(unit, amendment, entry, settings)
        case AmendmentKind.CORRECTION:
            assert requested.correction is not None, "the rules of the kind require it"
            corrected = await _correction(unit, amendment, requested.correction, entry, settings)
            named = corrected.correction.subject if corrected.correction is not None else None
            if count is None or named is None:
                return corrected
            return corrected.with_breadth(await count(entry.measure, named))
        case AmendmentKind.REVOCATION | AmendmentKind.ACQUITTAL | AmendmentKind.ANNULMENT:
            return amendment
    assert_never(requested.kind)


async def _extension(unit: Unit, amendment: Amendment, entry: Entry, settings: Settings) -> Amendment:
    extension = amendment.extension
    assert extension is not None, "the rules of the kind require it"
    owner, policy = await owner_of(unit), policy_of(settings)
    terms = Terms.of(settings)
    most = terms.extensions(entry.measure)
    try:
        warnings = rules.judge_extension(extension, entry, owner, policy, unit.now, most)
    except ExtensionLate:
        unit.expect_plausible()  # it may be late only because the clock is wrong
        raise
    requested = RequestedMeasure(
        measure=entry.measure,
        subject=entry.subject,
        photo=None,
        basis=extension.basis,
        starts_on=entry.starts_on,
        ends_on=extension.ends_on,
    )
    dossier = await dossier_of(unit, owner.code, requested, entry)
    exempt = dossier.exempt(entry, urgent=False)
    proposal = replace(
        Proposal.of_requested(requested, unit.now, exempt), extension_count=entry.extension_count + 1
    )
    similar = dossier.refuse(proposal, terms)
    return msgspec.structs.replace(amendment, warnings=(*warnings, *similar))


async def _correction(
    unit: Unit, amendment: Amendment, requested: RequestedCorrection, entry: Entry, settings: Settings
) -> Amendment:
    owner, policy = await owner_of(unit), policy_of(settings)
    correction, warnings = rules.judge_correction(requested, entry, owner, policy, legal_day(unit.now))
    similar = await refuse_corrected(unit, entry, correction, Terms.of(settings))
    return msgspec.structs.replace(amendment, correction=correction, warnings=(*warnings, *similar))


async def refuse_corrected(
    unit: Unit, entry: Entry, correction: Correction, terms: Terms
) -> list[EntryWarning]:
    """Raise an error if the corrected entry would belong to a closed case, or repeat another entry (R14, R15, R22).

    A correction that moves the entry to another case or person also moves the running entries with the same case,
    person and measure. So each of these is judged too. Returns the warnings about the corrected entry.

    Args:
        unit: the transaction, which holds the lock of the entry's owner.
        entry: the current entry.
        correction: the requested new content.
        terms: the deployment's legal limits, such as the number of extensions.

    Raises:
        CekalError: the corrected entry or one of the linked entries is refused; `Dossier.refuse` has the errors.
    """
    subject, basis = correction.subject or entry.subject, correction.basis or entry.basis
    corrected = RequestedMeasure(
        measure=entry.measure,
        subject=subject,
        photo=None,
        basis=basis,
        starts_on=entry.starts_on,
        ends_on=correction.ends_on or entry.ends_on,
        lifetime=entry.lifetime and correction.ends_on is None,
    )
    dossier = await dossier_of(unit, entry.agency, corrected, entry)
    joins = folded(basis.case_reference) != folded(entry.basis.case_reference) or correction.other_subject
    proposal = replace(
        Proposal.of_requested(corrected, unit.now, dossier.exempt(entry, urgent=entry.urgent)),
        urgent=entry.urgent,
        extension_count=entry.extension_count,
        periods_count=joins,
    )
    warnings = dossier.refuse(proposal, terms)
    siblings = dossier.siblings(entry) if joins else ()
    together = {each.id for each in siblings}
    for sibling in siblings:
        dossier.refuse(proposal.at_the_time_of(sibling, together), terms)
    return warnings


async def judged_again(unit: Unit, amendment: Amendment, entry: Entry, settings: Settings) -> Amendment:
    """Judge an approved extension or correction against the entry as it is now, and return it as it is to be applied.

    An extension is returned unchanged. If the entry has changed since the extension was filed, the extension is judged
    again, by the law of the day on which it arrived (R14, R22-R24). A correction is adjusted to other corrections since
    its filing, and is always judged again. The requested last day must not be over, and must replace the last day that
    its author had read.

    Args:
        unit: the transaction, which holds the lock of the entry's owner.
        amendment: the amendment.
        entry: the current entry.
        settings: the deployment's choices.

    Raises:
        WrongState: the requested last day is over; another amendment has changed what this one changes too (`differs`
            names the members); or a rule of law forbids the extension of the corrected entry.
        CekalError: the corrected entry is refused (see `refuse_corrected`).
    """
    if amendment.extension is not None:
        await _extended_again(unit, amendment, amendment.extension, entry, settings)
        return amendment
    correction = await _rebased(unit, amendment, entry)
    await refuse_corrected(unit, entry, correction, Terms.of(settings))
    if correction.ends_on is not None and correction.ends_on < legal_day(unit.now):
        raise WrongState("The last day that was asked for is over; revoke the entry instead.")
    return msgspec.structs.replace(amendment, correction=correction)


async def _extended_again(
    unit: Unit, amendment: Amendment, extension: Extension, entry: Entry, settings: Settings
) -> None:
    if extension.ends_on < legal_day(unit.now):
        raise WrongState("The last day of the extension is over; the measure has ended by law.")
    if entry.version == amendment.entry_version:
        return
    if not await continues(unit, amendment, entry):
        raise _overtaken(("/ends_on",))
    agency = await find_place(unit, Agency, entry.agency)
    assert agency is not None, "an entry has an owner"
    owner, policy, at = Owner.of(agency), policy_of(settings), amendment.received_at
    try:
        rules.judge_extension(
            extension, entry, owner, policy, at, Terms.of(settings).extensions(entry.measure)
        )
    except CekalError as error:
        raise WrongState(f"The extension is not lawful for the corrected entry: {error.detail}") from None


async def continues(unit: Unit, extension: Amendment, entry: Entry) -> bool:
    """Return whether an extension follows the entry's present last day; False if that has changed since its filing."""
    return (await _as_read(unit, extension, entry)).ends_on == entry.ends_on


async def _rebased(unit: Unit, amendment: Amendment, entry: Entry) -> Correction:
    """Return the correction, adjusted to what other amendments have changed in its entry since it was filed.

    Members that it does not change itself keep their current content.
    """
    correction = amendment.correction
    assert correction is not None, "only extensions and corrections are judged"
    if entry.version == amendment.entry_version:
        return correction
    base = await _as_read(unit, amendment, entry)
    subject, differs = correction.subject, tuple[str, ...]()
    if subject is not None:
        subject, differs = merged(base.subject, subject, entry.subject)
    if correction.basis is not None and entry.basis not in {base.basis, correction.basis}:
        differs = (*differs, "/basis")
    if correction.ends_on is not None and entry.ends_on != base.ends_on:
        differs = (*differs, "/ends_on")
    if differs:
        raise _overtaken(differs)
    return msgspec.structs.replace(correction, subject=subject)


async def _as_read(unit: Unit, amendment: Amendment, entry: Entry) -> Entry:
    """Return the version of the entry that the author of the amendment had read."""
    versions = (await entry_store.list_versions(unit, [entry.id]))[entry.id]
    return next(each for each in versions if each.version == amendment.entry_version)


def _overtaken(differs: tuple[str, ...]) -> WrongState:
    return WrongState(
        "Another amendment has changed the same since this one was filed; return it, so that its owner decides.",
        extra={"differs": list(differs)},
    )
