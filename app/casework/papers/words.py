"""Words for the register's codes, days and times, in official letters and in evidence files (no I/O)."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Final

from app.identity import states
from app.identity.births import Birth
from app.kit.clock import WIB
from app.register.entries.acts import Act
from app.register.entries.blobs import BlobKind
from app.register.entries.domain import EndedReason, Measure, State

_MONTHS = (
    "Januari",
    "Februari",
    "Maret",
    "April",
    "Mei",
    "Juni",
    "Juli",
    "Agustus",
    "September",
    "Oktober",
    "November",
    "Desember",
)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")

MEASURES = {
    Measure.PREVENTION: ("Pencegahan", "Pencegahan bepergian ke luar negeri"),
    Measure.DETERRENCE: ("Penangkalan", "Penangkalan masuk ke Wilayah Indonesia"),
}
"""Each measure's noun, and the noun with the forbidden act."""

INSTRUMENTS = {
    "decision": ("Keputusan", "ditetapkan"),
    "order": ("Perintah", "diperintahkan"),
    "request": ("Permintaan", "diminta"),
    "supervision_report": ("Laporan Hasil Pengawasan Keimigrasian", "diusulkan"),
    "administrative_action": ("Keputusan Tindakan Administratif Keimigrasian", "ditetapkan"),
}
"""Each legal form, and the verb for its signatory's act (UU 6/2011 art. 91(2))."""

STAGES = {
    "investigation": "penyidikan",
    "prosecution": "penuntutan",
    "trial": "pemeriksaan di sidang pengadilan",
    "execution": "pelaksanaan putusan",
}

STATUSES = {
    "suspect": "tersangka",
    "defendant": "terdakwa",
    "convict": "terpidana",
    "witness": "saksi",
    "tax_debtor": "penanggung pajak",
    "state_debtor": "penanggung utang kepada negara",
    "foreigner_under_measure": "orang asing yang dikenai tindakan keimigrasian",
}

REASONS = {
    "corruption": "tindak pidana korupsi",
    "general_crime": "tindak pidana umum",
    "narcotics": "tindak pidana narkotika",
    "terrorism": "tindak pidana terorisme",
    "trafficking": "tindak pidana perdagangan orang",
    "tax": "utang pajak",
    "state_receivable": "piutang negara",
    "customs": "kepabeanan dan cukai",
    "immigration": "keimigrasian",
    "other": "alasan lain menurut undang-undang",
    "organised_crime": "diketahui atau diduga terlibat kejahatan transnasional yang terorganisasi",
    "hostility": "menunjukkan sikap bermusuhan terhadap Pemerintah atau mencemarkan nama baik bangsa dan negara",
    "public_order": "melakukan perbuatan yang bertentangan dengan ketertiban umum, kesusilaan, agama, atau adat",
    "forged_document": "menggunakan paspor palsu atau dipalsukan untuk memperoleh visa atau izin tinggal",
    "deportation": "dikenai tindakan administratif keimigrasian berupa deportasi",
    "overstay": "melampaui masa izin tinggal",
    "sovereignty": "kedaulatan negara",
}
"""The grounds; those of an entry ban are Permenimipas 13/2025 art. 17(4)."""

ENDINGS = {
    EndedReason.EXPIRED: ("jangka waktu berakhir", "its period is over"),
    EndedReason.LAPSED: ("gugur demi hukum", "lapsed by law"),
    EndedReason.REVOKED: ("dicabut oleh instansi yang menetapkan", "revoked by its owner"),
    EndedReason.ACQUITTED: (
        "putusan bebas yang telah memperoleh kekuatan hukum tetap",
        "ended by a final acquittal",
    ),
    EndedReason.ANNULLED: ("dibatalkan", "annulled"),
    EndedReason.SUPERSEDED: ("digantikan oleh keputusan formal", "replaced by the formal decision"),
}
"""Why a measure ended, in Indonesian and English."""

STATES = {
    State.SUBMITTED: ("diajukan", "submitted"),
    State.RETURNED: ("dikembalikan", "returned"),
    State.VERIFIED: ("diverifikasi", "verified"),
    State.PROVISIONAL: ("sementara", "provisional"),
    State.ACTIVE: ("ditetapkan", "active"),
    State.REJECTED: ("ditolak", "rejected"),
    State.ENDED: ("berakhir", "ended"),
}

ACTS = {
    Act.SUBMITTED: ("diajukan", "submitted"),
    Act.SUBMITTED_URGENTLY: ("diajukan secara mendesak", "submitted urgently"),
    Act.RESUBMITTED: ("diajukan kembali", "resubmitted"),
    Act.VERIFIED: ("diverifikasi", "verified"),
    Act.RETURNED: ("dikembalikan", "returned"),
    Act.APPROVED: ("disetujui", "approved"),
    Act.REJECTED: ("ditolak", "rejected"),
    Act.REJECTION_PROPOSED: ("penolakan diusulkan", "rejection proposed"),
    Act.REJECTION_KEPT: ("usul penolakan tidak diterima", "proposed rejection refused"),
    Act.COUNTERSIGNED: ("disahkan", "countersigned"),
    Act.FORMALISED: ("diikuti keputusan formal", "followed by its formal decision"),
    Act.FORMALISATION_ENDED: (
        "keputusan formal berakhir sebelum berlaku",
        "formal decision ended before it began",
    ),
    Act.CARRIED_OVER: ("perbaikan data terkait diterapkan", "correction of a related entry carried over"),
    Act.IMPORTED: ("diambil alih dari daftar", "imported from a list"),
    Act.IMPORT_CHANGED: ("diubah menurut daftar", "changed to the list's data"),
    Act.IMPORT_WITHDRAWN: ("dikeluarkan dari daftar", "withdrawn from the list"),
    Act.EXTENDED: ("diperpanjang", "extended"),
    Act.CORRECTED: ("diperbaiki", "corrected"),
    Act.REVOKED: ("dicabut", "revoked"),
    Act.ACQUITTED: ("putusan bebas", "acquittal"),
    Act.ANNULLED: ("dibatalkan", "annulled"),
    Act.EXPIRED: ("berakhir jangka waktunya", "expired"),
    Act.LAPSED: ("gugur demi hukum", "lapsed by law"),
    Act.SUPERSEDED: ("digantikan keputusan formal", "replaced by its formal decision"),
    Act.SEALED: ("disegel", "sealed"),
    Act.ERASED: ("data pribadi dihapus", "personal data erased"),
}
"""Acts on an entry."""

AMENDMENTS = {
    "extension": ("perpanjangan", "extension"),
    "correction": ("perbaikan", "correction"),
    "revocation": ("pencabutan", "revocation"),
    "acquittal": ("putusan bebas", "acquittal"),
    "annulment": ("pembatalan", "annulment"),
}
AMENDED = {
    "filed": ("diajukan", "filed"),
    "verify": ("diverifikasi", "verified"),
    "return": ("dikembalikan", "returned"),
    "approve": ("disetujui", "approved"),
    "reject": ("ditolak", "rejected"),
}

ALERTS = {
    "raise": ("pemberitahuan pertama", "raised"),
    "update": ("perubahan", "updated"),
    "cancel": ("pencabutan pemberitahuan", "cancelled"),
}

KEPT: Final[dict[BlobKind, tuple[str, str]]] = {
    "photo": ("foto", "photo"),
    "letter": ("surat", "letter"),
    "citizenship_loss": ("dokumen kehilangan kewarganegaraan", "document of the loss of citizenship"),
    "judgment": ("putusan", "judgment"),
}
"""Every kind of stored files of an entry."""

SEXES = {"male": "Laki-laki", "female": "Perempuan", "unspecified": "Tidak ditentukan"}

DOCUMENTS = {
    "passport": "Paspor biasa",
    "service_passport": "Paspor dinas",
    "diplomatic_passport": "Paspor diplomatik",
    "travel_permit": "Surat Perjalanan Laksana Paspor",
    "national_id": "Kartu identitas",
    "other": "Dokumen lain",
}


def day(of: date) -> str:
    """Return a day in words: 23 November 2026."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def month(of: date) -> str:
    """Return the month of a day as a Roman numeral, such as XI for November, for a letter's number."""
    return _ROMAN[of.month - 1]


def moment(of: datetime) -> str:
    """Return an instant in words, in the time of WIB: 23 November 2026 pukul 10.00 WIB."""
    local = of.astimezone(WIB)
    return f"{day(local.date())} pukul {local:%H.%M} WIB"


def rupiah(amount: int) -> str:
    """Return an amount in rupiah as a letter writes it: Rp1.250.000.000,00."""
    return f"Rp{amount:,}".replace(",", ".") + ",00"


def partial(text: str) -> str:
    """Return a date in words: 1970, Mei 1970 or 17 Mei 1970 for the texts 1970, 1970-05 or 1970-05-17."""
    parts = [int(part) for part in text.split("-")]
    reversed_words = [str(parts[0]), *(_MONTHS[m - 1] for m in parts[1:2]), *(str(d) for d in parts[2:])]
    return " ".join(reversed(reversed_words))


def birth(of: Birth) -> str:
    """Return a birth date in words, as precise as it is known: a date or a part of it, an age, or a range (R17)."""
    if of.date is not None:
        return partial(of.date)
    if of.age is not None:
        return f"umur {of.age} tahun pada tanggal {partial(str(of.as_of))}"
    return f"antara {partial(str(of.from_))} dan {partial(str(of.to))}"


def state(code: str | None) -> str:
    """Return a country's Indonesian name with its ICAO code, or an unknown code alone; "tidak disebutkan" for None."""
    if code is None:
        return "tidak disebutkan"
    names = states.name(code)
    return code if names is None else f"{names[1]} ({code})"


_POSITIONS = {
    "duty_officer": "Pejabat Imigrasi yang bertugas piket",
    "approver": "Pejabat Imigrasi yang berwenang menyetujui",
}


def position(client: Mapping[str, Any] | None) -> str:
    """Return the position of a duty officer or approver, in Indonesian, followed by the code of the office if known.

    `client` has the members `roles` and `office` of the officer's client; None if the client is unknown. The text is
    empty for an unknown client and for one with neither of the two roles.
    """
    roles = () if client is None else client["roles"]
    found = next((name for role, name in _POSITIONS.items() if role in roles), "")
    office = client["office"] if client is not None else None
    return f"{found}, {office}" if found and office else found


def both(of: tuple[str, str]) -> str:
    """Return both texts of a pair, Indonesian and English, as one text separated by " / "."""
    return " / ".join(of)


def act(code: str) -> str:
    """Return the name of an act on an entry or an amendment, as "Indonesian / English".

    Args:
        code: an `Act`, or an amendment's kind and its step joined by `_`, such as `extension_approve`.

    Raises:
        ValueError: the code is neither.
    """
    kind, _, done = code.partition("_")
    if kind in AMENDMENTS and done in AMENDED:
        (noun_id, noun_en), (verb_id, verb_en) = AMENDMENTS[kind], AMENDED[done]
        return both((f"{noun_id} {verb_id}", f"{noun_en} {verb_en}"))
    return both(ACTS[Act(code)])
