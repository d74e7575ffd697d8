"""Reading a dossier: finds by keys the entries that may belong to one case and one person.

Locks are taken in one order, so that acts on one case never deadlock: the owner's agency, entries by id, amendments by
id, and finally the ledger.
"""

from app.access.clients.service import lock_agency
from app.db.unit import Reader, Unit
from app.errors import NotFound
from app.register.entries import keys, store
from app.register.entries.domain import Entry, Former
from app.register.entries.dossier import Dossier
from app.register.entries.requested import RequestedMeasure
from app.register.entries.visibility import open_to


async def dossier_of(
    unit: Unit, owner: str, requested: RequestedMeasure, before: Entry | None = None
) -> Dossier:
    """Return the dossier to which a requested measure would belong, read without locks.

    Args:
        unit: the transaction, which must hold the owner's lock.
        owner: code of the owning agency.
        requested: the requested measure.
        before: the entry that the measure changes or follows, if any.
    """
    contents = [
        Former(
            subject=requested.subject,
            case_reference=requested.basis.case_reference,
            numbers=(requested.basis.number,),
        )
    ]
    if before is not None:
        contents += [before.filed_content, *before.former]
    found = await store.list_by_keys(unit, _keys(owner, contents))
    return Dossier.of(owner, found, unit.now, lambda entry: open_to(entry, unit.actor))


async def lock_dossier(unit: Unit, entry: Entry) -> tuple[Entry, Dossier]:
    """Return an entry with its dossier, with locks that last until the commit.

    The locks are on the row of the owner's agency, on the entries of the same case (also of the case before a
    correction), and on entries linked by formalisation. Other entries of the dossier, such as another case against the
    same person, need no lock of their own, because whoever changes them must hold the agency's lock.

    Args:
        unit: the transaction.
        entry: the entry as it was found; it is read again under the owner's lock.

    Returns:
        The current entry, and its dossier.

    Raises:
        NotFound: the entry does not exist any more.
    """
    await lock_agency(unit, entry.agency)
    now = await store.find(unit, entry.id)
    if now is None:
        raise NotFound("There is no such entry.")
    held = await store.list_linked(unit, *_links(now))
    beside = await store.list_by_keys(unit, _keys(now.agency, [now.filed_content, *now.former]))
    found = {each.id: each for each in (*beside, *held)}
    dossier = Dossier.of(now.agency, found.values(), unit.now, lambda each: open_to(each, unit.actor))
    return found[entry.id].at(unit.now), dossier


async def read_dossier(reader: Reader, entry: Entry) -> Dossier:
    """Return the dossier of an entry for reading, without locks: entries of its case, and entries linked with it.

    Its case before a correction counts too; linked means by formalisation. Other cases against the same person are left
    out, so this dossier can't judge whether a new measure is a repetition.
    """
    found = await store.list_linked(reader, *_links(entry))
    return Dossier.of(entry.agency, found, reader.now, lambda each: open_to(each, reader.actor))


def _links(entry: Entry) -> tuple[set[str], set[str]]:
    contents = () if entry.from_list else (entry.filed_content, *entry.former)
    case_keys = {key for content in contents for key in keys.case_keys(entry.agency, content)}
    return case_keys, {entry.id, *filter(None, (entry.formalises,))}


def _keys(owner: str, contents: list[Former]) -> set[str]:
    found: set[str] = set()
    for each in contents:
        found |= keys.case_and_letter_keys(owner, each) | keys.person_keys(each.subject)
    return found
