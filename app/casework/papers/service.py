"""Use cases of papers: find the version of an entry that its letter is about, and compose that letter."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.access.acts import AuditAct
from app.access.clients.service import find_place, record
from app.access.domain import Agency
from app.casework.papers import store, words
from app.casework.papers.domain import Context, Letter, LetterHead, Office, Owner, RecordedVersion, Refusal
from app.casework.papers.heads import fix_head, path_of
from app.casework.papers.letter import wording
from app.casework.papers.letter.proofs import proof_of
from app.casework.papers.store import Version
from app.db.unit import Reader, Unit
from app.errors import NotFound, WrongState
from app.ledger.domain import Record, RecordType
from app.ledger.service import list_of_entry
from app.register.amendments.domain import Amendment, AmendmentState
from app.register.amendments.effects import EVENTS
from app.register.entries import service as entries
from app.register.entries.acts import Act
from app.register.entries.blob_store import find_blob
from app.register.entries.domain import Entry, State
from app.register.entries.dossier import Dossier
from app.register.entries.keys import case_keys, person_keys
from app.register.entries.law.deadlines import Terms
from app.register.entries.store import list_by_keys
from app.register.entries.visibility import shows_photo
from app.settings import Settings
from app.sync.witnesses.service import policy_in_use
from app.tlog.checkpoints import Checkpoint

_LETTER_RECORDS = frozenset(
    {
        RecordType.ENTRY_LISTED,
        RecordType.ENTRY_PROVISIONAL,
        RecordType.ENTRY_COUNTERSIGNED,
        RecordType.ENTRY_CORRECTED,
        RecordType.ENTRY_EXTENDED,
        RecordType.ENTRY_ENDED,
    }
)
"""Types of records that may require a letter; an erasure requires none."""

_OF_ANOTHER = frozenset({Act.FORMALISED, Act.FORMALISATION_ENDED})
"""Changes of an urgent entry by another entry's decision; they do not change its letter."""


@dataclass(frozen=True, slots=True)
class ComposedLetter:
    """A letter with the person's photo (None without one), ready for layout; `version` is the entry's version."""

    letter: Letter
    photo: bytes | None
    version: int


def office_of(settings: Settings) -> Office:
    """Return the office that issues letters, from the settings."""
    return Office(
        settings.letterhead_lines, settings.letter_city, settings.letter_signatory, settings.letter_number
    )


async def get_with_photo(reader: Reader, entry_id: str) -> Entry:
    """Return an entry that the actor may see together with its photo, which supervision teams may not.

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
    """
    entry = await entries.get(reader, entry_id)
    if not shows_photo(entry, reader.actor):
        raise NotFound("There is no such entry.")
    return entry


async def letter(unit: Unit, entry_id: str, settings: Settings) -> ComposedLetter:
    """Return the letter for the present state of an entry, and log the access.

    The signed ledger head in the QR code is stored, so that later copies of the letter show the same head. A head that
    still waits for a quorum of witnesses is not stored (see `heads.fix_head`).

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
        WrongState: no decision has been made that requires a letter, or the person was erased.
        LedgerBroken: the ledger's stored hashes contradict the signed head.
    """
    recorded = await letter_subject(unit, entry_id)
    head = await fix_head(unit, recorded[-1].record, policy_in_use(settings.witness_policy))
    composed = await compose(unit, recorded, settings, head)
    await record(
        unit, AuditAct.LETTER_SEEN, entry_id, {"version": composed.version, "number": composed.letter.number}
    )
    return composed


async def awaited_record(reader: Reader, entry_id: str) -> int | None:
    """Return the number of the ledger record whose signed head a caller should wait for before it makes a letter.

    It is the record that the entry's present letter proves. None if a head is stored for this letter already: the
    letter can be made at once.

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
        WrongState: no decision has been made that requires a letter, or the person was erased.
    """
    sequence = (await letter_subject(reader, entry_id))[-1].record.sequence
    return sequence if await store.find_letter_head(reader, sequence) is None else None


async def letter_subject(reader: Reader, entry_id: str) -> list[RecordedVersion]:
    """Return the recorded versions of an entry up to the one that its present letter is about, oldest first.

    Raises:
        NotFound: the actor sees no entry with this id, or not its photo.
        WrongState: no decision has been made that requires a letter, or the person was erased.
    """
    entry = await get_with_photo(reader, entry_id)
    if entry.erased_at is not None:
        raise WrongState(
            "The person was erased from this entry (UU 27/2022 art. 43), so no letter names them."
        )
    recorded = with_end_by_law(await list_recorded_versions(reader, entry), entry)
    if not recorded or recorded[-1].kind is None or not recorded[-1].matches_state(entry):
        raise WrongState(
            "Only an entry that was decided on has a letter: active, countersigned, or ended after it."
        )
    return recorded


async def list_recorded_versions(reader: Reader, entry: Entry) -> list[RecordedVersion]:
    """Return all recorded versions of an entry, oldest first, whether they require a letter or not."""
    records = await list_of_entry(reader, entry.id)
    versions = await store.list_versions(reader, entry.id)
    return recorded_versions(records, versions, await list_amendments_of_case(reader, entry))


async def list_amendments_of_case(reader: Reader, entry: Entry) -> list[Amendment]:
    """Return the amendments of an entry and of the owner's other entries in the same case, oldest first.

    Amendments in every state are included. The reason to include other entries' amendments: one of them, such as an
    acquittal, may have ended this entry.
    """
    same_case = await list_by_keys(reader, case_keys(entry.agency, entry.filed_content))
    return await store.list_amendments(reader, {entry.id, *(each.id for each in same_case)})


def recorded_versions(
    records: Sequence[Record], versions: Sequence[Version], amendments: Sequence[Amendment]
) -> list[RecordedVersion]:
    """Return the recorded versions of an entry, oldest first, whether they require a letter or not.

    Each version is joined with the first ledger record that published it. Versions without such a record are omitted.
    So are versions of an urgent entry that only plan its end, or cancel the plan, because of its formal entry; they do
    not change its letter.

    Args:
        records: the ledger's records about the entry, oldest first.
        versions: the entry's versions.
        amendments: the entry's amendments, and others that may have ended it.
    """
    by_number = {version.entry.version: version for version in versions}
    made_by = {
        (EVENTS[each.kind].value, each.updated_at, entry_id): each
        for each in amendments
        if each.state is AmendmentState.APPROVED
        for entry_id in {each.entry_id, *each.ends}
    }
    recorded = []
    seen: set[int | None] = set()
    for each in records:
        version = by_number.get(each.version or 0)
        if each.type not in _LETTER_RECORDS or each.version in seen:
            continue  # a later record of a version changes no content
        seen.add(each.version)
        if version is not None and version.event not in _OF_ANOTHER:
            before = by_number.get(version.entry.version - 1)
            made = RecordedVersion(
                version.entry,
                each,
                made_by.get((version.event, version.at, version.entry.id)),
                before.entry if before else None,
                _refusals(versions, version),
            )
            recorded.append(made)
    return recorded


def _refusals(versions: Sequence[Version], last: Version) -> tuple[Refusal, ...]:
    """Return the proposal and the confirmation of a rejection, if a rejection made the version `last`."""
    if last.event != Act.REJECTED:
        return ()
    proposed = [
        v for v in versions if v.event == Act.REJECTION_PROPOSED and v.entry.version < last.entry.version
    ]
    return tuple(
        Refusal(each.by, each.person, each.reason, proposed=each is not last)
        for each in (*proposed[-1:], last)
    )


def with_end_by_law(recorded: Sequence[RecordedVersion], entry: Entry) -> list[RecordedVersion]:
    """Return the recorded versions, and one more if the entry has ended by law and the ledger has no record of the end.

    The added version is the present entry, joined with the record of the version before. An empty list stays empty.

    Args:
        recorded: the recorded versions, oldest first.
        entry: the entry in its present state.
    """
    if not recorded or entry.state is not State.ENDED or recorded[-1].entry.state is State.ENDED:
        return [*recorded]
    return [*recorded, RecordedVersion(entry, recorded[-1].record)]


async def compose(
    reader: Reader, recorded: Sequence[RecordedVersion], settings: Settings, head: LetterHead | None
) -> ComposedLetter:
    """Return the letter about the last of these recorded versions, which must require a letter.

    Args:
        reader: the transaction.
        recorded: the recorded versions, oldest first, up to the one that the letter is about.
        settings: the deployment's settings.
        head: the signed head that the letter's code shows; None if no head covers the record yet.

    Raises:
        LedgerBroken: the ledger's stored hashes contradict the signed head.
    """
    *earlier, last = recorded
    agency = await find_place(reader, Agency, last.entry.agency)
    path = await path_of(reader, last.record, Checkpoint.parse(head.note.text)) if head else ()
    refusals = await _with_positions(reader, last.refusals)
    code = last.entry.agency
    written = wording.compose(
        replace(last, refusals=refusals),
        [each for each in earlier if each.kind is not None and not each.kind.ends],
        office_of(settings),
        Owner.of(code, agency.parent, agency.name_id) if agency else Owner(code),
        await _context(reader, last, Terms.of(settings)),
        proof_of(last.record, head, path),
    )
    photo = last.entry.subject.photo
    blob = photo and await find_blob(reader, last.entry.id, photo.sha256)
    return ComposedLetter(written, blob.data if blob else None, last.entry.version)


async def _context(reader: Reader, recorded: RecordedVersion, terms: Terms) -> Context:
    """Return the other facts in the register at the instant of a letter, so that it states none from later."""
    entry, moment = recorded.entry, recorded.moment
    keys = person_keys(entry.subject) | case_keys(entry.agency, entry.filed_content)
    others = {each.id for each in await list_by_keys(reader, keys)} - {entry.id}
    then = [each.at(moment) for each in await store.list_as_of(reader, others, moment)]
    same = (
        each for each in then if each.measure is entry.measure and each.subject.same_person(entry.subject)
    )
    left = Dossier.of(entry.agency, [entry, *then], moment).extension_left(entry, terms)
    return Context(tuple(each for each in same if each.runs), left)


async def _with_positions(reader: Reader, refusals: tuple[Refusal, ...]) -> tuple[Refusal, ...]:
    if not refusals:
        return ()
    clients = {each["id"]: each for each in await store.list_clients(reader, {r.client for r in refusals})}
    return tuple(replace(each, position=words.position(clients.get(each.client))) for each in refusals)
