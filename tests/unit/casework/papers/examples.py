"""Entries that call for each kind of letter, and the letters."""

import io
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from PIL import Image

from app.casework.papers import domain
from app.casework.papers.domain import Context, Office, Owner, RecordedVersion
from app.casework.papers.letter import proofs, wording
from app.casework.papers.service import office_of
from app.ledger.domain import Draft, RecordType, numbered
from app.register.amendments.domain import Amendment
from app.register.entries.domain import EndedReason, Entry, Letter, Measure, State, Substitute
from app.register.entries.publishing import leaf_facts, personal_part
from app.register.entries.subjects import Citizenship, Photo
from app.settings import Settings
from tests.support.proofs import Ledger
from tests.unit.register.entries.examples import NOW, basis, entry, foreigner

KPK = "Komisi Pemberantasan Korupsi"
OWNER = Owner(KPK)
ALONE = Context()


def office() -> Office:
    return office_of(Settings(env="test"))


def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (300, 400), (90, 120, 150)).save(out, "JPEG")
    return out.getvalue()


def active(**changes: Any) -> Entry:
    given: dict[str, Any] = {
        "id": "ent_01kasxb8g0kzvgxhzc1q4j3w5r",
        "version": 3,
        "state": State.ACTIVE,
        "authors": ("100",),
        "verified_by": "200",
        "approved_by": ("198503152010013",),
        "basis": basis(signed_by="Setya Budiwan", signed_by_position="Ketua KPK"),
    }
    made = entry(**{**given, **changes})
    return made.replace(subject=msgspec.structs.replace(made.subject, photo=Photo("ab" * 32, "image/jpeg")))


def lifetime() -> Entry:
    return active(
        measure=Measure.DETERRENCE,
        agency="IMIGRASI",
        citizenship=Citizenship.WNA,
        subject=foreigner(),
        lifetime=True,
        ends_on=None,
        approved_by=("198503152010013", "198503152010014"),
        basis=basis(
            instrument="administrative_action",
            reason_code="organised_crime",
            stage=None,
            subject_status="foreigner_under_measure",
            lifetime_ground="Peredaran narkotika lintas negara.",
        ),
    )


def urgent(**changes: Any) -> Entry:
    return active(
        **{
            "state": State.PROVISIONAL,
            "urgent": True,
            "letter": Letter("R-9/PENCEGAHAN/2026", date(2026, 11, 23), "0" * 64),
            "substitute": Substitute("Ketua KPK", "Surat Perintah Plh. Nomor 7"),
            "requested_at": NOW,
            "ends_on": date(2026, 12, 12),
            "countersigned_by": "cli_D",
            "countersigner": "198503152010019",
            "countersigned_at": NOW,
            "approved_by": (),
            "verified_by": None,
            **changes,
        }
    )


def extended() -> Entry:
    own = basis(number="R-77/2027", issued_on=date(2027, 5, 7), reason="Still needed.")
    return active(version=6, extension_count=1, ends_on=date(2027, 11, 23), extended_by=own)


def ended(reason: EndedReason, **changes: Any) -> Entry:
    return active(
        **{
            "version": 7,
            "state": State.ENDED,
            "ended_reason": reason,
            "ended_at": datetime(2027, 3, 1, 4, tzinfo=UTC),
            **changes,
        }
    )


def told(
    of: Entry,
    what: RecordType = RecordType.ENTRY_LISTED,
    sequence: int = 1023,
    at: datetime = NOW,
    amendment: Amendment | None = None,
) -> RecordedVersion:
    """The entry with a ledger record of it."""
    draft = Draft(what, of.id, of.version, of.agency, leaf_facts(of), personal_part(of))
    return RecordedVersion(of, numbered(draft, sequence, at, None), amendment)


LEDGER = Ledger(size=1_000_000)
_heads: dict[str, tuple[domain.LetterHead, list[bytes]]] = {}


def proof(of: RecordedVersion) -> domain.Proof:
    """The proof of a record in a ledger of a million records with two witnesses; the same each time."""
    head, path = _heads.setdefault(of.record.leaf["commitment"], LEDGER.head(of.record))
    return proofs.proof_of(of.record, head, path)


def letter(
    of: RecordedVersion, *earlier: RecordedVersion | None, owner: Owner = OWNER, around: Context = ALONE
) -> domain.Letter:
    before = [each for each in earlier if each is not None]
    return wording.compose(of, before, office(), owner, around, proof(of))


def said(
    of: RecordedVersion, *earlier: RecordedVersion | None, owner: Owner = OWNER, around: Context = ALONE
) -> str:
    """All sentences of a letter."""
    written = letter(of, *earlier, owner=owner, around=around)
    return "\n".join(
        (
            written.about,
            *written.considering,
            *written.recalling,
            written.first_clause,
            *written.further_clauses,
        )
    )
