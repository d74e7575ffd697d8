"""Whether the law and the dossier let an amendment be asked for; each kind has its rules."""

from dataclasses import replace
from typing import assert_never

import msgspec

from app.amendments import rules
from app.amendments.domain import Amendment, AmendmentKind, Correction
from app.amendments.wanted import AmendmentWanted, CorrectionWanted
from app.db.unit import Unit
from app.entries.deadlines import Terms
from app.entries.domain import Entry, Notice
from app.entries.dossiers import around
from app.entries.drafting import owner_of, policy_of
from app.entries.proposal import Proposal
from app.entries.references import folded
from app.entries.wanted import Wanted
from app.kit.clock import legal_day
from app.settings import Settings


async def judged(
    unit: Unit, amendment: Amendment, wanted: AmendmentWanted, entry: Entry, settings: Settings
) -> Amendment:
    """The amendment with what its correction comes to, and with every warning.

    Raises:
        CekalError: as the rules of its kind, and as `Dossier.refuse`.
    """
    match wanted.kind:
        case AmendmentKind.EXTENSION:
            return await _extension(unit, amendment, entry, settings)
        case AmendmentKind.CORRECTION:
            assert wanted.correction is not None, "its part was found to be there"
            return await _correction(unit, amendment, wanted.correction, entry, settings)
        case AmendmentKind.REVOCATION | AmendmentKind.ACQUITTAL | AmendmentKind.ANNULMENT:
            return amendment
    assert_never(wanted.kind)


async def _extension(unit: Unit, amendment: Amendment, entry: Entry, settings: Settings) -> Amendment:
    extension = amendment.extension
    assert extension is not None, "its part was found to be there"
    owner, policy = await owner_of(unit), policy_of(settings)
    terms = Terms.of(settings)
    most = terms.extensions(entry.measure)
    warnings = rules.judge_extension(extension, entry, owner, policy, unit.now, most)
    wanted = Wanted(
        measure=entry.measure,
        subject=entry.subject,
        photo=None,
        basis=extension.basis,
        starts_on=entry.starts_on,
        ends_on=extension.ends_on,
    )
    dossier = await around(unit, owner.code, wanted, entry)
    but = dossier.exempt(entry, urgent=False)
    asked = replace(Proposal.of_wanted(wanted, unit.now, but), extension_count=entry.extension_count + 1)
    similar = dossier.refuse(asked, terms)
    return msgspec.structs.replace(amendment, warnings=(*warnings, *similar))


async def _correction(
    unit: Unit, amendment: Amendment, wanted: CorrectionWanted, entry: Entry, settings: Settings
) -> Amendment:
    owner, policy = await owner_of(unit), policy_of(settings)
    correction, warnings = rules.judge_correction(wanted, entry, owner, policy, legal_day(unit.now))
    similar = await refuse_corrected(unit, entry, correction, Terms.of(settings))
    return msgspec.structs.replace(amendment, correction=correction, warnings=(*warnings, *similar))


async def refuse_corrected(unit: Unit, entry: Entry, correction: Correction, terms: Terms) -> list[Notice]:
    """Make sure that a correction joins no closed case, and no entry for the same time (R14, R15, R22).

    One of the case reaches the other running entries of the dossier: none of them may meet another one there either.

    Raises:
        CekalError: as `Dossier.refuse`.
    """
    subject, basis = correction.subject or entry.subject, correction.basis or entry.basis
    corrected = Wanted(
        measure=entry.measure,
        subject=subject,
        photo=None,
        basis=basis,
        starts_on=entry.starts_on,
        ends_on=correction.ends_on or entry.ends_on,
        lifetime=entry.lifetime and correction.ends_on is None,
    )
    dossier = await around(unit, entry.agency, corrected, entry)
    joins = folded(basis.case_reference) != folded(entry.basis.case_reference) or correction.other_subject
    asked = replace(
        Proposal.of_wanted(corrected, unit.now, dossier.exempt(entry, urgent=entry.urgent)),
        urgent=entry.urgent,
        extension_count=entry.extension_count,
        periods_count=joins,
    )
    warnings = dossier.refuse(asked, terms)
    siblings = dossier.siblings(entry) if joins else ()
    together = {each.id for each in siblings}
    for sibling in siblings:
        dossier.refuse(asked.at_the_time_of(sibling, together), terms)
    return warnings
