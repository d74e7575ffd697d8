"""Reading dossiers: which rows may belong to one case and one person, found by their keys.

Locks are taken in one order, so that acts on the rows of one case never wait for each other in a circle: the owner's
agency, entries by id, amendments by id, and at last the ledger.
"""

from app.access.service import lock_agency
from app.db.unit import Reader, Unit
from app.entries import keys, store
from app.entries.domain import Entry, Former
from app.entries.dossier import Dossier
from app.entries.views import open_to
from app.entries.wanted import Wanted
from app.errors import NotFound


async def around(unit: Unit, owner: str, wanted: Wanted, before: Entry | None = None) -> Dossier:
    """The dossier that bears on a measure that is asked for; the transaction holds the owner's lock.

    Args:
        unit: the transaction.
        owner: code of the owning agency.
        wanted: what is asked.
        before: the entry that it changes or follows, if any.
    """
    said = [
        Former(
            subject=wanted.subject,
            case_reference=wanted.basis.case_reference,
            numbers=(wanted.basis.number,),
        )
    ]
    if before is not None:
        said += [before.said, *before.former]
    found = await store.list_by_keys(unit, _keys(owner, said))
    return Dossier.of(owner, found, unit.now, lambda entry: open_to(entry, unit.actor))


async def hold(unit: Unit, entry: Entry) -> tuple[Entry, Dossier]:
    """An entry and its dossier: its case and whatever is linked with it, held against other writers until the commit.

    What only bars a repeat (another case against the same person) is read as well, and held by the owner's lock.

    Args:
        unit: the transaction.
        entry: as it was found; read anew once the owner's lock is held.

    Returns:
        The entry as it is now, and its dossier.

    Raises:
        NotFound: it does not exist.
    """
    await lock_agency(unit, entry.agency)
    now = await store.find(unit, entry.id)
    if now is None:
        raise NotFound("There is no such entry.")
    held = await store.list_linked(unit, *_links(now))
    beside = await store.list_by_keys(unit, _keys(now.agency, [now.said, *now.former]))
    found = {each.id: each for each in (*beside, *held)}
    dossier = Dossier.of(now.agency, found.values(), unit.now, lambda each: open_to(each, unit.actor))
    return found[entry.id].at(unit.now), dossier


async def look(reader: Reader, entry: Entry) -> Dossier:
    """The dossier of an entry as it is now, for reading: its case and whatever is linked with it."""
    found = await store.list_linked(reader, *_links(entry))
    return Dossier.of(entry.agency, found, reader.now, lambda each: open_to(each, reader.actor))


def _links(entry: Entry) -> tuple[set[str], set[str]]:
    case_keys = set() if entry.from_list else keys.case_keys(entry.agency, entry.said)
    return case_keys, {entry.id, *filter(None, (entry.formalises,))}


def _keys(owner: str, said: list[Former]) -> set[str]:
    found: set[str] = set()
    for each in said:
        found |= keys.matter_keys(owner, each) | keys.person_keys(each.subject)
    return found
