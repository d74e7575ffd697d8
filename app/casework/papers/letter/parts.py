"""The building blocks of a letter's layout: typefaces, paragraphs, tables, labels in the margin.

Like `pdf`, this module imports ReportLab only when a letter is made.
"""

from collections.abc import Container, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Literal

from app.casework.papers.letter import legible
from app.casework.papers.letter.drawn import drawing, file_of

if TYPE_CHECKING:
    from reportlab.platypus import Flowable, Paragraph, Table

PLAIN, BOLD = legible.OWN, "LiberationSerif-Bold"
MM = 72 / 25.4
INDENT = 32 * MM


@cache
def typefaces() -> frozenset[int]:
    """Return the code points for which the letter's own typeface has glyphs, in both weights.

    The first call of a process registers the typeface with ReportLab.
    """
    from reportlab.pdfbase.pdfmetrics import registerFontFamily

    has = _registered(PLAIN, file_of(PLAIN)) & _registered(BOLD, file_of(BOLD))
    registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return has


@cache
def glyphs(face: str) -> Container[int]:
    """Return the code points for which the typeface with this name has glyphs.

    The first call for a typeface registers it with ReportLab.
    """
    from reportlab.pdfbase.pdfmetrics import registerFontFamily

    if face == PLAIN:
        return typefaces()
    has = _registered(face, file_of(face))
    registerFontFamily(face, normal=face, bold=face, italic=face, boldItalic=face)
    return has


def _registered(name: str, file: str) -> frozenset[int]:
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    with as_file(files(__package__) / "fonts" / file) as path:
        font = TTFont(name, str(path))
    registerFont(font)
    return frozenset(font.face.charToGlyph)


def table(
    rows: Sequence[list[Any]], widths: Sequence[float], *, grid: bool = True, heads: int = 0
) -> "Table":
    """Return a table; a row is never split between pages, and the headings are repeated on every page.

    Args:
        rows: rows of paragraphs, or of lists of paragraphs.
        widths: widths of the columns in points.
        grid: whether lines separate the rows.
        heads: number of heading rows at the beginning of `rows`.
    """
    from reportlab.platypus import Table

    style: list[tuple[Any, ...]] = [("VALIGN", (0, 0), (-1, -1), "TOP")]
    if grid:
        style += [
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, "#888888"),
            ("LINEABOVE", (0, 0), (-1, 0), 0.25, "#888888"),
        ]
        style += [("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 3)]
    else:
        style += [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 6)]
    return Table(rows, colWidths=widths, style=style, repeatRows=heads)


def plain(words: str) -> str:
    """Return words as markup for `text`: escaped, and each script in its typeface.

    Words of scripts that ReportLab can't set become `<onDraw>` elements, which `text` replaces by drawings.
    """
    return legible.marked_up(words, glyphs)


def text(
    markup: str,
    *,
    size: float = 11,
    align: Literal[0, 1] = 0,
    indent: float = 0,
    after: float = 1,
    keep: bool = False,
) -> "Paragraph":
    """Return markup as a paragraph for ReportLab's layout.

    Args:
        markup: ReportLab markup; texts from the register must be passed through `plain` first.
        size: type size in points.
        align: 0 for left, 1 for centred.
        indent: left indentation in points.
        after: space below in points.
        keep: whether the paragraph stays on the page of the next element.
    """
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph

    style = ParagraphStyle(
        "letter",
        fontName=PLAIN,
        fontSize=size,
        leading=size * 1.25,
        alignment=align,
        leftIndent=indent,
        spaceAfter=after,
        keepWithNext=int(keep),
        splitLongWords=1,
        allowWidows=0,
        allowOrphans=0,
    )
    paragraph = Paragraph(markup, style)
    for fragment in paragraph.frags:
        place = getattr(fragment, "cbDefn", None)
        if place is not None and place.kind == "onDraw":
            words = drawing(place.label, fragment.fontSize, glyphs)
            place.kind, place.image, place.valign = "img", words, "baseline"
            place.width, place.height = words.width, fragment.fontSize
    return paragraph


def margin(label: str, sign: str = "", *, keep: bool = False) -> "Flowable":
    """Return an element that prints a label, and a point's sign such as "a.", in the margin of the next paragraph.

    Both are printed at the height of the paragraph's first line; a colon is printed after the label. An empty label or
    sign is not printed. `keep` is whether the element and the paragraph stay on the same page.
    """
    from app.casework.papers.letter.qr import Margin

    return Margin(label, sign, PLAIN, 11, INDENT, keep=keep)
