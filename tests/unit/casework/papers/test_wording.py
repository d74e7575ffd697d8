"""Which letter an entry's record calls for, and what it says."""

from dataclasses import replace
from datetime import UTC, date, datetime

import msgspec
import pytest

from app.casework.papers import corrected, words
from app.casework.papers.domain import Context, LetterKind, Owner, Refusal
from app.casework.papers.letter.wording import FREE
from app.kit.clock import day_begins
from app.ledger.domain import RecordType
from app.register.entries.domain import Basis, EndedReason, Entry, Ruling, RulingKind, State
from app.register.entries.subjects import Alias
from tests.unit.casework.papers import examples
from tests.unit.casework.papers.examples import (
    active,
    ended,
    extended,
    letter,
    lifetime,
    office,
    said,
    told,
    urgent,
)
from tests.unit.register.entries.examples import basis

LATER = datetime(2027, 5, 10, 3, tzinfo=UTC)
NO_EXTENSION = Context(extension_left=False)
OTHER = active(id="ent_other")
CLAIM = FREE.format(noun="Pencegahan")


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
        (ended(EndedReason.ANNULLED), RecordType.ENTRY_ENDED, LetterKind.ANNULMENT),
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
        (ended(EndedReason.ANNULLED), RecordType.ENTRY_ENDED, "1023/BATAL-CEGAH/XI/2026"),
        (ended(EndedReason.EXPIRED), RecordType.ENTRY_ENDED, "1023/AKHIR-CEGAH/XI/2026"),
    ],
)
def test_the_number_is_the_ledger_s(entry: Entry, what: RecordType, number: str):
    assert told(entry, what).number(office()) == number


def test_a_letter_is_dated_by_the_legal_day_of_its_record():
    assert told(active(), at=datetime(2026, 11, 23, 18, tzinfo=UTC)).day == date(2026, 11, 24)


def test_a_decision_tells_ground_period_and_rights():
    sentences = said(told(active()))
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
        assert part in sentences


def test_before_the_new_procedure_no_court_is_named():
    sentences = said(told(active(basis=basis(issued_on=date(2026, 1, 1)))))
    assert "praperadilan" not in sentences
    assert "Undang-Undang Nomor 20 Tahun 2025" not in sentences


def test_a_lifetime_is_told_as_one_and_an_administrative_measure_has_its_own_objection():
    sentences = said(told(lifetime()))
    assert "mulai tanggal 23 November 2026 untuk seumur hidup" in sentences
    assert "Peredaran narkotika lintas negara;" in sentences
    assert "21 (dua puluh satu) hari kerja" in sentences
    assert "Pasal 96" not in sentences
    assert "Pasal 97" not in sentences, "the law of exit bans is not that of entry bans"


def test_an_urgent_letter_tells_its_twenty_days_its_request_and_who_signed_for_whom():
    sentences = said(told(urgent(), RecordType.ENTRY_COUNTERSIGNED))
    assert "surat Nomor R-9/PENCEGAHAN/2026 tanggal 23 November 2026" in sentences
    assert (
        "pejabat pengganti dari Ketua KPK yang berhalangan, berdasarkan Surat Perintah Plh. Nomor 7"
        in sentences
    )
    assert "paling lama 20 (dua puluh) hari, terhitung mulai tanggal 23 November 2026" in sentences
    assert "sampai dengan tanggal 12 Desember 2026" in sentences
    assert "tidak dapat diperpanjang" in sentences
    asked, issued = letter(told(urgent(), RecordType.ENTRY_COUNTERSIGNED)).signatures
    assert (asked.title, asked.name) == ("Pejabat pengganti dari Ketua KPK", "")
    assert "198503152010019" in issued.note


def test_an_extension_begins_on_the_day_after_and_names_the_decision_that_it_goes_on_with():
    first = told(active())
    sentences = said(told(extended(), RecordType.ENTRY_EXTENDED, 2000, LATER), first, around=NO_EXTENSION)
    assert "Keputusan Nomor 1023/CEGAH/XI/2026 tanggal 23 November 2026" in sentences
    assert "berlaku terhitung mulai tanggal 24 Mei 2027 sampai dengan tanggal 23 November 2027" in sentences
    assert "(seluruhnya sejak tanggal 23 November 2026)" in sentences
    assert "tidak dapat diperpanjang lagi" in sentences
    assert "diperintahkan perpanjangan Pencegahan" in sentences


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
    sentences = said(told(ended(reason), RecordType.ENTRY_ENDED, 2000, LATER), told(active()))
    assert sentence in sentences
    assert "terhitung sejak tanggal 1 Maret 2027 pukul 11.00 WIB" in sentences
    assert "Keputusan Nomor 1023/CEGAH/XI/2026" in sentences
    assert "keberatan secara tertulis" not in sentences, "against what has ended no objection is filed (R38)"


def test_who_approved_stands_under_the_letter():
    asked, issued = letter(told(active())).signatures
    assert (asked.title, asked.body, asked.name) == ("Ketua KPK", examples.KPK, "Setya Budiwan")
    assert issued.note == "disetujui dalam register oleh pegawai nomor 198503152010013"


@pytest.mark.parametrize("reason", EndedReason)
def test_an_end_says_that_the_person_is_off_the_list_only_where_nothing_else_keeps_them_on_it(
    reason: EndedReason,
):
    of = told(ended(reason), RecordType.ENTRY_ENDED, 2000, LATER)
    free = said(of, told(active()))
    assert f"Pada tanggal {words.moment(LATER)} {CLAIM}" in free
    assert "tetap tercantum dalam daftar" not in free
    kept = said(of, told(active()), around=Context((OTHER,)))
    assert "tetap tercantum dalam daftar Pencegahan" in kept
    for each in (free, kept):
        assert "dikeluarkan dari daftar" not in each
    assert CLAIM not in kept


def test_an_end_that_is_not_on_record_yet_is_as_of_its_own_instant():
    of = told(ended(EndedReason.EXPIRED), RecordType.ENTRY_LISTED)
    assert f"Pada tanggal 1 Maret 2027 pukul 11.00 WIB {CLAIM}" in said(of)


def test_a_replaced_urgent_entry_names_the_formal_decision():
    over = urgent(state=State.ENDED, ended_reason=EndedReason.SUPERSEDED, ended_at=LATER)
    formal = active(id="ent_formal", formalises=over.id, basis=basis(number="R-2/2026"))
    letters = said(told(over, RecordType.ENTRY_ENDED), around=Context((formal,)))
    assert "keputusan formal, yaitu Perintah Komisi Pemberantasan Korupsi Nomor R-2/2026" in letters
    assert CLAIM not in letters


def test_an_annulment_is_no_revocation():
    letters = letter(told(ended(EndedReason.ANNULLED), RecordType.ENTRY_ENDED), told(active()))
    whole = "\n".join((letters.form, letters.about, letters.first_clause, *letters.considering)).lower()
    assert "pembatalan pencegahan" in whole
    assert letters.first_clause.startswith("Membatalkan")
    assert "cabut" not in whole


JUDGMENT = Ruling(RulingKind.ACQUITTAL, "1/Pid", "PN Jakarta", date(2027, 2, 1), date(2027, 2, 9))


def test_an_acquittal_works_from_the_day_it_became_final_and_says_when_it_was_recorded():
    over = ended(EndedReason.ACQUITTED, rulings=(JUDGMENT,))
    of = told(over, RecordType.ENTRY_ENDED, 2000, LATER)
    of = replace(of, record=replace(of.record, effective_at=day_begins(date(2027, 2, 9))))
    letters = said(of, told(active()))
    assert "putusan PN Jakarta Nomor 1/Pid tanggal 1 Februari 2027" in letters
    assert "kekuatan hukum tetap pada tanggal 9 Februari 2027" in letters
    assert (
        "terhitung sejak tanggal 9 Februari 2027, yaitu hari putusan bebas memperoleh kekuatan hukum tetap, dan "
        "dicatat dalam register pada tanggal 1 Maret 2027 pukul 11.00 WIB"
    ) in letters


def test_a_judgment_that_works_at_once_is_said_without_a_day_of_finality():
    at_once = msgspec.structs.replace(JUDGMENT, kind=RulingKind.ANNULMENT, final_on=None)
    letters = said(told(ended(EndedReason.ANNULLED, rulings=(at_once,)), RecordType.ENTRY_ENDED))
    assert "putusan PN Jakarta Nomor 1/Pid tanggal 1 Februari 2027" in letters
    assert "kekuatan hukum tetap pada tanggal" not in letters


def test_a_correction_says_each_member_with_its_old_and_its_new_value():
    before = active()
    subject = msgspec.structs.replace(before.subject, address="Jalan Melati 9", aliases=(Alias("Raka W."),))
    after = before.replace(
        subject=subject, basis=basis(reason_code="general_crime"), ends_on=date(2027, 3, 1)
    )
    of = replace(told(after, RecordType.ENTRY_CORRECTED), previous=before)
    changes = {name: (old, new) for name, old, new in letter(of, told(before)).changes}
    assert changes["Alamat"] == ("Jalan Cempaka 1", "Jalan Melati 9")
    assert changes["Nama lain (alias)"] == ("-", "Raka W.")
    assert changes["Jenis alasan"] == ("tindak pidana korupsi", "tindak pidana umum")
    assert changes["Hari terakhir"] == ("23 Mei 2027", "1 Maret 2027")
    assert "Nama lengkap" not in changes
    assert letter(told(before)).changes == []


def test_every_member_of_a_ground_has_its_label_in_a_correction():
    assert set(corrected._BASIS) == set(Basis.__struct_fields__)
    labels = [label for label, _ in corrected._BASIS.values()]
    assert len(set(labels)) == len(labels)


def test_later_letters_name_the_original_decision_and_what_changed_it():
    first, longer = told(active()), told(extended(), RecordType.ENTRY_EXTENDED, 2000, LATER)
    over = told(ended(EndedReason.EXPIRED, extension_count=1), RecordType.ENTRY_ENDED, 2100, LATER)
    letters = said(over, first, longer)
    assert "telah ditetapkan dengan Keputusan Nomor 1023/CEGAH/XI/2026" in letters
    assert "Nomor R-1/2026 tanggal 21 November 2026" in letters
    assert "diperpanjang dengan Keputusan Nomor 2000/PANJANG-CEGAH/V/2027 tanggal 10 Mei 2027" in letters


def test_a_rejection_says_why_and_who():
    over = told(urgent(state=State.REJECTED), RecordType.ENTRY_ENDED, 1030)
    refusals = (
        Refusal(
            "cli_1", "111", "Salah orang.", proposed=True, position="Pejabat Imigrasi yang bertugas piket"
        ),
        Refusal("cli_2", "222", "Benar salah orang."),
    )
    written = letter(replace(over, refusals=refusals), told(urgent(), RecordType.ENTRY_COUNTERSIGNED))
    grounds = "\n".join(written.considering)
    assert "diusulkan untuk ditolak oleh Pejabat Imigrasi yang bertugas piket (pegawai nomor 111)" in grounds
    assert "ditolak oleh Pejabat Imigrasi (pegawai nomor 222) dengan alasan: Benar salah orang;" in grounds
    assert written.signatures[-1].note == "ditolak dalam register oleh pegawai nomor 111 dan 222"


@pytest.mark.parametrize("entry", [active(), lifetime().replace(lifetime=False, ends_on=date(2031, 1, 1))])
def test_no_letter_speaks_of_an_extension_where_none_is_left(entry: Entry):
    assert "apabila tidak ada keputusan perpanjangan" in said(told(entry))
    none_left = said(told(entry), around=NO_EXTENSION)
    assert "apabila tidak ada keputusan perpanjangan" not in none_left
    assert "tidak dapat diperpanjang lagi dan berakhir demi hukum apabila jangka waktunya habis" in none_left


FINANCE = Owner.of("DJP", "KEMENKEU", "Direktorat Jenderal Pajak")


def test_a_tax_ban_is_the_minister_of_finance_s():
    tax = active(
        agency="DJP", basis=basis(instrument="decision", signed_by="Sari", signed_by_position="Direktur")
    )
    letters = said(told(tax), owner=FINANCE)
    assert "dengan Keputusan Menteri Keuangan Nomor R-1/2026" in letters
    assert "keberatan secara tertulis disertai alasan kepada Menteri Keuangan, selama" in letters
    asked, _ = letter(told(tax), owner=FINANCE).signatures
    assert (asked.title, asked.body, asked.name) == ("a.n. Menteri Keuangan", "Direktur", "Sari")
    by_himself = tax.replace(
        basis=basis(instrument="decision", signed_by="X", signed_by_position="Menteri Keuangan")
    )
    asked, _ = letter(told(by_himself), owner=FINANCE).signatures
    assert (asked.title, asked.body) == ("Menteri Keuangan", "")
    assert Owner.of("KPK", None, examples.KPK).minister is None


@pytest.mark.parametrize(
    ("name", "position"),
    [
        ("Ketua Komisi Pemberantasan Korupsi", "Ketua Komisi Pemberantasan Korupsi"),
        ("Setya Budiwan, Ketua Komisi Pemberantasan Korupsi", "Ketua Komisi Pemberantasan Korupsi"),
        (None, "Ketua Komisi Pemberantasan Korupsi"),
    ],
)
def test_no_position_is_said_twice(name: str | None, position: str):
    entry = active(basis=basis(signed_by=name, signed_by_position=position))
    letters = said(told(entry))
    assert f"{position}, {position}" not in letters
    assert f"{position}, {examples.KPK}" not in letters
    asked, _ = letter(told(entry)).signatures
    assert asked.body == ""
    assert position not in asked.name


def test_immigration_s_own_head_signs_once():
    own = lifetime()
    own = own.replace(
        basis=msgspec.structs.replace(own.basis, signed_by_position="Direktur Jenderal Imigrasi")
    )
    (issued,) = letter(told(own), owner=Owner("Direktorat Jenderal Imigrasi")).signatures
    assert issued.title == "a.n. Direktur Jenderal Imigrasi"
