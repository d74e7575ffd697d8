"""The letter as it is printed: A4, nothing lost, nothing beyond the margins, a QR code that proves the record."""

import re
import unicodedata
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from app.access.domain import SYSTEM
from app.casework.papers.domain import LetterKind, RecordedVersion, Standing
from app.casework.papers.letter import legible, parts, pdf, proofs
from app.casework.papers.letter.drawn import drawing
from app.identity.births import Birth
from app.kit.canonical import canonical
from app.ledger.domain import RecordType
from app.register.entries.domain import EndedReason
from app.register.entries.subjects import Alias, Document, Subject
from app.tlog.merkle import leaf_hash
from tests.support import letters
from tests.support.proofs import ORIGIN, WITNESSES
from tests.unit.casework.papers.examples import (
    LEDGER,
    active,
    ended,
    extended,
    letter,
    lifetime,
    photo,
    proof,
    told,
    urgent,
)

FULL_NAME = ("Prof. Dr. H. Muhammad Abdurrahman Prawirodirdjo Tjokrohadiningrat Nguyễn Đặng Öztürk " * 4)[
    :300
].strip()


def laden() -> RecordedVersion:
    """An entry with as much as the register takes in a line, many times over."""
    entry = active()
    subject = msgspec.structs.replace(
        entry.subject,
        full_name=FULL_NAME,
        aliases=tuple(
            Alias(
                f"Alias Nomor {i} & <Putra> {'W' * (250 if i == 7 else i)}", "low" if i % 4 == 0 else "good"
            )
            for i in range(30)
        ),
        birth=Birth(from_="1968", to="1970"),
        birth_alternatives=(Birth(age=45, as_of="2026-11-23"), Birth(date="1970-05")),
        address="Jalan Cempaka " * 20,
        documents=tuple(
            Document(
                "passport", f"X{1_000_000 + i}{'9' * (30 if i == 3 else 0)}", ("IDN", None, "GBR")[i % 3]
            )
            for i in range(12)
        ),
    )
    reason = "\n".join(f"Alasan ke-{i}: {'panjang sekali ' * 20}" for i in range(30))
    return told(entry.replace(subject=subject, basis=msgspec.structs.replace(entry.basis, reason=reason)))


CASES = {
    "decision": (told(active()), None),
    "laden": (laden(), None),
    "lifetime": (told(lifetime()), None),
    "urgent": (told(urgent(), RecordType.ENTRY_COUNTERSIGNED), None),
    "extended": (told(extended(), RecordType.ENTRY_EXTENDED, 2048), told(active())),
    "ended": (told(ended(EndedReason.EXPIRED), RecordType.ENTRY_ENDED, 2049), told(active())),
}


@pytest.fixture(params=CASES, scope="module")
def case(request: pytest.FixtureRequest) -> tuple[str, RecordedVersion, bytes]:
    of, before = CASES[request.param]
    return request.param, of, pdf.render(letter(of, before), photo())


def test_every_page_is_a4_and_says_which_it_is(case: tuple[str, RecordedVersion, bytes]):
    name, _, document = case
    pages = letters.pages(document)
    assert len(pages) == (8 if name == "laden" else 3)
    for number, page in enumerate(pages, 1):
        assert tuple(round(float(side)) for side in page.mediabox[2:]) == letters.A4
        assert f"Halaman {number} dari {len(pages)}" in page.extract_text()


def test_nothing_is_printed_beyond_the_margins(case: tuple[str, RecordedVersion, bytes]):
    for page in letters.pictures(case[2], dpi=72):
        ink = page.point(lambda grey: 255 if grey < 200 else 0).getbbox()
        assert ink is not None
        left, top, right, bottom = ink
        assert left >= pdf.LEFT - 2
        assert top >= pdf.TOP - 2
        assert right <= page.width - pdf.RIGHT + 2
        assert bottom <= page.height - 10 * pdf.MM


def test_everything_about_the_person_is_in_it(case: tuple[str, RecordedVersion, bytes]):
    _, of, document = case
    words = letters.packed(letters.text(document))
    subject = of.entry.subject
    lines = [subject.full_name, subject.address or "", subject.birth_place or "", subject.nik or ""]
    lines += [alias.name for alias in subject.aliases]
    lines += [paper.number for paper in subject.documents]
    lines += [of.entry.letter.number if of.entry.letter else of.basis.number]
    if of.kind is not LetterKind.ENDING:
        lines += [of.basis.case_reference, *of.basis.reason.splitlines()]
    missing = [line for line in lines if letters.packed(line).rstrip(".;") not in words]
    assert missing == []


def test_the_qr_code_proves_the_record_that_the_letter_names(case: tuple[str, RecordedVersion, bytes]):
    _, of, document = case
    code = letters.qr_text(document)
    assert code == proof(of).code
    leaf, size, root = letters.proved(code)
    assert (leaf, size) == (of.record.leaf, 1_000_000)
    words = letters.packed(letters.text(document))
    told_in_print = (root, leaf_hash(canonical(of.record.leaf)).hex(), of.record.leaf["commitment"])
    assert all(value in words for value in told_in_print)
    assert all(letters.packed(name) in words for name in (ORIGIN, *WITNESSES))


def test_the_qr_code_names_nobody():
    code = proof(laden()).code
    assert code is not None
    *_, leaf = letters.read_code(code)
    assert not re.search(b"Prawirodirdjo|Cempaka|X1000000|3171|Sprin", leaf)


@pytest.mark.parametrize("standing", [*Standing, None])
def test_the_letter_says_what_its_code_rests_on(standing: Standing | None):
    of = told(active())
    alone, path = LEDGER.head(of.record, (), standing or Standing.PENDING)
    made = LEDGER.head(of.record) if standing is Standing.WITNESSED else (standing and alone, path)
    written = replace(letter(of), proof=proofs.proof_of(of.record, *made))
    document = pdf.render(written, photo())
    words = letters.text(document)
    said = {
        Standing.WITNESSED: "tanda tangan register dan para saksinya",
        Standing.PENDING: "belum disaksikan (not yet witnessed)",
        Standing.UNWITNESSED: "Register ini tidak memakai saksi",
        Standing.BEYOND: "berkas pembuktian memuatnya",
        None: "surat ini tidak memuat kode QR",
    }
    assert said[standing] in words
    assert (WITNESSES[0] in words) is (standing is Standing.WITNESSED)
    assert ("belum disaksikan" in words) is (standing in {Standing.PENDING, None})
    if standing is not None:
        assert letters.qr_text(document) == written.proof.code
    else:
        with pytest.raises(ValueError, match="not enough values"):
            letters.qr_text(document)


def test_the_same_letter_has_the_same_bytes():
    of = told(active())
    assert pdf.render(letter(of), photo()) == pdf.render(letter(of), photo())


def test_a_letter_is_made_without_a_photo_too():
    assert "(foto telah dihapus)" in letters.text(pdf.render(letter(told(lifetime())), None))
    entry = active()
    bare = told(entry.replace(subject=msgspec.structs.replace(entry.subject, photo=None)))
    assert "(tidak ada foto)" in letters.text(pdf.render(letter(bare), None))


NAMES = {
    "Arabic": "محمد",
    "Persian": "پروین",
    "Hebrew": "שרה",
    "Han": "李小龍",
    "Japanese": "やまだ 太郎",
    "Korean": "김정은",
    "Cyrillic": "Пётр Łukasz",
    "Greek": "Ἀλέξανδρος",
    "Thai": "สมชาย",
    "Lao": "ໄຊຍະວົງ",
    "Khmer": "ធារា",
    "Burmese": "သန်းရွှေ",
    "Devanagari": "राजेन्द्र",
    "Bengali": "জিয়াউর",
    "Tamil": "தமிழ்",
    "Telugu": "రాముడు",
    "Kannada": "ರಾಮ",
    "Malayalam": "രാമൻ",
    "Sinhala": "රාම",
    "Gujarati": "ગુજરાત",
    "Gurmukhi": "ਗੁਰਮੁਖ",
    "Oriya": "ରାମ",
    "Georgian": "გიორგი",
    "Armenian": "Արամ",
    "Ethiopic": "ሀይሌ",
}


def of_aliases(*names: str, **given: Any) -> bytes:
    entry = active()
    aliases = tuple(Alias(name) for name in names)
    subject = msgspec.structs.replace(entry.subject, aliases=aliases, **given)
    return pdf.render(letter(told(entry.replace(subject=subject))), None)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_name_is_printed_in_its_own_script(name: str):
    document = of_aliases(name)
    words = letters.text(document)
    assert unicodedata.normalize("NFC", name) in words
    assert "[U+" not in words
    assert letters.packed(legible.NOTE) not in letters.packed(words)
    bare = letters.pictures(of_aliases("x"))[1]
    assert letters.pictures(document)[1].tobytes() != bare.tobytes(), "and not only for those who search it"


def test_names_from_right_to_left_stand_in_reading_order_from_the_right():
    words = "محمد 12 أحمد"
    (piece,) = legible.pieces(words, parts.glyphs)
    assert piece.drawn
    assert piece.leftwards
    drawn = legible.drawn_from(f"l{words.encode().hex()}", parts.glyphs)
    assert [(part.text.strip(), part.leftwards) for part in drawn if part.text.strip()] == [
        ("أحمد", True),
        ("12", False),
        ("محمد", True),
    ]


def test_the_letters_of_a_script_that_joins_are_drawn_joined():
    (joined,) = drawing("l" + "محمد".encode().hex(), 10, parts.glyphs).parts
    alone = [drawing("l" + c.encode().hex(), 10, parts.glyphs).parts[0].glyphs[0][0] for c in "محمد"]
    assert [glyph for glyph, *_ in joined.glyphs] != alone[::-1]


def test_long_words_of_any_script_stay_within_the_margins():
    thai, arabic, han = "ถนนสุขุมวิท" * 20, "شارع الملك عبد الله " * 20, "中華人民共和國" * 40
    document = of_aliases(thai, arabic, han, address=thai, occupation=arabic, birth_place=han)
    for page in letters.pictures(document, 72):
        ink = page.point(lambda grey: 255 if grey < 200 else 0).getbbox()
        assert ink is not None
        assert ink[2] <= page.width - pdf.RIGHT + 2


def test_what_no_typeface_has_is_told_by_number_and_said_so():
    words = letters.text(of_aliases("ᠮᠣᠩ"))
    assert "[U+182E U+1823 U+1829]" in words
    assert letters.packed(legible.NOTE) in letters.packed(words)


def test_markup_in_a_name_is_text():
    entry = active()
    subject = msgspec.structs.replace(entry.subject, full_name="Raka <b>&amp;</b> <img src='x'/> Co")
    words = letters.text(pdf.render(letter(told(entry.replace(subject=subject))), None))
    assert "Raka <b>&amp;</b> <img src='x'/> Co" in words


def test_an_imported_entry_of_which_little_is_known_has_a_letter_too():
    subject = Subject(full_name="Aldous Quillfeather", aliases=(Alias("Al Quill"),))
    entry = active(submitted_by=SYSTEM.client_id, verified_by=None, authors=(), approved_by=("111", "222"))
    words = letters.text(pdf.render(letter(told(entry.replace(subject=subject))), None))
    assert "Al Quill" in words
    assert "disetujui oleh dua orang pejabat" in words
    assert "pegawai nomor 111 dan 222" in words
    assert "paling lambat 7 (tujuh) hari" not in words, "its decision was carried out elsewhere"
