"""The sentences of a letter that give its grounds: "Menimbang" and "Mengingat"; pure."""

from collections.abc import Iterator
from datetime import date

from app.amendments.domain import Amendment
from app.entries.domain import Basis, EndedReason, Entry, Measure, State
from app.papers import words
from app.papers.domain import LetterKind, Office, Told

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


def considering(told: Told, before: Told | None, office: Office, agency: str, about: str) -> list[str]:
    """The grounds of a letter, in order, the last one concluding.

    Args:
        told: what the letter is about.
        before: what the letter before it was about.
        office: who issues it.
        agency: name of the owner.
        about: the letter's subject.
    """
    grounds = list(_grounds(told, before, office, agency))
    last = "abcdefghijklmnopqrstuvwxyz"[len(grounds) - 1]
    which = "huruf a" if last == "a" else f"huruf a sampai dengan huruf {last}"
    act = "memberitahukan" if told.kind is LetterKind.ENDING else "menetapkan Keputusan tentang"
    return [
        *grounds,
        f"bahwa berdasarkan pertimbangan sebagaimana dimaksud dalam {which}, perlu {act} {about};",
    ]


def _grounds(told: Told, before: Told | None, office: Office, agency: str) -> Iterator[str]:
    entry, kind = told.entry, told.kind
    if before is not None and kind is not LetterKind.DECISION:
        yield (
            f"bahwa {measure(entry)} telah ditetapkan dengan Keputusan Nomor {before.number(office)} tanggal "
            f"{words.day(before.day)}, atas dasar {_source(before.entry, before.basis, agency)}, "
            f"{period(before.entry)};"
        )
    if kind is not None and kind.ends:
        yield from _ending(told, agency)
        return
    yield _requested(told, agency)
    yield from _reasons(entry, told.basis)
    if kind is LetterKind.EXTENSION and entry.measure is Measure.PREVENTION:
        yield "bahwa Pencegahan dapat diperpanjang hanya 1 (satu) kali untuk paling lama 6 (enam) bulan;"
    if kind is LetterKind.CORRECTION:
        yield "bahwa data orang yang dikenai, atau dasar keputusannya, perlu diperbaiki;"
    yield _examined(entry)


def _source(entry: Entry, basis: Basis, agency: str) -> str:
    """The owner's letter, named by its number, so that an end refers to what it ends (R36)."""
    if entry.urgent and entry.letter is not None:
        return f"surat {agency} Nomor {entry.letter.number} tanggal {words.day(entry.letter.issued_on)}"
    form = words.INSTRUMENTS[basis.instrument][0]
    return f"{form} {agency} Nomor {basis.number} tanggal {words.day(basis.issued_on)}"


def _requested(told: Told, agency: str) -> str:
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
            f"{agency} pada tanggal {words.moment(asked)} meminta {noun} dalam keadaan mendesak terhadap "
            f"{entry.subject.full_name};"
        )
    act = words.INSTRUMENTS[basis.instrument][1]
    signed = ", ".join(filter(None, (basis.signed_by, basis.signed_by_position)))
    by = f", yang ditandatangani oleh {signed}," if signed else ""
    return (
        f"bahwa dengan {_source(entry, basis, agency)}{by} {act} {noun} terhadap {entry.subject.full_name};"
    )


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


def _ending(told: Told, agency: str) -> Iterator[str]:
    entry, noun = told.entry, measure(told.entry)
    by = _by(told.amendment)
    if entry.state is State.REJECTED:
        yield f"bahwa permintaan {noun} dalam keadaan mendesak ditolak oleh Pejabat Imigrasi;"
        return
    match entry.ended_reason:
        case EndedReason.REVOKED:
            yield f"bahwa {agency}, selaku {role(entry)}, telah mencabut {noun} tersebut{by};"
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
            yield f"bahwa {noun} dalam keadaan mendesak telah digantikan oleh keputusan formal;"
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


def _by(amendment: Amendment | None) -> str:
    """The letter and the judgment that an amendment rests on (R36, R37)."""
    said = ""
    if amendment is not None and amendment.letter is not None:
        letter = amendment.letter
        said = f" dengan surat Nomor {letter.number} tanggal {words.day(letter.issued_on)}"
    if amendment is not None and amendment.refers_to_number is not None:
        said += f" yang menunjuk Nomor {amendment.refers_to_number}"
    if amendment is not None and amendment.judgment is not None:
        judgment = amendment.judgment
        said += (
            f" berdasarkan putusan {judgment.court} Nomor {judgment.number} tanggal "
            f"{words.day(judgment.decided_on)} dalam perkara Nomor {judgment.case_reference}"
        )
        if judgment.final_on is not None:
            said += f", yang memperoleh kekuatan hukum tetap pada tanggal {words.day(judgment.final_on)}"
    return said


_BY_LAW = {
    Measure.PREVENTION: " (Pasal 97 ayat (2) Undang-Undang Nomor 6 Tahun 2011)",
    Measure.DETERRENCE: " (Pasal 102 Undang-Undang Nomor 6 Tahun 2011)",
}
