"""The sentences of a letter that give its grounds, "Menimbang" and "Mengingat" (no I/O)."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from app.casework.papers import words
from app.casework.papers.domain import Context, LetterKind, Office, Owner, RecordedVersion
from app.register.entries.domain import Basis, EndedReason, Entry, Measure, Ruling, RulingKind, State

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
"""From this day an exit ban in a criminal case is a coercive measure that a court may review (UU 20/2025 art. 89,
158)."""


def measure(entry: Entry) -> str:
    """Return the measure's Indonesian noun: Pencegahan or Penangkalan."""
    return words.MEASURES[entry.measure][0]


def role(entry: Entry) -> str:
    """Return the Indonesian term for the entry's owner: the agency that requests the measure, or the one that decides.

    See UU 6/2011 art. 91(2).
    """
    is_requested = entry.urgent or entry.basis.instrument in {"request", "supervision_report"}
    return "instansi pengusul" if is_requested else "instansi yang menetapkan"


def criminal(entry: Entry) -> bool:
    """Return whether the measure is an exit ban of a suspect or defendant under the new code of criminal procedure.

    The code applies if the owner's letter was issued on `NEW_PROCEDURE` or later.
    """
    accused = entry.basis.subject_status in {"suspect", "defendant"}
    return accused and entry.measure is Measure.PREVENTION and entry.basis.issued_on >= NEW_PROCEDURE


def period(entry: Entry, starts_on: date | None = None) -> str:
    """Return an entry's period in the words of a letter: its first and last day, or that it is for life (R20-R27).

    `starts_on` replaces the entry's first day; None keeps it.
    """
    first = words.day(starts_on or entry.starts_on)
    if entry.ends_on is None:
        return f"terhitung mulai tanggal {first} untuk seumur hidup"
    return f"terhitung mulai tanggal {first} sampai dengan tanggal {words.day(entry.ends_on)}"


def recalling(entry: Entry, basis: Basis) -> list[str]:
    """Return the laws on which a letter is based, in the order of printing; the law that `basis` names is the last."""
    law = [_LAW.format(articles=_ARTICLES[entry.measure]), _GENERAL_RULES, _RULES]
    if criminal(entry):
        law.append(_CRIMINAL_PROCEDURE)
    if basis.instrument == "administrative_action":
        law.append(_ADMINISTRATIVE)
    law.append(f"Dasar hukum yang disebut {role(entry)}: {basis.law}")
    return [*(f"{each};" for each in law[:-1]), f"{law[-1].rstrip(' .;')}."]


def considering(
    recorded: RecordedVersion,
    earlier: Sequence[RecordedVersion],
    office: Office,
    owner: Owner,
    context: Context,
    about: str,
) -> list[str]:
    """Return the grounds of a letter, in the order of printing, the conclusion last.

    Args:
        recorded: the version that the letter is about.
        earlier: the versions that the earlier letters were about, oldest first.
        office: the office that issues the letter.
        owner: the entry's owner.
        context: other facts in the register at the time of the letter.
        about: what the letter decides, in Indonesian, such as `pencegahan` with the person's name; it completes the
            conclusion.
    """
    grounds = list(_grounds(recorded, earlier, office, owner, context))
    last = "abcdefghijklmnopqrstuvwxyz"[len(grounds) - 1]
    which = "huruf a" if last == "a" else f"huruf a sampai dengan huruf {last}"
    act = "memberitahukan" if recorded.kind is LetterKind.ENDING else "menetapkan Keputusan tentang"
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
    recorded: RecordedVersion,
    earlier: Sequence[RecordedVersion],
    office: Office,
    owner: Owner,
    context: Context,
) -> Iterator[str]:
    entry, kind = recorded.entry, recorded.kind
    if earlier and kind is not LetterKind.DECISION:
        yield from _before(earlier, office, owner)
    if kind is not None and kind.ends:
        yield from _ending(recorded, owner, context)
        return
    yield _requested(recorded, owner)
    yield from _reasons(entry, recorded.basis)
    if kind is LetterKind.EXTENSION and entry.measure is Measure.PREVENTION:
        yield "bahwa Pencegahan dapat diperpanjang hanya 1 (satu) kali untuk paling lama 6 (enam) bulan;"
    if kind is LetterKind.CORRECTION:
        yield "bahwa data orang yang dikenai, dasar keputusannya, atau jangka waktunya perlu diperbaiki;"
    yield _examined(entry)


_MAX_NAMED: Final = 8
"""The greatest number of earlier letters that are listed, because the points are lettered from a to z."""


def _before(earlier: Sequence[RecordedVersion], office: Office, owner: Owner) -> Iterator[str]:
    """Yield the sentences about the decision that imposed the measure, and about its later changes (R36)."""
    first, *later = earlier
    yield (
        f"bahwa {measure(first.entry)} telah ditetapkan dengan Keputusan Nomor {first.number(office)} tanggal "
        f"{words.day(first.day)}, atas dasar {source(first.entry, first.basis, owner)}, {period(first.entry)};"
    )
    for each in later[-_MAX_NAMED:]:
        assert each.kind is not None, "only what has a letter is an earlier letter"
        resting = ""
        if each.kind is LetterKind.EXTENSION:
            resting = f", atas dasar {source(each.entry, each.basis, owner)}, {period(each.entry)}"
        yield (
            f"bahwa keputusan tersebut telah {_LATER[each.kind]} dengan Keputusan Nomor {each.number(office)} tanggal "
            f"{words.day(each.day)}{resting};"
        )


def source(entry: Entry, basis: Basis, owner: Owner) -> str:
    """Return the words that cite the owner's letter or decision, with number and date (R36).

    For an urgent entry with a letter it is that letter; otherwise it is the decision in `basis`.
    """
    if entry.urgent and entry.letter is not None:
        return f"surat {owner.name} Nomor {entry.letter.number} tanggal {words.day(entry.letter.issued_on)}"
    form = words.INSTRUMENTS[basis.instrument][0]
    return f"{form} {owner.decider} Nomor {basis.number} tanggal {words.day(basis.issued_on)}"


def signed(basis: Basis) -> str:
    """Return "name, position" of the signatory of the owner's letter; only one of the two if it contains the other."""
    name, position = basis.signed_by or "", basis.signed_by_position or ""
    if position.casefold() in name.casefold():
        return name
    return position if name.casefold() in position.casefold() else f"{name}, {position}"


def _requested(recorded: RecordedVersion, owner: Owner) -> str:
    entry, basis = recorded.entry, recorded.basis
    noun = words.MEASURES[entry.measure][1]
    if recorded.kind is LetterKind.EXTENSION:
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


def _ending(recorded: RecordedVersion, owner: Owner, context: Context) -> Iterator[str]:
    entry, noun = recorded.entry, measure(recorded.entry)
    by = _by(recorded)
    if entry.state is State.REJECTED:
        yield from _rejected(recorded)
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
            by = _formal(recorded, context, owner)
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


def _formal(recorded: RecordedVersion, context: Context, owner: Owner) -> str:
    """Return the words about the formal decision that replaced an urgent one; empty if it no longer holds."""
    formal = next((other for other in context.others if other.formalises == recorded.entry.id), None)
    return "" if formal is None else f", yaitu {source(formal, formal.basis, owner)}, {period(formal)}"


def _rejected(recorded: RecordedVersion) -> Iterator[str]:
    noun = measure(recorded.entry)
    if not recorded.refusals:
        yield f"bahwa permintaan {noun} dalam keadaan mendesak ditolak oleh Pejabat Imigrasi;"
    for each in recorded.refusals:
        done = "diusulkan untuk ditolak" if each.proposed else "ditolak"
        officer = each.position or "Pejabat Imigrasi"
        number = f" (pegawai nomor {each.person})" if each.person else ""
        why = f" dengan alasan: {each.reason.rstrip(' .;')}" if each.reason else ""
        yield f"bahwa permintaan {noun} dalam keadaan mendesak {done} oleh {officer}{number}{why};"


def ruling(recorded: RecordedVersion) -> Ruling | None:
    """Return the judgment by which a measure ended, from the amendment or else from the entry; None without one."""
    by = recorded.amendment
    if by is not None and by.judgment is not None:
        return by.ruling
    kinds = {EndedReason.ACQUITTED: RulingKind.ACQUITTAL, EndedReason.ANNULLED: RulingKind.ANNULMENT}
    kind = None if recorded.entry.ended_reason is None else kinds.get(recorded.entry.ended_reason)
    return next((each for each in reversed(recorded.entry.rulings) if each.kind is kind), None)


def _by(recorded: RecordedVersion) -> str:
    """Return the words about the letter and the judgment by which a measure ended, with their dates (R36, R37)."""
    text, amendment, judged = "", recorded.amendment, ruling(recorded)
    if amendment is not None and amendment.letter is not None:
        letter = amendment.letter
        text = f" dengan surat Nomor {letter.number} tanggal {words.day(letter.issued_on)}"
    if amendment is not None and amendment.refers_to_number is not None:
        text += f" yang menunjuk Nomor {amendment.refers_to_number}"
    if judged is not None:
        judgment = amendment.judgment if amendment is not None else None
        case = judgment.case_reference if judgment is not None else recorded.entry.basis.case_reference
        text += (
            f" berdasarkan putusan {judged.court} Nomor {judged.number} tanggal "
            f"{words.day(judged.decided_on)} dalam perkara Nomor {case}"
        )
        if judged.final_on is not None:
            text += f", yang memperoleh kekuatan hukum tetap pada tanggal {words.day(judged.final_on)}"
    return text


_BY_LAW = {
    Measure.PREVENTION: " (Pasal 97 ayat (2) Undang-Undang Nomor 6 Tahun 2011)",
    Measure.DETERRENCE: " (Pasal 102 Undang-Undang Nomor 6 Tahun 2011)",
}
