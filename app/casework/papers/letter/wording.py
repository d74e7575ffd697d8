"""The text of a letter about an entry: its clauses, signatures and recipients of copies (no I/O)."""

import re
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from app.casework.papers import corrected, words
from app.casework.papers.domain import (
    Context,
    Letter,
    LetterKind,
    Office,
    Owner,
    Proof,
    RecordedVersion,
    Signature,
)
from app.casework.papers.letter import grounds, person
from app.kit.clock import legal_day
from app.register.entries.domain import Basis, EndedReason, Entry, Measure
from app.register.entries.law.deadlines import TO_PERSON_DAYS, deliver_by

_LAW = "Undang-Undang Nomor 6 Tahun 2011"


def compose(
    recorded: RecordedVersion,
    earlier: Sequence[RecordedVersion],
    office: Office,
    owner: Owner,
    context: Context,
    proof: Proof,
) -> Letter:
    """Return the content of the letter that a ledger record requires.

    Args:
        recorded: the entry's version and the ledger record that published it; its `kind` must not be None.
        earlier: the versions that earlier letters about the entry are about, oldest first.
        office: the office that issues the letter.
        owner: the entry's owner.
        context: facts about other entries in the register when the record was published.
        proof: the proof of the record.
    """
    entry, kind = recorded.entry, recorded.kind
    assert kind is not None, "only what has a kind has a letter"
    about = _about(entry, kind)
    notice = kind is LetterKind.ENDING
    return Letter(
        office=office,
        kind=kind,
        form="PEMBERITAHUAN" if notice else f"KEPUTUSAN {office.signatory.upper()}",
        number=recorded.number(office),
        about=about,
        day=recorded.day,
        considering=grounds.considering(recorded, earlier, office, owner, context, about),
        recalling=grounds.recalling(entry, recorded.basis),
        clauses_heading="MEMBERITAHUKAN" if notice else "MEMUTUSKAN",
        first_clause=_first(recorded, kind),
        further_clauses=list(_rulings(recorded, earlier, owner, context)),
        dated="Dikeluarkan" if notice else "Ditetapkan",
        name=entry.subject.full_name,
        without_photo="(foto telah dihapus)" if entry.subject.photo else "(tidak ada foto)",
        identity=person.identity(entry),
        documents=person.documents(entry.subject),
        changes=_changes(recorded),
        signatures=_signatures(recorded, office, owner),
        copies=(
            "Menteri Imigrasi dan Pemasyarakatan;",
            f"{owner.name};",
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
    LetterKind.ANNULMENT: "pembatalan ",
    LetterKind.ENDING: "berakhirnya ",
}


def _about(entry: Entry, kind: LetterKind) -> str:
    urgent = " dalam keadaan mendesak" if entry.urgent else ""
    noun = words.MEASURES[entry.measure][1]
    return f"{_VERBS[kind]}{noun}{urgent} terhadap {entry.subject.full_name}"


_ENDS = {
    LetterKind.REVOCATION: "Mencabut",
    LetterKind.ANNULMENT: "Membatalkan",
    LetterKind.ENDING: "Menyatakan berakhir",
}


def _first(recorded: RecordedVersion, kind: LetterKind) -> str:
    entry = recorded.entry
    noun = words.MEASURES[entry.measure][1]
    if kind.ends:
        return (
            f"{_ENDS[kind]} {noun} terhadap orang dengan identitas sebagaimana tersebut di bawah ini"
            f"{_since(recorded)}."
        )
    act = {
        LetterKind.EXTENSION: "Memperpanjang",
        LetterKind.CORRECTION: "Memperbaiki keputusan",
    }.get(kind, "Melaksanakan")
    urgent = " dalam keadaan mendesak" if entry.urgent else ""
    return f"{act} {noun}{urgent} terhadap orang dengan identitas sebagaimana tersebut di bawah ini."


def _since(recorded: RecordedVersion) -> str:
    """Return the words about the day from which an end takes effect; an acquittal, when it became final (R37)."""
    entry, judged = recorded.entry, grounds.ruling(recorded)
    if entry.ended_at is None:
        return ""
    effective = recorded.record.effective_at
    if entry.ended_reason is not EndedReason.ACQUITTED or judged is None or effective is None:
        return f" terhitung sejak tanggal {words.moment(entry.ended_at)}"
    since = legal_day(effective)
    final = ", yaitu hari putusan bebas memperoleh kekuatan hukum tetap" if since == judged.final_on else ""
    return (
        f" terhitung sejak tanggal {words.day(since)}{final}, dan dicatat dalam register pada tanggal "
        f"{words.moment(entry.ended_at)}"
    )


def _changes(recorded: RecordedVersion) -> list[corrected.Change]:
    if recorded.kind is not LetterKind.CORRECTION or recorded.previous is None:
        return []
    return corrected.changes(recorded.previous, recorded.entry)


def _rulings(
    recorded: RecordedVersion, earlier: Sequence[RecordedVersion], owner: Owner, context: Context
) -> Iterator[str]:
    entry, kind = recorded.entry, recorded.kind
    if kind is not None and kind.ends:
        yield from _off_the_list(recorded, context)
        return
    if kind is LetterKind.CORRECTION:
        yield "Yang diperbaiki dimuat dalam daftar perbaikan di atas; selebihnya keputusan tersebut tetap berlaku."
    yield _lasting(entry, _extended_from(recorded, earlier))
    yield _EFFECTS[entry.measure]
    yield from _limits(entry, context)
    if deliver_by(entry) is not None:
        yield _delivery(entry, owner)
    yield _objection(entry, recorded.basis, owner)
    if grounds.criminal(entry):
        yield (
            "Keabsahan Pencegahan sebagai upaya paksa dapat diuji melalui praperadilan (Pasal 158 Undang-Undang "
            "Nomor 20 Tahun 2025)."
        )
    yield (
        "Apabila terdapat kekeliruan data dalam keputusan ini, akan diadakan perbaikan sebagaimana mestinya; "
        "yang bersangkutan berhak meminta perbaikan data pribadinya (Pasal 6 Undang-Undang Nomor 27 Tahun 2022)."
    )


FREE = "register tidak memuat {noun} lain terhadap yang bersangkutan"
"""The only sentence by which a letter states that the register has no other measure against a person."""


def _off_the_list(recorded: RecordedVersion, context: Context) -> Iterator[str]:
    """Yield the sentences about the list: the measure is removed, and the person too if no other one remains."""
    noun = grounds.measure(recorded.entry)
    yield (
        f"{noun} tersebut tidak lagi dimuat dalam daftar {noun}; seluruh Tempat Pemeriksaan Imigrasi, Kantor Imigrasi, "
        "dan Perwakilan Republik Indonesia diberi tahu pada kesempatan pertama."
    )
    if context.others:
        yield (
            f"Nama yang bersangkutan tetap tercantum dalam daftar {noun} atas dasar keputusan lain yang berlaku atau "
            "akan berlaku; surat ini tidak memengaruhi keputusan itu."
        )
        return
    yield (
        f"Pada tanggal {words.moment(recorded.moment)} {FREE.format(noun=noun)}. Surat ini tidak memengaruhi "
        "Pencegahan atau Penangkalan yang ditetapkan dengan keputusan tersendiri."
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


def _extended_from(recorded: RecordedVersion, earlier: Sequence[RecordedVersion]) -> date | None:
    """Return the first day of an extension, which is the day after the previous period (R22).

    Returns None for others.
    """
    if recorded.kind is not LetterKind.EXTENSION or not earlier:
        return None
    last_day = earlier[-1].entry.ends_on
    return None if last_day is None else last_day + timedelta(days=1)


def _limits(entry: Entry, context: Context) -> Iterator[str]:
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
    noun = grounds.measure(entry)
    more = noun if context.extension_left else f"{noun} tidak dapat diperpanjang lagi dan"
    unless = "tidak ada keputusan perpanjangan" if context.extension_left else "jangka waktunya habis"
    if entry.measure is Measure.DETERRENCE:
        if not entry.lifetime:
            yield f"{more} berakhir demi hukum apabila {unless} (Pasal 102 {_LAW})."
        return
    yield (
        f"{more} berakhir demi hukum apabila {unless} (Pasal 97 ayat (1) dan ayat (2) {_LAW}), atau apabila "
        "putusan pengadilan yang telah memperoleh kekuatan hukum tetap menyatakan yang bersangkutan bebas atas "
        f"perkara yang menjadi alasan Pencegahan (Pasal 97 ayat (3) {_LAW})."
    )


def _delivery(entry: Entry, owner: Owner) -> str:
    until = words.day(entry.decided_on + timedelta(days=TO_PERSON_DAYS))
    article = f" (Pasal 94 ayat (3) {_LAW})" if entry.measure is Measure.PREVENTION else ""
    return (
        f"{owner.name} menyampaikan keputusan kepada yang bersangkutan paling lambat 7 (tujuh) hari terhitung sejak "
        f"tanggal keputusannya, yaitu paling lambat tanggal {until}{article}."
    )


def _objection(entry: Entry, basis: Basis, owner: Owner) -> str:
    if basis.instrument == "administrative_action":
        return (
            "Yang bersangkutan dapat mengajukan keberatan secara tertulis dalam bahasa Indonesia kepada Direktur "
            "Jenderal Imigrasi paling lambat 21 (dua puluh satu) hari kerja sejak keputusan diterima (Pasal 73 "
            "Peraturan Menteri Imigrasi dan Pemasyarakatan Nomor 2 Tahun 2025); keberatan tidak menunda "
            "pelaksanaannya."
        )
    noun = grounds.measure(entry)
    to = owner.minister or _office_of(basis.signed_by_position, owner)
    article = f" (Pasal 96 {_LAW})" if entry.measure is Measure.PREVENTION else ""
    return (
        f"Yang bersangkutan dapat mengajukan keberatan secara tertulis disertai alasan kepada {to}, selama "
        f"{noun} berlaku; keberatan tidak menunda pelaksanaan {noun}{article}."
    )


def _office_of(position: str | None, owner: Owner) -> str:
    """Return the deciding official's position with the owner's name, without repetition."""
    if not position:
        return f"pejabat {owner.name} yang menetapkan"
    return position if owner.name.casefold() in position.casefold() else f"{position}, {owner.name}"


def _signatures(recorded: RecordedVersion, office: Office, owner: Owner) -> list[Signature]:
    entry, kind = recorded.entry, recorded.kind
    by = recorded.amendment.approved_by if recorded.amendment else None
    if recorded.refusals:
        persons = [each.person for each in recorded.refusals if each.person is not None]
        note = f"ditolak dalam register oleh pegawai nomor {' dan '.join(dict.fromkeys(persons))}"
    elif kind is not None and kind.ends and by is None:
        note = f"menurut catatan register nomor {recorded.record.sequence}"
    elif kind is LetterKind.URGENT:
        note = f"disahkan dalam register oleh pegawai nomor {entry.countersigner}"
    else:
        persons = (
            list(filter(None, (recorded.amendment.first_approver, by)))
            if recorded.amendment
            else [*entry.approved_by]
        )
        note = f"disetujui dalam register oleh pegawai nomor {' dan '.join(persons)}"
    issued = Signature(f"a.n. {office.signatory}", "Pejabat Imigrasi yang ditunjuk", "", note)
    if kind is not None and kind.ends:
        return [issued]
    ordered_by = _owner_signature(entry, recorded.basis, owner)
    return [issued] if ordered_by.title.casefold() == office.signatory.casefold() else [ordered_by, issued]


def _owner_signature(entry: Entry, basis: Basis, owner: Owner) -> Signature:
    """Return the signature block of the owner's official, who signed the owner's letter."""
    title, name = basis.signed_by_position or f"Pejabat {grounds.role(entry)}", basis.signed_by or ""
    body = "" if owner.name.casefold() in title.casefold() else owner.name
    if owner.minister is not None:
        on_behalf = title.casefold() != owner.minister.casefold()
        title, body = (f"a.n. {owner.minister}", title) if on_behalf else (owner.minister, "")
    name = re.sub(re.escape(title), "", name, flags=re.IGNORECASE).strip(" ,")
    form, number = words.INSTRUMENTS[basis.instrument][0], basis.number
    if entry.urgent and entry.letter is not None:
        form, number = "Surat permintaan", entry.letter.number
    if entry.substitute is not None:
        title, name = f"Pejabat pengganti dari {entry.substitute.absent_head}", ""
    return Signature(title, body, name, f"tanda tangan pada {form} Nomor {number}")
