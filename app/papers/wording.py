"""A letter about an entry, in words: the dictum, who signs, who gets a copy; pure."""

from collections.abc import Iterator
from datetime import date, timedelta

from app.entries.deadlines import TO_PERSON_DAYS, deliver_by
from app.entries.domain import Basis, Entry, Measure
from app.papers import grounds, person, words
from app.papers.domain import Letter, LetterKind, Office, Proof, Signature, Told

_LAW = "Undang-Undang Nomor 6 Tahun 2011"


def compose(told: Told, before: Told | None, office: Office, agency: str, proof: Proof) -> Letter:
    """The letter that a ledger record calls for.

    Args:
        told: the entry's version, and the record that tells it; it must have a kind.
        before: what the letter before was about, if there was one.
        office: who issues it.
        agency: name of the owner.
        proof: of the record.
    """
    entry, kind = told.entry, told.kind
    assert kind is not None, "only what has a kind has a letter"
    about = _about(entry, kind)
    notice = kind is LetterKind.ENDING
    return Letter(
        office=office,
        kind=kind,
        form="PEMBERITAHUAN" if notice else f"KEPUTUSAN {office.signatory.upper()}",
        number=told.number(office),
        about=about,
        day=told.day,
        considering=grounds.considering(told, before, office, agency, about),
        recalling=grounds.recalling(entry, told.basis),
        ruling="MEMBERITAHUKAN" if notice else "MEMUTUSKAN",
        first=_first(entry, kind),
        rulings=list(_rulings(told, before, agency)),
        dated="Dikeluarkan" if notice else "Ditetapkan",
        name=entry.subject.full_name,
        without_photo="(foto telah dihapus)" if entry.subject.photo else "(tidak ada foto)",
        identity=person.identity(entry),
        documents=person.documents(entry.subject),
        signatures=_signatures(told, office, agency),
        copies=(
            "Menteri Imigrasi dan Pemasyarakatan;",
            f"{agency};",
            "para Pejabat Imigrasi di Tempat Pemeriksaan Imigrasi dan para Kepala Kantor Imigrasi;",
            "Menteri Luar Negeri dan para Kepala Perwakilan Republik Indonesia;",
            "yang bersangkutan.",
        ),
        proof=proof,
    )


_VERBS = {
    LetterKind.DECISION: "",
    LetterKind.URGENT: "",
    LetterKind.EXTENSION: "perpanjangan ",
    LetterKind.CORRECTION: "perbaikan keputusan ",
    LetterKind.REVOCATION: "pencabutan ",
    LetterKind.ENDING: "berakhirnya ",
}


def _about(entry: Entry, kind: LetterKind) -> str:
    urgent = " dalam keadaan mendesak" if entry.urgent else ""
    noun = words.MEASURES[entry.measure][1]
    return f"{_VERBS[kind]}{noun}{urgent} terhadap {entry.subject.full_name}"


def _first(entry: Entry, kind: LetterKind) -> str:
    noun = words.MEASURES[entry.measure][1]
    if kind.ends:
        at = f" terhitung sejak tanggal {words.moment(entry.ended_at)}" if entry.ended_at else ""
        verb = "Mencabut" if kind is LetterKind.REVOCATION else "Menyatakan berakhir"
        return f"{verb} {noun} terhadap orang dengan identitas sebagaimana tersebut di bawah ini{at}."
    act = {
        LetterKind.EXTENSION: "Memperpanjang",
        LetterKind.CORRECTION: "Memperbaiki keputusan",
    }.get(kind, "Melaksanakan")
    urgent = " dalam keadaan mendesak" if entry.urgent else ""
    return f"{act} {noun}{urgent} terhadap orang dengan identitas sebagaimana tersebut di bawah ini."


def _rulings(told: Told, before: Told | None, agency: str) -> Iterator[str]:
    entry, kind = told.entry, told.kind
    noun = grounds.measure(entry)
    if kind is not None and kind.ends:
        yield (
            f"Nama yang bersangkutan dikeluarkan dari daftar {noun}; seluruh Tempat Pemeriksaan Imigrasi, Kantor "
            "Imigrasi, dan Perwakilan Republik Indonesia diberi tahu pada kesempatan pertama."
        )
        yield (
            "Surat ini tidak memengaruhi Pencegahan atau Penangkalan lain yang ditetapkan dengan keputusan "
            "tersendiri."
        )
        return
    yield _lasting(entry, _extended_from(told, before))
    yield _EFFECTS[entry.measure]
    yield from _limits(entry, kind)
    if deliver_by(entry) is not None:
        yield _delivery(entry, agency)
    yield _objection(entry, told.basis, agency)
    if grounds.criminal(entry):
        yield (
            "Keabsahan Pencegahan sebagai upaya paksa dapat diuji melalui praperadilan (Pasal 158 Undang-Undang "
            "Nomor 20 Tahun 2025)."
        )
    yield (
        "Apabila terdapat kekeliruan data dalam keputusan ini, akan diadakan perbaikan sebagaimana mestinya; "
        "yang bersangkutan berhak meminta perbaikan data pribadinya (Pasal 6 Undang-Undang Nomor 27 Tahun 2022)."
    )


_EFFECTS = {
    Measure.PREVENTION: (
        "Selama Pencegahan berlaku, yang bersangkutan dilarang keluar dari Wilayah Indonesia, dan Pejabat Imigrasi "
        "di setiap Tempat Pemeriksaan Imigrasi menolaknya untuk keluar dari Wilayah Indonesia."
    ),
    Measure.DETERRENCE: (
        "Selama Penangkalan berlaku, yang bersangkutan dilarang masuk ke Wilayah Indonesia, dan Pejabat Imigrasi "
        "di setiap Tempat Pemeriksaan Imigrasi menolaknya untuk masuk ke Wilayah Indonesia (Pasal 13 ayat (1) "
        f"huruf a {_LAW})."
    ),
}


def _lasting(entry: Entry, extended_from: date | None) -> str:
    noun = grounds.measure(entry)
    whole = ""
    if extended_from is not None and extended_from > entry.starts_on:
        whole = f" (seluruhnya sejak tanggal {words.day(entry.starts_on)})"
    if entry.urgent:
        return (
            f"{noun} berlaku paling lama 20 (dua puluh) hari, {grounds.period(entry)}; hari pertama dan hari "
            "terakhir termasuk, dan hari terakhir berakhir pukul 24.00 WIB."
        )
    if entry.ends_on is None:
        return f"{noun} berlaku {grounds.period(entry)}."
    return (
        f"{noun} berlaku {grounds.period(entry, extended_from)}{whole}; hari terakhir termasuk dan berakhir "
        "pukul 24.00 WIB."
    )


def _extended_from(told: Told, before: Told | None) -> date | None:
    """The first day of an extension: the day after the period that it follows (R22)."""
    if told.kind is not LetterKind.EXTENSION or before is None or before.entry.ends_on is None:
        return None
    return before.entry.ends_on + timedelta(days=1)


def _limits(entry: Entry, kind: LetterKind | None) -> Iterator[str]:
    if entry.urgent:
        yield (
            "Pencegahan dalam keadaan mendesak tidak dapat diperpanjang; apabila keputusan formal tidak diterima "
            "dalam jangka waktu tersebut, Pencegahan berakhir demi hukum dan permintaan yang sama tidak dapat "
            "diajukan kembali (Pasal 9 dan Pasal 11 Peraturan Menteri Imigrasi dan Pemasyarakatan Nomor 13 Tahun "
            "2025)."
            if entry.measure is Measure.PREVENTION
            else "Penangkalan dalam keadaan mendesak tidak dapat diperpanjang; apabila keputusan formal tidak "
            "diterima dalam jangka waktu tersebut, Penangkalan berakhir demi hukum."
        )
        return
    if entry.measure is Measure.DETERRENCE:
        if not entry.lifetime:
            yield f"Penangkalan berakhir demi hukum apabila tidak diperpanjang (Pasal 102 {_LAW})."
        return
    extended = kind is LetterKind.EXTENSION or entry.extension_count > 0
    more = "Pencegahan tidak dapat diperpanjang lagi dan" if extended else "Pencegahan"
    unless = "jangka waktunya habis" if extended else "tidak ada keputusan perpanjangan"
    yield (
        f"{more} berakhir demi hukum apabila {unless} (Pasal 97 ayat (1) dan ayat (2) {_LAW}), atau apabila "
        "putusan pengadilan yang telah memperoleh kekuatan hukum tetap menyatakan yang bersangkutan bebas atas "
        f"perkara yang menjadi alasan Pencegahan (Pasal 97 ayat (3) {_LAW})."
    )


def _delivery(entry: Entry, agency: str) -> str:
    until = words.day(entry.decided_on + timedelta(days=TO_PERSON_DAYS))
    article = f" (Pasal 94 ayat (3) {_LAW})" if entry.measure is Measure.PREVENTION else ""
    return (
        f"{agency} menyampaikan keputusan kepada yang bersangkutan paling lambat 7 (tujuh) hari terhitung sejak "
        f"tanggal keputusannya, yaitu paling lambat tanggal {until}{article}."
    )


def _objection(entry: Entry, basis: Basis, agency: str) -> str:
    if basis.instrument == "administrative_action":
        return (
            "Yang bersangkutan dapat mengajukan keberatan secara tertulis dalam bahasa Indonesia kepada Direktur "
            "Jenderal Imigrasi paling lambat 21 (dua puluh satu) hari kerja sejak keputusan diterima (Pasal 73 "
            "Peraturan Menteri Imigrasi dan Pemasyarakatan Nomor 2 Tahun 2025); keberatan tidak menunda "
            "pelaksanaannya."
        )
    noun = grounds.measure(entry)
    position = basis.signed_by_position
    to = f"{position}, {agency}" if position else f"pejabat {agency} yang menetapkan"
    article = f" (Pasal 96 {_LAW})" if entry.measure is Measure.PREVENTION else ""
    return (
        f"Yang bersangkutan dapat mengajukan keberatan secara tertulis disertai alasan kepada {to}, selama "
        f"{noun} berlaku; keberatan tidak menunda pelaksanaan {noun}{article}."
    )


def _signatures(told: Told, office: Office, agency: str) -> list[Signature]:
    entry, kind = told.entry, told.kind
    by = told.amendment.approved_by if told.amendment else None
    if kind is not None and kind.ends and by is None:
        note = f"menurut catatan register nomor {told.record.sequence}"
    elif kind is LetterKind.URGENT:
        note = f"disahkan dalam register oleh pegawai nomor {entry.countersigner}"
    else:
        persons = [by] if by else entry.approved_by
        note = f"disetujui dalam register oleh pegawai nomor {' dan '.join(persons)}"
    issued = Signature(f"a.n. {office.signatory}", "Pejabat Imigrasi yang ditunjuk", "", note)
    return [issued] if kind is not None and kind.ends else [_asked(entry, told.basis, agency), issued]


def _asked(entry: Entry, basis: Basis, agency: str) -> Signature:
    """The owner's official, whose own signature stands on the owner's letter."""
    title, name = basis.signed_by_position or f"Pejabat {grounds.role(entry)}", basis.signed_by or ""
    form, number = words.INSTRUMENTS[basis.instrument][0], basis.number
    if entry.urgent and entry.letter is not None:
        form, number = "Surat permintaan", entry.letter.number
    if entry.substitute is not None:
        title, name = f"Pejabat pengganti dari {entry.substitute.absent_head}", ""
    return Signature(title, agency, name, f"tanda tangan pada {form} Nomor {number}")
