"""Use cases of papers: the letters of an entry."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.access.domain import Agency
from app.access.service import find_place, record
from app.amendments.domain import Amendment, AmendmentState
from app.amendments.effects import EVENTS
from app.db.unit import Reader, Unit
from app.entries import service as entries
from app.entries.acts import Act
from app.entries.deadlines import Terms
from app.entries.domain import Entry, State
from app.entries.dossier import Dossier
from app.entries.keys import case_keys, person_keys
from app.entries.store import find_blob, list_by_keys
from app.entries.views import shows_photo
from app.errors import NotFound, WrongState
from app.ledger.domain import Record, RecordType
from app.ledger.service import list_of_entry, prove
from app.papers import store, wording, words
from app.papers.domain import Around, Letter, Office, Owner, Refusal, Told
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

_OF_ANOTHER = frozenset({Act.FORMALISED, Act.FORMALISATION_ENDED})
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
    told = as_it_stands(await letters_until_now(unit, entry), entry)
    if not told or told[-1].kind is None or not told[-1].tells(entry):
        raise WrongState(
            "Only an entry that was decided on has a letter: active, countersigned, or ended after it."
        )
    draft = await compose(unit, told, settings)
    await record(unit, "letter.seen", entry_id, {"version": draft.version, "number": draft.letter.number})
    return draft


async def letters_until_now(reader: Reader, entry: Entry) -> list[Told]:
    """What each record of an entry is about, in order, whether it calls for a letter or not."""
    records = await list_of_entry(reader, entry.id)
    versions = await store.list_versions(reader, entry.id)
    return letters_of(records, versions, await list_decided(reader, entry))


async def list_decided(reader: Reader, entry: Entry) -> list[Amendment]:
    """The amendments of an entry, and those of other entries of its dossier that may have ended it too."""
    beside = await list_by_keys(reader, case_keys(entry.agency, entry.said))
    return await store.list_amendments(reader, {entry.id, *(each.id for each in beside)})


def letters_of(
    records: Sequence[Record], versions: Sequence[Version], amendments: Sequence[Amendment]
) -> list[Told]:
    """What each record of an entry is about, in order, whether it calls for a letter or not.

    Args:
        records: the ledger's records about the entry.
        versions: the entry's versions.
        amendments: the entry's amendments, and others that may have ended it.
    """
    by_number = {version.entry.version: version for version in versions}
    made_by = {
        (EVENTS[each.kind], each.updated_at, entry_id): each
        for each in amendments
        if each.state is AmendmentState.APPROVED
        for entry_id in {each.entry_id, *each.ends}
    }
    told = []
    seen: set[int | None] = set()
    for each in records:
        version = by_number.get(each.version or 0)
        if each.type not in _TOLD or each.version in seen:
            continue  # a later record of a version changes no content
        seen.add(each.version)
        if version is not None and version.event not in _OF_ANOTHER:
            before = by_number.get(version.entry.version - 1)
            made = Told(
                version.entry,
                each,
                made_by.get((version.event, version.at, version.entry.id)),
                before.entry if before else None,
                _refusals(versions, version),
            )
            told.append(made)
    return told


def _refusals(versions: Sequence[Version], last: Version) -> tuple[Refusal, ...]:
    """Who proposed and who confirmed a rejection, where that is what made a version."""
    if last.event != Act.REJECTED:
        return ()
    proposed = [
        v for v in versions if v.event == Act.REJECTION_PROPOSED and v.entry.version < last.entry.version
    ]
    return tuple(
        Refusal(each.by, each.person, each.reason, proposed=each is not last)
        for each in (*proposed[-1:], last)
    )


def as_it_stands(told: Sequence[Told], entry: Entry) -> list[Told]:
    """The same, with the end that the law has brought by itself where the ledger does not tell it yet.

    Args:
        told: what the records tell.
        entry: the entry as it stands now.
    """
    if not told or entry.state is not State.ENDED or told[-1].entry.state is State.ENDED:
        return [*told]
    return [*told, Told(entry, told[-1].record)]


async def compose(reader: Reader, told: Sequence[Told], settings: Settings) -> Draft:
    """The letter of the last of what was told; it must call for one.

    Args:
        reader: the transaction.
        told: what the records are about, up to the one that the letter is about.
        settings: the deployment's.
    """
    *earlier, last = told
    agency = await find_place(reader, Agency, last.entry.agency)
    (inclusion,) = await prove(reader, [last.record.sequence], last.record.sequence)
    refusals = await _with_positions(reader, last.refusals)
    code = last.entry.agency
    written = wording.compose(
        replace(last, refusals=refusals),
        [each for each in earlier if each.kind is not None and not each.kind.ends],
        office_of(settings),
        Owner.of(code, agency.parent, agency.name_id) if agency else Owner(code),
        await _around(reader, last, Terms.of(settings)),
        proof_of(last.record, inclusion),
    )
    photo = last.entry.subject.photo
    blob = photo and await find_blob(reader, last.entry.id, photo.sha256)
    return Draft(written, blob.data if blob else None, last.entry.version)


async def _around(reader: Reader, told: Told, terms: Terms) -> Around:
    """What else the register knew at the instant of a letter, so that no letter says more than it did."""
    entry, moment = told.entry, told.moment
    keys = person_keys(entry.subject) | case_keys(entry.agency, entry.said)
    beside = {each.id for each in await list_by_keys(reader, keys)} - {entry.id}
    then = [each.at(moment) for each in await store.list_as_of(reader, beside, moment)]
    same = (
        each for each in then if each.measure is entry.measure and each.subject.same_person(entry.subject)
    )
    left = Dossier.of(entry.agency, [entry, *then], moment).extension_left(entry, terms)
    return Around(tuple(each for each in same if each.runs), left)


async def _with_positions(reader: Reader, refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    if not refusals:
        return ()
    clients = {each["id"]: each for each in await store.list_clients(reader, {r.client for r in refusals})}
    return tuple(replace(each, position=words.position(clients.get(each.client))) for each in refusals)
