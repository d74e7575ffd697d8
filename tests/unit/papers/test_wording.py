"""Which letter an entry's record calls for, and what it says."""

from datetime import UTC, date, datetime

import pytest

from app.entries.domain import EndedReason, Entry, State
from app.ledger.domain import RecordType
from app.papers.domain import LetterKind
from tests.unit.entries.examples import basis
from tests.unit.papers import examples
from tests.unit.papers.examples import active, ended, extended, letter, lifetime, office, said, told, urgent

LATER = datetime(2027, 5, 10, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entry", "what", "kind"),
    [
        (active(), RecordType.ENTRY_LISTED, LetterKind.DECISION),
        (active(extension_count=1), RecordType.ENTRY_LISTED, LetterKind.EXTENSION),
        (extended(), RecordType.ENTRY_EXTENDED, LetterKind.EXTENSION),
        (extended(), RecordType.ENTRY_CORRECTED, LetterKind.CORRECTION),
        (urgent(), RecordType.ENTRY_COUNTERSIGNED, LetterKind.URGENT),
        (urgent(countersigned_at=None), RecordType.ENTRY_PROVISIONAL, None),
        (ended(EndedReason.REVOKED), RecordType.ENTRY_ENDED, LetterKind.REVOCATION),
        (ended(EndedReason.ANNULLED), RecordType.ENTRY_ENDED, LetterKind.REVOCATION),
        (ended(EndedReason.EXPIRED), RecordType.ENTRY_ENDED, LetterKind.ENDING),
        (ended(EndedReason.ACQUITTED), RecordType.ENTRY_ENDED, LetterKind.ENDING),
        (
            urgent(state=State.ENDED, ended_reason=EndedReason.LAPSED),
            RecordType.ENTRY_ENDED,
            LetterKind.ENDING,
        ),
        (
            urgent(state=State.ENDED, ended_reason=EndedReason.LAPSED, countersigned_at=None),
            RecordType.ENTRY_ENDED,
            None,
        ),
        (urgent(state=State.REJECTED), RecordType.ENTRY_ENDED, LetterKind.ENDING),
        (urgent(state=State.REJECTED, countersigned_at=None), RecordType.ENTRY_ENDED, None),
        (active(state=State.SUBMITTED), RecordType.ENTRY_LISTED, None),
    ],
)
def test_the_record_decides_which_letter_there_is(entry: Entry, what: RecordType, kind: LetterKind | None):
    assert told(entry, what).kind is kind


@pytest.mark.parametrize(
    ("entry", "what", "number"),
    [
        (active(), RecordType.ENTRY_LISTED, "1023/CEGAH/XI/2026"),
        (lifetime(), RecordType.ENTRY_LISTED, "1023/TANGKAL/XI/2026"),
        (urgent(), RecordType.ENTRY_COUNTERSIGNED, "1023/MENDESAK-CEGAH/XI/2026"),
        (extended(), RecordType.ENTRY_EXTENDED, "1023/PANJANG-CEGAH/XI/2026"),
        (ended(EndedReason.REVOKED), RecordType.ENTRY_ENDED, "1023/CABUT-CEGAH/XI/2026"),
        (ended(EndedReason.EXPIRED), RecordType.ENTRY_ENDED, "1023/AKHIR-CEGAH/XI/2026"),
    ],
)
def test_the_number_is_the_ledger_s(entry: Entry, what: RecordType, number: str):
    assert told(entry, what).number(office()) == number


def test_a_letter_is_dated_by_the_legal_day_of_its_record():
    assert told(active(), at=datetime(2026, 11, 23, 18, tzinfo=UTC)).day == date(2026, 11, 24)


def test_a_decision_tells_ground_period_and_rights():
    words = said(told(active()))
    for part in (
        "Perintah Komisi Pemberantasan Korupsi Nomor R-1/2026 tanggal 21 November 2026",
        "ditandatangani oleh Setya Budiwan, Ketua KPK",
        "tersangka",
        "Suspected of taking a bribe;",
        "UU 19/2019 Pasal 12 ayat (2) huruf a",
        "mulai tanggal 23 November 2026 sampai dengan tanggal 23 Mei 2027",
        "paling lambat tanggal 28 November 2026 (Pasal 94 ayat (3)",
        "keberatan secara tertulis disertai alasan kepada Ketua KPK",
        "(Pasal 96 ",
        "Pasal 97 ayat (3)",
        "praperadilan (Pasal 158",
    ):
        assert part in words


def test_before_the_new_procedure_no_court_is_named():
    words = said(told(active(basis=basis(issued_on=date(2026, 1, 1)))))
    assert "praperadilan" not in words
    assert "Undang-Undang Nomor 20 Tahun 2025" not in words


def test_a_lifetime_is_told_as_one_and_an_administrative_measure_has_its_own_objection():
    words = said(told(lifetime()))
    assert "mulai tanggal 23 November 2026 untuk seumur hidup" in words
    assert "Peredaran narkotika lintas negara;" in words
    assert "21 (dua puluh satu) hari kerja" in words
    assert "Pasal 96" not in words
    assert "Pasal 97" not in words, "the law of exit bans is not that of entry bans"


def test_an_urgent_letter_tells_its_twenty_days_its_request_and_who_signed_for_whom():
    words = said(told(urgent(), RecordType.ENTRY_COUNTERSIGNED))
    assert "surat Nomor R-9/PENCEGAHAN/2026 tanggal 23 November 2026" in words
    assert (
        "pejabat pengganti dari Ketua KPK yang berhalangan, berdasarkan Surat Perintah Plh. Nomor 7" in words
    )
    assert "paling lama 20 (dua puluh) hari, terhitung mulai tanggal 23 November 2026" in words
    assert "sampai dengan tanggal 12 Desember 2026" in words
    assert "tidak dapat diperpanjang" in words
    asked, issued = letter(told(urgent(), RecordType.ENTRY_COUNTERSIGNED)).signatures
    assert (asked.title, asked.name) == ("Pejabat pengganti dari Ketua KPK", "")
    assert "198503152010019" in issued.note


def test_an_extension_begins_on_the_day_after_and_names_the_decision_that_it_goes_on_with():
    first = told(active())
    words = said(told(extended(), RecordType.ENTRY_EXTENDED, 2000, LATER), first)
    assert "Keputusan Nomor 1023/CEGAH/XI/2026 tanggal 23 November 2026" in words
    assert "berlaku terhitung mulai tanggal 24 Mei 2027 sampai dengan tanggal 23 November 2027" in words
    assert "(seluruhnya sejak tanggal 23 November 2026)" in words
    assert "tidak dapat diperpanjang lagi" in words
    assert "diperintahkan perpanjangan Pencegahan" in words


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (EndedReason.EXPIRED, "telah berakhir tanpa keputusan perpanjangan"),
        (EndedReason.LAPSED, "tidak dapat diajukan kembali"),
        (EndedReason.REVOKED, "selaku instansi yang menetapkan, telah mencabut"),
        (EndedReason.ACQUITTED, "bebas atas perkara Nomor Sprin.Dik-1"),
        (EndedReason.ANNULLED, "dibatalkan berdasarkan putusan pengadilan"),
        (EndedReason.SUPERSEDED, "telah digantikan oleh keputusan formal"),
    ],
)
def test_an_end_is_told_with_its_reason_and_its_instant(reason: EndedReason, sentence: str):
    words = said(told(ended(reason), RecordType.ENTRY_ENDED, 2000, LATER), told(active()))
    assert sentence in words
    assert "terhitung sejak tanggal 1 Maret 2027 pukul 11.00 WIB" in words
    assert "Keputusan Nomor 1023/CEGAH/XI/2026" in words
    assert "keberatan secara tertulis" not in words, "against what has ended no objection is filed (R38)"


def test_who_approved_stands_under_the_letter():
    asked, issued = letter(told(active())).signatures
    assert (asked.title, asked.body, asked.name) == ("Ketua KPK", examples.KPK, "Setya Budiwan")
    assert issued.note == "disetujui dalam register oleh pegawai nomor 198503152010013"
