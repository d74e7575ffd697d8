"""The sentences of a letter that give its grounds: "Menimbang" and "Mengingat"; pure."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from app.entries.domain import Basis, EndedReason, Entry, Measure, Ruling, RulingKind, State
from app.papers import words
from app.papers.domain import Around, LetterKind, Office, Owner, Told

_LAW = (
    "Undang-Undang Nomor 6 Tahun 2011 tentang Keimigrasian sebagaimana telah beberapa kali diubah terakhir "
    "dengan Undang-Undang Nomor 63 Tahun 2024, {articles}"
)
_ARTICLES = {
    Measure.PREVENTION: "khususnya Pasal 16, Pasal 91, Pasal 94, Pasal 96, dan Pasal 97",
    Measure.DETERRENCE: "khususnya Pasal 13, Pasal 98 sampai dengan Pasal 102",
}
_GENERAL_RULES = (
    "Peraturan Pemerintah Nomor 31 Tahun 2013 tentang Peraturan Pelaksanaan Undang-Undang Nomor 6 Tahun 2011 "
    "tentang Keimigrasian sebagaimana telah beberapa kali diubah terakhir dengan Peraturan Pemerintah Nomor 40 "
    "Tahun 2023"
)
_RULES = (
    "Peraturan Menteri Imigrasi dan Pemasyarakatan Nomor 13 Tahun 2025 tentang Pelaksanaan Pencegahan dan "
    "Penangkalan"
)
_ADMINISTRATIVE = (
    "Peraturan Menteri Imigrasi dan Pemasyarakatan Nomor 2 Tahun 2025, khususnya Pasal 73 tentang keberatan "
    "atas tindakan administratif keimigrasian"
)
_CRIMINAL_PROCEDURE = (
    "Undang-Undang Nomor 20 Tahun 2025 tentang Kitab Undang-Undang Hukum Acara Pidana, khususnya Pasal 89 dan "
    "Pasal 158"
)
NEW_PROCEDURE = date(2026, 1, 2)
"""From here on an exit ban in a criminal case is a coercive measure that a court may test (UU 20/2025 art. 89, 158)."""


def measure(entry: Entry) -> str:
    """The measure's noun: Pencegahan or Penangkalan."""
    return words.MEASURES[entry.measure][0]


def role(entry: Entry) -> str:
    """What the owner is in the measure: some decide or order it, others ask for it (UU 6/2011 art. 91(2))."""
    asks = entry.urgent or entry.basis.instrument in {"request", "supervision_report"}
    return "instansi pengusul" if asks else "instansi yang menetapkan"


def criminal(entry: Entry) -> bool:
    """Whether the measure belongs to a criminal case under the new code of procedure."""
    accused = entry.basis.subject_status in {"suspect", "defendant"}
    return accused and entry.measure is Measure.PREVENTION and entry.basis.issued_on >= NEW_PROCEDURE


def period(entry: Entry, starts_on: date | None = None) -> str:
    """The first and the last day, as a letter says them (R20-R27)."""
    first = words.day(starts_on or entry.starts_on)
    if entry.ends_on is None:
        return f"terhitung mulai tanggal {first} untuk seumur hidup"
    return f"terhitung mulai tanggal {first} sampai dengan tanggal {words.day(entry.ends_on)}"


def recalling(entry: Entry, basis: Basis) -> list[str]:
    """The law that a letter rests on, its own decision's included."""
    law = [_LAW.format(articles=_ARTICLES[entry.measure]), _GENERAL_RULES, _RULES]
    if criminal(entry):
        law.append(_CRIMINAL_PROCEDURE)
    if basis.instrument == "administrative_action":
        law.append(_ADMINISTRATIVE)
    law.append(f"Dasar hukum yang disebut {role(entry)}: {basis.law}")
    return [*(f"{each};" for each in law[:-1]), f"{law[-1].rstrip(' .;')}."]


def considering(
    told: Told, earlier: Sequence[Told], office: Office, owner: Owner, around: Around, about: str
) -> list[str]:
    """The grounds of a letter, in order, the last one concluding.

    Args:
        told: what the letter is about.
        earlier: what the letters before it were about, oldest first.
        office: who issues it.
        owner: of the entry.
        around: what else the register knew.
        about: the letter's subject.
    """
    grounds = list(_grounds(told, earlier, office, owner, around))
    last = "abcdefghijklmnopqrstuvwxyz"[len(grounds) - 1]
    which = "huruf a" if last == "a" else f"huruf a sampai dengan huruf {last}"
    act = "memberitahukan" if told.kind is LetterKind.ENDING else "menetapkan Keputusan tentang"
    return [
        *grounds,
        f"bahwa berdasarkan pertimbangan sebagaimana dimaksud dalam {which}, perlu {act} {about};",
    ]


_LATER = {
    LetterKind.EXTENSION: "diperpanjang",
    LetterKind.CORRECTION: "diperbaiki",
    LetterKind.DECISION: "ditetapkan kembali",
    LetterKind.URGENT: "disahkan",
}


def _grounds(
    told: Told, earlier: Sequence[Told], office: Office, owner: Owner, around: Around
) -> Iterator[str]:
    entry, kind = told.entry, told.kind
    if earlier and kind is not LetterKind.DECISION:
        yield from _before(earlier, office, owner)
    if kind is not None and kind.ends:
        yield from _ending(told, owner, around)
        return
    yield _requested(told, owner)
    yield from _reasons(entry, told.basis)
    if kind is LetterKind.EXTENSION and entry.measure is Measure.PREVENTION:
        yield "bahwa Pencegahan dapat diperpanjang hanya 1 (satu) kali untuk paling lama 6 (enam) bulan;"
    if kind is LetterKind.CORRECTION:
        yield "bahwa data orang yang dikenai, dasar keputusannya, atau jangka waktunya perlu diperbaiki;"
    yield _examined(entry)


_MOST_NAMED: Final = 8
"""Later letters that are named one by one: the points of a letter have the alphabet's letters."""


def _before(earlier: Sequence[Told], office: Office, owner: Owner) -> Iterator[str]:
    """The decision that made the measure, and what has changed it since (R36)."""
    first, *later = earlier
    yield (
        f"bahwa {measure(first.entry)} telah ditetapkan dengan Keputusan Nomor {first.number(office)} tanggal "
        f"{words.day(first.day)}, atas dasar {source(first.entry, first.basis, owner)}, {period(first.entry)};"
    )
    for each in later[-_MOST_NAMED:]:
        assert each.kind is not None, "only what has a letter is an earlier letter"
        resting = ""
        if each.kind is LetterKind.EXTENSION:
            resting = f", atas dasar {source(each.entry, each.basis, owner)}, {period(each.entry)}"
        yield (
            f"bahwa keputusan tersebut telah {_LATER[each.kind]} dengan Keputusan Nomor {each.number(office)} tanggal "
            f"{words.day(each.day)}{resting};"
        )


def source(entry: Entry, basis: Basis, owner: Owner) -> str:
    """The owner's letter, named by its number, so that an end refers to what it ends (R36)."""
    if entry.urgent and entry.letter is not None:
        return f"surat {owner.name} Nomor {entry.letter.number} tanggal {words.day(entry.letter.issued_on)}"
    form = words.INSTRUMENTS[basis.instrument][0]
    return f"{form} {owner.decider} Nomor {basis.number} tanggal {words.day(basis.issued_on)}"


def signed(basis: Basis) -> str:
    """Who signed the owner's letter, with their position; neither twice."""
    name, position = basis.signed_by or "", basis.signed_by_position or ""
    if position.casefold() in name.casefold():
        return name
    return position if name.casefold() in position.casefold() else f"{name}, {position}"


def _requested(told: Told, owner: Owner) -> str:
    entry, basis = told.entry, told.basis
    noun = words.MEASURES[entry.measure][1]
    if told.kind is LetterKind.EXTENSION:
        noun = f"perpanjangan {noun}"
    if entry.urgent and entry.letter is not None:
        asked = entry.requested_at or entry.received_at
        by = ""
        if entry.substitute is not None:
            by = (
                f", ditandatangani oleh pejabat pengganti dari {entry.substitute.absent_head} yang berhalangan, "
                f"berdasarkan {entry.substitute.mandate}"
            )
        return (
            f"bahwa dengan surat Nomor {entry.letter.number} tanggal {words.day(entry.letter.issued_on)}{by}, "
            f"{owner.name} pada tanggal {words.moment(asked)} meminta {noun} dalam keadaan mendesak terhadap "
            f"{entry.subject.full_name};"
        )
    act = words.INSTRUMENTS[basis.instrument][1]
    by = f", yang ditandatangani oleh {signed(basis)}," if signed(basis) else ""
    return f"bahwa dengan {source(entry, basis, owner)}{by} {act} {noun} terhadap {entry.subject.full_name};"


def _reasons(entry: Entry, basis: Basis) -> Iterator[str]:
    stage = f" pada tahap {words.STAGES[basis.stage]}" if basis.stage in words.STAGES else ""
    status = words.STATUSES.get(basis.subject_status)
    is_what = f" yang bersangkutan berstatus sebagai {status} dan" if status else ""
    yield (
        f"bahwa dalam perkara atau urusan Nomor {basis.case_reference}{stage}{is_what} {measure(entry)} "
        f"dilakukan dengan alasan {words.REASONS[basis.reason_code]}, yaitu: {basis.reason.rstrip(' .;')};"
    )
    if basis.amount_idr is not None:
        doubt = basis.good_faith_doubt
        why = f" dan iktikad baiknya diragukan karena: {doubt.rstrip(' .;')}" if doubt else ""
        yield f"bahwa jumlah yang belum dilunasi adalah {words.rupiah(basis.amount_idr)}{why};"
    if entry.lifetime and basis.lifetime_ground:
        yield (
            "bahwa yang bersangkutan dianggap dapat mengganggu keamanan dan ketertiban umum, karena: "
            f"{basis.lifetime_ground.rstrip(' .;')};"
        )


def _examined(entry: Entry) -> str:
    if entry.urgent:
        assert entry.countersigned_at is not None, "an urgent letter is one of a countersigned entry"
        return (
            "bahwa kelengkapan permintaan dan data perlintasan telah diperiksa, dan permintaan telah disahkan "
            f"oleh Pejabat Imigrasi pada tanggal {words.moment(entry.countersigned_at)};"
        )
    if entry.verified_by is None:
        return "bahwa data yang diambil alih dari daftar yang sah telah disetujui oleh dua orang pejabat;"
    return (
        f"bahwa kelengkapan dan keabsahan data telah diperiksa, diverifikasi oleh pejabat {role(entry)}, dan "
        "disetujui oleh Pejabat Imigrasi;"
    )


def _ending(told: Told, owner: Owner, around: Around) -> Iterator[str]:
    entry, noun = told.entry, measure(told.entry)
    by = _by(told)
    if entry.state is State.REJECTED:
        yield from _rejected(told)
        return
    match entry.ended_reason:
        case EndedReason.REVOKED:
            yield f"bahwa {owner.decider}, selaku {role(entry)}, telah mencabut {noun} tersebut{by};"
        case EndedReason.ANNULLED:
            by = by or " berdasarkan putusan pengadilan atau keputusan atas keberatan"
            yield f"bahwa {noun} tersebut dibatalkan{by};"
        case EndedReason.ACQUITTED:
            yield (
                f"bahwa yang bersangkutan dinyatakan bebas atas perkara Nomor {entry.basis.case_reference} yang "
                f"menjadi alasan {noun}{by or ' dengan putusan yang telah memperoleh kekuatan hukum tetap'}, "
                f"sehingga {noun} berakhir demi hukum (Pasal 97 ayat (3) Undang-Undang Nomor 6 Tahun 2011);"
            )
        case EndedReason.SUPERSEDED:
            by = _formal(told, around, owner)
            yield f"bahwa {noun} dalam keadaan mendesak telah digantikan oleh keputusan formal{by};"
        case EndedReason.LAPSED:
            yield (
                "bahwa keputusan formal tidak diterima dalam jangka waktu 20 (dua puluh) hari, sehingga "
                f"{noun} dalam keadaan mendesak berakhir demi hukum dan tidak dapat diajukan kembali;"
            )
        case _:
            extended = entry.extension_count > 0
            over = f"jangka waktu {'perpanjangan ' if extended else ''}{noun} telah berakhir"
            without = "" if extended else " tanpa keputusan perpanjangan"
            yield f"bahwa {over}{without}, sehingga {noun} berakhir demi hukum{_BY_LAW[entry.measure]};"


def _formal(told: Told, around: Around, owner: Owner) -> str:
    """The formal decision that replaced an urgent one, while it holds."""
    formal = next((other for other in around.others if other.formalises == told.entry.id), None)
    return "" if formal is None else f", yaitu {source(formal, formal.basis, owner)}, {period(formal)}"


def _rejected(told: Told) -> Iterator[str]:
    noun = measure(told.entry)
    if not told.refusals:
        yield f"bahwa permintaan {noun} dalam keadaan mendesak ditolak oleh Pejabat Imigrasi;"
    for each in told.refusals:
        done = "diusulkan untuk ditolak" if each.proposed else "ditolak"
        officer = each.position or "Pejabat Imigrasi"
        number = f" (pegawai nomor {each.person})" if each.person else ""
        why = f" dengan alasan: {each.reason.rstrip(' .;')}" if each.reason else ""
        yield f"bahwa permintaan {noun} dalam keadaan mendesak {done} oleh {officer}{number}{why};"


def ruling(told: Told) -> Ruling | None:
    """The judgment by which a measure ended, from the amendment or from the entry itself."""
    by = told.amendment
    if by is not None and by.judgment is not None:
        return by.ruling
    kinds = {EndedReason.ACQUITTED: RulingKind.ACQUITTAL, EndedReason.ANNULLED: RulingKind.ANNULMENT}
    kind = None if told.entry.ended_reason is None else kinds.get(told.entry.ended_reason)
    return next((each for each in reversed(told.entry.rulings) if each.kind is kind), None)


def _by(told: Told) -> str:
    """The letter and the judgment by which a measure ended, with the days of both (R36, R37)."""
    said, amendment, judged = "", told.amendment, ruling(told)
    if amendment is not None and amendment.letter is not None:
        letter = amendment.letter
        said = f" dengan surat Nomor {letter.number} tanggal {words.day(letter.issued_on)}"
    if amendment is not None and amendment.refers_to_number is not None:
        said += f" yang menunjuk Nomor {amendment.refers_to_number}"
    if judged is not None:
        judgment = amendment.judgment if amendment is not None else None
        case = judgment.case_reference if judgment is not None else told.entry.basis.case_reference
        said += (
            f" berdasarkan putusan {judged.court} Nomor {judged.number} tanggal "
            f"{words.day(judged.decided_on)} dalam perkara Nomor {case}"
        )
        if judged.final_on is not None:
            said += f", yang memperoleh kekuatan hukum tetap pada tanggal {words.day(judged.final_on)}"
    return said


_BY_LAW = {
    Measure.PREVENTION: " (Pasal 97 ayat (2) Undang-Undang Nomor 6 Tahun 2011)",
    Measure.DETERRENCE: " (Pasal 102 Undang-Undang Nomor 6 Tahun 2011)",
}
