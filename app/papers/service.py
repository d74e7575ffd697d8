"""Use cases of papers: the letters of an entry."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.access.domain import Agency
from app.access.service import find_place, record
from app.amendments.domain import Amendment, AmendmentState
from app.amendments.effects import EVENTS
from app.db.unit import Reader, Unit
from app.entries import service as entries
from app.entries.domain import Entry, State
from app.entries.store import find_blob
from app.entries.views import shows_photo
from app.errors import NotFound, WrongState
from app.ledger.domain import Record, RecordType
from app.ledger.service import list_of_entry, prove
from app.papers import store, wording
from app.papers.domain import Letter, Office, Told
from app.papers.proofs import proof_of
from app.papers.store import Version
from app.settings import Settings

_TOLD = frozenset(
    {
        RecordType.ENTRY_LISTED,
        RecordType.ENTRY_PROVISIONAL,
        RecordType.ENTRY_COUNTERSIGNED,
        RecordType.ENTRY_CORRECTED,
        RecordType.ENTRY_EXTENDED,
        RecordType.ENTRY_ENDED,
    }
)
"""Records that may call for a letter; an erasure takes data away and tells nobody anything."""

_OF_ANOTHER = frozenset({"formalised", "formalisation_ended"})
"""Events by which another entry's decision touches an urgent one: they change nothing that its letter says."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A letter and the photo that belongs on it, ready to be laid out."""

    letter: Letter
    photo: bytes | None
    version: int


def office_of(settings: Settings) -> Office:
    """The deployment as letters name it."""
    return Office(
        settings.letterhead_lines, settings.letter_city, settings.letter_signatory, settings.letter_number
    )


async def get_wholly(reader: Reader, entry_id: str) -> Entry:
    """An entry that the actor sees with its photo: a supervision team reads its province's entries, and no papers.

    Raises:
        NotFound: there is none, or it is outside the view.
    """
    entry = await entries.get(reader, entry_id)
    if not shows_photo(entry, reader.actor):
        raise NotFound("There is no such entry.")
    return entry


async def letter(unit: Unit, entry_id: str, settings: Settings) -> Draft:
    """The letter of an entry as it stands now; that it was asked for is recorded, for it shows the person.

    Raises:
        NotFound: outside the actor's view.
        WrongState: nothing has been decided that a letter could tell, or the person was erased.
    """
    entry = await get_wholly(unit, entry_id)
    if entry.erased_at is not None:
        raise WrongState(
            "The person was erased from this entry (UU 27/2022 art. 43), so no letter names them."
        )
    records = await list_of_entry(unit, entry_id)
    versions, amendments = (
        await store.list_versions(unit, entry_id),
        await store.list_amendments(unit, entry_id),
    )
    told = as_it_stands(letters_of(records, versions, amendments), entry)
    if not told or told[-1].kind is None or not told[-1].tells(entry):
        raise WrongState(
            "Only an entry that was decided on has a letter: active, countersigned, or ended after it."
        )
    draft = await compose(unit, told, office_of(settings))
    await record(unit, "letter.seen", entry_id, {"version": draft.version, "number": draft.letter.number})
    return draft


def letters_of(
    records: Sequence[Record], versions: Sequence[Version], amendments: Sequence[Amendment]
) -> list[Told]:
    """What each record of an entry tells, in order, whether it calls for a letter or not.

    Args:
        records: the ledger's records about the entry.
        versions: the entry's versions.
        amendments: the entry's amendments.
    """
    by_number = {version.entry.version: version for version in versions}
    made_by = {
        (EVENTS[each.kind], each.updated_at): each
        for each in amendments
        if each.state is AmendmentState.APPROVED
    }
    told = []
    for each in records:
        version = by_number.get(each.version or 0)
        if each.type in _TOLD and version is not None and version.event not in _OF_ANOTHER:
            told.append(Told(version.entry, each, made_by.get((version.event, version.at))))
    return told


def as_it_stands(told: Sequence[Told], entry: Entry) -> list[Told]:
    """The same, with the end that the law has brought by itself where the ledger does not tell it yet.

    Args:
        told: what the records tell.
        entry: the entry as it stands now.
    """
    if not told or entry.state is not State.ENDED or told[-1].entry.state is State.ENDED:
        return [*told]
    return [*told, Told(entry, told[-1].record)]


async def compose(reader: Reader, told: Sequence[Told], office: Office) -> Draft:
    """The letter of the last of what was told; it must call for one.

    Args:
        reader: the transaction.
        told: what the records tell, up to the one that the letter is about.
        office: who issues it.
    """
    *earlier, last = told
    agency = await find_place(reader, Agency, last.entry.agency)
    (inclusion,) = await prove(reader, [last.record.sequence], last.record.sequence)
    before = next((each for each in reversed(earlier) if each.kind is not None), None)
    written = wording.compose(
        last,
        before,
        office,
        agency.name_id if agency else last.entry.agency,
        proof_of(last.record, inclusion),
    )
    photo = last.entry.subject.photo
    blob = photo and await find_blob(reader, last.entry.id, photo.sha256)
    return Draft(written, blob.data if blob else None, last.entry.version)
