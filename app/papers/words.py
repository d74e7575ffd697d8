"""The Indonesian words of the register's codes, days and times, as official letters write them; pure."""

from datetime import date, datetime

from app.entries.domain import EndedReason, Measure
from app.identity import states
from app.identity.births import Birth
from app.kit.clock import WIB

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
"""Each measure's noun, and the same with what it forbids."""

INSTRUMENTS = {
    "decision": ("Keputusan", "ditetapkan"),
    "order": ("Perintah", "diperintahkan"),
    "request": ("Permintaan", "diminta"),
    "supervision_report": ("Laporan Hasil Pengawasan Keimigrasian", "diusulkan"),
    "administrative_action": ("Keputusan Tindakan Administratif Keimigrasian", "ditetapkan"),
}
"""Each legal form, and what its signatory does (UU 6/2011 art. 91(2))."""

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
    EndedReason.EXPIRED: "jangka waktu berakhir",
    EndedReason.LAPSED: "gugur demi hukum",
    EndedReason.REVOKED: "dicabut oleh instansi yang menetapkan",
    EndedReason.ACQUITTED: "putusan bebas yang telah memperoleh kekuatan hukum tetap",
    EndedReason.ANNULLED: "dibatalkan",
    EndedReason.SUPERSEDED: "digantikan oleh keputusan formal",
}

ACTS = {
    "submitted": "diajukan",
    "submitted_urgently": "diajukan secara mendesak",
    "resubmitted": "diajukan kembali",
    "verified": "diverifikasi",
    "returned": "dikembalikan",
    "approved": "disetujui",
    "rejected": "ditolak",
    "countersigned": "disahkan",
    "imported": "diambil alih dari daftar",
    "import_changed": "diubah menurut daftar",
    "import_withdrawn": "dikeluarkan dari daftar",
    "extended": "diperpanjang",
    "corrected": "diperbaiki",
    "revoked": "dicabut",
    "acquitted": "berakhir karena putusan bebas",
    "annulled": "dibatalkan",
    "expired": "berakhir jangka waktunya",
    "lapsed": "gugur demi hukum",
    "superseded": "digantikan keputusan formal",
    "formalised": "diikuti keputusan formal",
    "formalisation_ended": "keputusan formal berakhir sebelum berlaku",
}
"""What happened to an entry; an event that is not here is told by its code alone."""

AMENDMENTS = {
    "extension": "perpanjangan",
    "correction": "perbaikan",
    "revocation": "pencabutan",
    "acquittal": "putusan bebas",
    "annulment": "pembatalan",
}
AMENDED = {
    "filed": "diajukan",
    "verify": "diverifikasi",
    "return": "dikembalikan",
    "approve": "disetujui",
    "reject": "ditolak",
}

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
    """A day as a letter writes it: 23 November 2026."""
    return f"{of.day} {_MONTHS[of.month - 1]} {of.year}"


def month(of: date) -> str:
    """The month in Roman numerals, as letters' numbers have it."""
    return _ROMAN[of.month - 1]


def moment(of: datetime) -> str:
    """An instant with its zone: 23 November 2026 pukul 10.00 WIB."""
    there = of.astimezone(WIB)
    return f"{day(there.date())} pukul {there:%H.%M} WIB"


def rupiah(amount: int) -> str:
    """An amount of money: Rp1.250.000.000,00."""
    return f"Rp{amount:,}".replace(",", ".") + ",00"


def partial(text: str) -> str:
    """A date that may lack its day or month: 1970, Mei 1970, 17 Mei 1970."""
    parts = [int(part) for part in text.split("-")]
    said = [str(parts[0]), *(_MONTHS[m - 1] for m in parts[1:2]), *(str(d) for d in parts[2:])]
    return " ".join(reversed(said))


def birth(of: Birth) -> str:
    """What is known of a birth date, never sharper than given (R17)."""
    if of.date is not None:
        return partial(of.date)
    if of.age is not None:
        return f"umur {of.age} tahun pada tanggal {partial(str(of.as_of))}"
    return f"antara {partial(str(of.from_))} dan {partial(str(of.to))}"


def state(code: str | None) -> str:
    """A state's Indonesian name with its code; the bare code where it is not known."""
    if code is None:
        return "tidak disebutkan"
    names = states.name(code)
    return code if names is None else f"{names[1]} ({code})"


def act(code: str) -> str:
    """What somebody did about an entry or an amendment, with its code behind."""
    kind, _, verb = code.partition("_")
    said = ACTS.get(code)
    if said is None and kind in AMENDMENTS and verb in AMENDED:
        said = f"{AMENDMENTS[kind]} {AMENDED[verb]}"
    return code if said is None else f"{said} / {code}"
