"""Amendments that wait for an officer: worklists, and what erasure has to wait for; corrections that ended a power."""

from functools import partial

from app.access.domain import IMMIGRATION, Role
from app.actor import is_another_person
from app.db.pages import first_of
from app.db.unit import Reader
from app.register.amendments import endings, store
from app.register.amendments.domain import ENDING, Amendment, AmendmentKind, AmendmentState
from app.register.entries.domain import Entry
from app.register.entries.dossiers import read_dossier
from app.register.entries.law.ground import INVESTIGATION_ONLY, power_ended


async def list_waiting(reader: Reader, limit: int) -> list[Amendment]:
    """Return the amendments for the actor to verify, then to approve, then to answer as the owner.

    Each of the three groups is oldest first and at most `limit` long; a group is empty if the actor lacks its role.
    Submitters get the third group too, because the owner may also answer by a revocation, which a submitter files. An
    amendment to verify is left out if the actor wrote it, or wrote the entry that it changes. An amendment to approve
    is also left out if the actor verified or approved it, or works in the office of Immigration that filed it for
    Immigration's own entry. Amendments of entries that a seal hides from the actor are left out.
    """
    actor = reader.actor

    def written(amendment: Amendment) -> bool:
        wrote = () if amendment.kind in ENDING else amendment.entry_authors
        return not is_another_person(actor, *amendment.authors, *wrote)

    def not_theirs(amendment: Amendment) -> bool:
        own = amendment.owner == amendment.agency == IMMIGRATION and amendment.office == actor.office
        acted = not is_another_person(actor, amendment.verified_by, amendment.first_approver)
        return own or written(amendment) or acted

    found: list[Amendment] = []
    if actor.holds(Role.VERIFIER) and actor.agency:
        of_agency = partial(
            store.list_in_state, reader, AmendmentState.SUBMITTED, agency=actor.agency, limit=limit
        )
        found += await first_of(lambda after: of_agency(after=after), limit, written)
    if actor.holds(Role.APPROVER):
        verified = partial(store.list_in_state, reader, AmendmentState.VERIFIED, limit=limit)
        found += await first_of(lambda after: verified(after=after), limit, not_theirs)
    if actor.holds(Role.SUBMITTER, Role.VERIFIER) and actor.agency:
        found += await store.list_in_state(reader, AmendmentState.REFERRED, owner=actor.agency, limit=limit)
    return found


async def needs_person(reader: Reader, entry: Entry) -> bool:
    """Return whether an undecided amendment of an entry may still take effect, so that the person must not be erased.

    An acquittal may, because it closes the case even after the entry's end; so may an amendment that would end another
    entry of the case (UU 27/2022 art. 43-44: a legal process still needs the data). Other amendments can't change an
    entry that is over.
    """
    waiting = [each for kind in ENDING for each in await store.list_open(reader, entry.id, kind)]
    if any(each.kind is AmendmentKind.ACQUITTAL for each in waiting):
        return True
    if not waiting:
        return False
    dossier = await read_dossier(reader, entry)
    return any(endings.ending_of(each, entry.at(reader.now), dossier).ids for each in waiting)


async def list_power_ended(reader: Reader, limit: int) -> list[Amendment]:
    """Return corrections that moved a case of the actor's agency to a stage in which it may not order measures (R8).

    Only corrections of entries that are in force or begin later, and that no seal hides from the actor; oldest first,
    at most `limit`. A correction is included even if a later correction moved the case back. Empty for agencies that
    may order measures in every stage.
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
