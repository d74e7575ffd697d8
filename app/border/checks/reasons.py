"""The sentences, in Indonesian and English, that name each piece of evidence in an answer."""

from typing import Final

from app.matching.texts import TEXTS as OF_NAMES_AND_BIRTHS

TEXTS: Final[dict[tuple[str, str], tuple[str, str]]] = {
    **OF_NAMES_AND_BIRTHS,
    ("document_number", "equal"): ("Nomor dokumen sama.", "The document number is equal."),
    ("document_number", "confusable"): (
        "Nomor dokumen hanya berbeda pada karakter yang mudah tertukar.",
        "The document numbers differ only in characters that are easily confused.",
    ),
    ("document_number", "may_be_meant"): (
        "Isian nomor dokumen mungkin memuat nomor ini beserta kode negara, jenis, atau angka pemeriksa.",
        "The number may be this one, with a state's code, a type or a check digit beside it.",
    ),
    ("issuing_state", "equal"): ("Negara penerbit sama.", "The issuing state is equal."),
    ("issuing_state", "missing"): (
        "Negara penerbit tidak diketahui pada salah satu pihak.",
        "The issuing state is unknown on one side.",
    ),
    ("issuing_state", "different"): ("Negara penerbit berbeda.", "The issuing states differ."),
    ("nik", "equal"): ("NIK sama.", "The NIK is equal."),
    ("check_digits", "failed"): (
        "Angka pemeriksa pada MRZ tidak cocok.",
        "A check digit of the machine-readable zone fails.",
    ),
    ("name", "equal"): (
        "Nama sama setelah penyeragaman ejaan.",
        "The name is equal once spelling is folded.",
    ),
    ("name", "similar"): ("Nama mirip.", "The names are similar."),
    ("name", "different"): ("Nama berbeda ejaannya.", "The names are not equal."),
    ("citizenship", "citizenship_unproven"): (
        "Kewarganegaraan asing belum terbukti; penolakan masuk tidak diperbolehkan.",
        "No other nationality is proven, so entry may not be refused.",
    ),
    ("citizenship", "claims_wni"): (
        "Ada petunjuk WNI; WNI tidak dapat ditolak masuk (UU 6/2011 Pasal 14).",
        "Some data indicate an Indonesian; a citizen can't be refused entry (UU 6/2011 art. 14).",
    ),
    ("age", "under_18"): (
        "Mungkin di bawah 18 tahun; keputusan pada penyelia.",
        "May be under 18; the supervisor decides.",
    ),
    ("entry", "not_countersigned"): (
        "Data mendesak belum ditandatangani pejabat imigrasi.",
        "The urgent entry is not countersigned yet.",
    ),
    ("entry", "decision_pending"): (
        "Masa berlaku habis, berkas yang tiba tepat waktu belum diputus; jangan ditolak, penyelia memutuskan.",
        "The period is over, papers that came in time are undecided; do not refuse, the supervisor decides.",
    ),
}
"""The sentence for each feature and result of a comparison (`Reason`), in Indonesian and in English."""

INSTRUCTIONS: Final[dict[tuple[str, str], str]] = {
    ("prevention", "refuse"): "Refuse exit, keep the passport at the counter and call the contact.",
    ("prevention", "refer"): "Do not stamp; take the traveller to the supervisor, who calls the contact.",
    ("deterrence", "refuse"): "Refuse entry; supervise until removal and call the contact.",
    ("deterrence", "refer"): "Do not stamp; take the traveller to the supervisor, who calls the contact.",
}
"""The instruction for counters, by measure and outcome (R48: no case details)."""
