"""Which amendments wait for an officer, and which corrections left a power behind; for worklists."""

from functools import partial

from app.access.domain import IMMIGRATION
from app.amendments import store
from app.amendments.domain import ENDING, Amendment, AmendmentKind, AmendmentState
from app.db.pages import first_of
from app.db.unit import Reader
from app.entries.law import INVESTIGATION_ONLY, power_ended


async def list_waiting(reader: Reader, limit: int) -> list[Amendment]:
    """The amendments that the actor may verify, approve, or has to answer as their owner, oldest first.

    What they may not do for want of a second pair of eyes, or of another office, is left out.
    """
    actor = reader.actor

    def written(amendment: Amendment) -> bool:
        wrote = () if amendment.kind in ENDING else amendment.entry_authors
        return actor.person in {*amendment.authors, *wrote}

    def not_theirs(amendment: Amendment) -> bool:
        own = amendment.owner == amendment.agency == IMMIGRATION and amendment.office == actor.office
        acted = actor.person in {amendment.verified_by, amendment.first_approver}
        return own or written(amendment) or acted

    found: list[Amendment] = []
    if actor.holds("verifier") and actor.agency:
        of_agency = partial(
            store.list_in_state, reader, AmendmentState.SUBMITTED, agency=actor.agency, limit=limit
        )
        found += await first_of(lambda after: of_agency(after=after), limit, written)
    if actor.holds("approver"):
        verified = partial(store.list_in_state, reader, AmendmentState.VERIFIED, limit=limit)
        found += await first_of(lambda after: verified(after=after), limit, not_theirs)
    if actor.holds("submitter", "verifier") and actor.agency:
        found += await store.list_in_state(reader, AmendmentState.REFERRED, owner=actor.agency, limit=limit)
    return found


async def list_power_ended(reader: Reader, limit: int) -> list[Amendment]:
    """The corrections by which cases of the actor's agency left the stage in which alone it may order a measure (R8).

    Of entries in force, oldest first; a later correction may have taken a case back.
    """
    owner = reader.actor.agency
    if owner not in INVESTIGATION_ONLY:
        return []
    corrections = partial(
        store.list_in_state,
        reader,
        AmendmentState.APPROVED,
        owner=owner,
        kind=AmendmentKind.CORRECTION,
        limit=limit,
    )
    return await first_of(lambda after: corrections(after=after), limit, lambda each: not _ends_power(each))


def _ends_power(amendment: Amendment) -> bool:
    basis = amendment.correction.basis if amendment.correction else None
    return basis is not None and power_ended(amendment.owner, basis.stage)
