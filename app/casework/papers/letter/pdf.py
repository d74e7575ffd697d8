"""Layout of a letter on A4 as a PDF; the same letter always has the same bytes.

ReportLab and Pillow are imported when the first letter is made, to save memory in workers that make none.
"""

import gc
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.casework.papers.domain import Letter, LetterKind, Signature
from app.casework.papers.letter import legible
from app.casework.papers.letter.drawn import canvas_class
from app.casework.papers.letter.parts import INDENT, MM, PLAIN, glyphs, margin, plain, table, text, typefaces
from app.casework.papers.words import day

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas
    from reportlab.platypus import Flowable

LEFT, RIGHT, TOP, BOTTOM = 25 * MM, 20 * MM, 18 * MM, 22 * MM
WIDTH = 210 * MM - LEFT - RIGHT
PHOTO_WIDTH, PHOTO_HEIGHT = 30 * MM, 40 * MM
_BLANK = "(.................................................)"
_INVOCATION = "DENGAN RAHMAT TUHAN YANG MAHA ESA"
_FOUR_LINES = 4 * 1.25 * 11
"""Height of four lines: if less is left on a page, a labelled paragraph begins on the next page."""
_HASH_DIGITS = 64
_PHOTO_PIXELS = (600, 800)


def render(letter: Letter, photo: bytes | None) -> bytes:
    """Return the letter as a PDF.

    Args:
        letter: its content.
        photo: the person's photo, JPEG or PNG; None without one.
    """
    _, pages = _build(letter, photo, pages=0)  # the number of pages is known only after a first layout
    document = _build(letter, photo, pages=pages)[0]
    gc.collect(1)  # ReportLab's documents are reference cycles; a busy service would hold dozens
    return document


def _build(letter: Letter, photo: bytes | None, pages: int) -> "tuple[bytes, int]":
    """Lay out a letter. Returns the PDF and its number of pages; `pages` is the number printed on each page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate

    typefaces()
    out = io.BytesIO()
    document = BaseDocTemplate(
        out,
        pagesize=A4,
        title=f"{letter.form} NOMOR {letter.number}",
        author=letter.office.signatory,
        subject=letter.about,
        creator="Cekal",
        lang="id-ID",
        invariant=1,
        initialFontName=PLAIN,
        pageCompression=1,
    )
    frame = Frame(LEFT, BOTTOM, WIDTH, A4[1] - TOP - BOTTOM, 0, 0, 0, 0)

    def furnish(canvas: "Canvas", template: Any) -> None:
        stamp = f"D:{letter.day:%Y%m%d}000000+07'00'"
        canvas.setDateFormatter(lambda *_: stamp)
        canvas.setFont(PLAIN, 8)
        canvas.drawString(LEFT, 12 * MM, f"Nomor {letter.number}")
        canvas.drawRightString(LEFT + WIDTH, 12 * MM, f"Halaman {template.page} dari {pages}")

    document.addPageTemplates([PageTemplate(frames=[frame], onPage=furnish)])
    document.build(_story(letter, photo), canvasmaker=canvas_class())
    return out.getvalue(), document.page


def _story(letter: Letter, photo: bytes | None) -> "list[Flowable]":
    from reportlab.platypus import CondPageBreak, KeepTogether, Spacer

    story: list[Flowable] = [
        *_letterhead(letter),
        *_title(letter),
        *_listed("Menimbang", letter.considering, "abcdefghijklmnopqrstuvwxyz"),
        Spacer(0, 5),
        *_listed("Mengingat", letter.recalling, "123456789"),
        Spacer(0, 8),
        CondPageBreak(2 * _FOUR_LINES),
        text(f"<b>{letter.clauses_heading}:</b>", align=1, after=6, keep=letter.kind is LetterKind.ENDING),
    ]
    if letter.kind is not LetterKind.ENDING:
        story += _ruled("Menetapkan", f"{letter.form} TENTANG {letter.about.upper()}.", bold=True)
    ordinals = (
        "KESATU",
        "KEDUA",
        "KETIGA",
        "KEEMPAT",
        "KELIMA",
        "KEENAM",
        "KETUJUH",
        "KEDELAPAN",
        "KESEMBILAN",
        "KESEPULUH",
        "KESEBELAS",
    )
    first, *others = zip(ordinals, (letter.first_clause, *letter.further_clauses), strict=False)
    story += [*_ruled(*first, keep=True), *_identity(letter, photo)]
    *others, last = others
    for ordinal, ruling in others:
        story += [CondPageBreak(_FOUR_LINES), *_ruled(ordinal, ruling)]
    story.append(
        KeepTogether([*_ruled(*last), Spacer(0, 12), _signed(letter)])
    )  # no page with signatures only
    story += [Spacer(0, 12), KeepTogether(_copies(letter)), Spacer(0, 12), KeepTogether(_proof(letter))]
    return story


def _letterhead(letter: Letter) -> "list[Flowable]":
    from reportlab.platypus import HRFlowable, Spacer

    lines = letter.office.letterhead
    names = [line for line in lines if line.isupper()]
    address = [line for line in lines if not line.isupper()]
    return [
        *(text(f"<b>{plain(line)}</b>", size=13, align=1) for line in names),
        *(text(plain(line), size=9, align=1) for line in address),
        Spacer(0, 4),
        HRFlowable(width="100%", thickness=1.6, color="black", spaceBefore=0, spaceAfter=1.5),
        HRFlowable(width="100%", thickness=0.5, color="black", spaceBefore=0, spaceAfter=12),
    ]


def _title(letter: Letter) -> "list[Flowable]":
    from reportlab.platypus import Spacer

    return [
        text(f"<b>{plain(letter.form)}</b>", size=12, align=1),
        text(f"<b>NOMOR {plain(letter.number)}</b>", size=12, align=1),
        Spacer(0, 6),
        text("TENTANG", align=1),
        Spacer(0, 6),
        text(f"<b>{plain(letter.about.upper())}</b>", size=12, align=1),
        Spacer(0, 6),
        *(() if letter.kind is LetterKind.ENDING else (text(_INVOCATION, align=1, after=6),)),
        text(f"{plain(letter.office.signatory.upper())},", align=1),
        Spacer(0, 10),
    ]


def _listed(label: str, points: Sequence[str], signs: str) -> "list[Flowable]":
    """Return points, each with its letter or number, next to a label in the margin."""
    from reportlab.platypus import CondPageBreak

    return [
        part
        for i, point in enumerate(points)
        for part in (
            CondPageBreak(_FOUR_LINES),
            margin(label if i == 0 else "", f"{signs[i]}."),
            text(plain(point), indent=INDENT + 16, after=3),
        )
    ]


def _ruled(label: str, ruling: str, *, bold: bool = False, keep: bool = False) -> "list[Flowable]":
    escaped = plain(ruling)
    return [
        margin(label, keep=keep),
        text(f"<b>{escaped}</b>" if bold else escaped, indent=INDENT, after=6, keep=keep),
    ]


def _identity(letter: Letter, photo: bytes | None) -> "list[Flowable]":
    from reportlab.platypus import Image, Spacer

    portrait: Any = text(letter.without_photo, size=9, align=1)
    if photo is not None:
        picture, ratio = _fitted(photo)
        width = min(PHOTO_WIDTH, PHOTO_HEIGHT * ratio)
        portrait = Image(picture, width, width / ratio)
    beside = [text(f"<b>{plain(letter.name)}</b>", size=12), text("orang yang dikenai:", size=9)]
    head = table([[portrait, beside[::-1]]], [PHOTO_WIDTH + 8 * MM, WIDTH - PHOTO_WIDTH - 8 * MM], grid=False)
    rows = [[text(plain(label), size=10), text(plain(value), size=10)] for label, value in letter.identity]
    story: list[Flowable] = [head, Spacer(0, 6), table(rows, [45 * MM, WIDTH - 45 * MM]), Spacer(0, 8)]
    if letter.documents:
        titles = ("Jenis dokumen", "Nomor", "Negara atau badan penerbit", "Berlaku sampai dengan")
        papers = [[text(f"<b>{each}</b>", size=10) for each in titles]]
        papers += [[text(plain(cell), size=10) for cell in paper] for paper in letter.documents]
        story += [table(papers, [40 * MM, 38 * MM, 47 * MM, WIDTH - 125 * MM], heads=1), Spacer(0, 8)]
    if letter.changes:
        heads = ("Yang diperbaiki", "Semula", "Menjadi")
        lines = [[text(f"<b>{each}</b>", size=10) for each in heads]]
        lines += [[text(plain(cell), size=10) for cell in change] for change in letter.changes]
        side = (WIDTH - 45 * MM) / 2
        story += [table(lines, [45 * MM, side, side], heads=1), Spacer(0, 8)]
    texts = (letter.about, *letter.considering, *(value for _, value in letter.identity))
    if not all(legible.shown(each, glyphs) for each in texts):
        story += [text(plain(legible.NOTE), size=8), Spacer(0, 8)]
    return story


def _fitted(photo: bytes) -> tuple[io.BytesIO, float]:
    """Return the photo as a JPEG reduced to the needed pixels, and the ratio of its width to its height."""
    from PIL import Image

    with Image.open(io.BytesIO(photo)) as image:
        image.draft("RGB", _PHOTO_PIXELS)
        image.thumbnail(_PHOTO_PIXELS)
        drawn = Image.new("RGB", image.size, "white")
        drawn.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=90)
    out.seek(0)
    return out, drawn.width / drawn.height


def _signed(letter: Letter) -> "Flowable":
    half = WIDTH / 2

    def column(signature: Signature, *above: str) -> "list[Flowable]":
        return [
            *(text(plain(line)) for line in above),
            text(plain(signature.title), after=0),
            text(plain(signature.body)),
            text("<br/><br/>"),
            text(f"<b>{plain(signature.name)}</b>" if signature.name else _BLANK),
            text(plain(signature.note), size=8),
        ]

    *asked, issued = letter.signatures
    place = (f"{letter.dated} di {letter.office.city}", f"pada tanggal {day(letter.day)}")
    beside: list[Any] = [column(signature, *["\N{NO-BREAK SPACE}"] * len(place)) for signature in asked] or [
        ""
    ]
    return table([[*beside, column(issued, *place)]], [half, half], grid=False)


def _copies(letter: Letter) -> "list[Flowable]":
    return [
        text("Tembusan:", size=9, keep=True),
        *(text(f"{i}. {plain(copy)}", size=9, indent=8) for i, copy in enumerate(letter.copies, 1)),
    ]


def _proof(letter: Letter) -> "list[Flowable]":
    from reportlab.platypus import HRFlowable

    from app.casework.papers.letter.qr import QrCode

    proof = letter.proof
    beside = [
        text("<b>PEMBUKTIAN CATATAN REGISTER</b>", size=9, after=4),
        *(
            part
            for label, value in proof.facts
            for part in (text(f"<b>{plain(label)}</b>", size=8), text(_lined(value), size=8, after=3))
        ),
        text(plain(proof.explained), size=8),
    ]
    line = HRFlowable(width="100%", thickness=0.5, color="black", spaceBefore=0, spaceAfter=6)
    if proof.code is None:
        return [line, *beside]
    code = QrCode(proof.code)
    side = code.side + 5 * MM
    return [line, table([[code, beside]], [side, WIDTH - side], grid=False)]


def _lined(value: str) -> str:
    """Return a fact's value as ReportLab markup, line by line; a hash is two lines of the same length."""
    half = _HASH_DIGITS // 2
    lines = [value[:half], value[half:]] if len(value) == _HASH_DIGITS else value.split("\n")
    return "<br/>".join(map(plain, lines))
