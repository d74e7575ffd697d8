"""The parts that a letter is set from: typefaces, paragraphs, tables, labels in the margin.

As `pdf`, it imports ReportLab only when a letter is made.
"""

from collections.abc import Container, Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Literal

from app.papers import legible
from app.papers.drawn import drawing, file_of

if TYPE_CHECKING:
    from reportlab.platypus import Flowable, Paragraph, Table

PLAIN, BOLD = legible.OWN, "LiberationSerif-Bold"
MM = 72 / 25.4
INDENT = 32 * MM


@cache
def typefaces() -> frozenset[int]:
    """Make the letter's own typeface known to ReportLab, once a process; gives the code points that it has."""
    from reportlab.pdfbase.pdfmetrics import registerFontFamily

    has = _registered(PLAIN, file_of(PLAIN)) & _registered(BOLD, file_of(BOLD))
    registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return has


@cache
def glyphs(face: str) -> Container[int]:
    """The code points of a typeface, made known to ReportLab when a text first needs it: most letters need one."""
    from reportlab.pdfbase.pdfmetrics import registerFontFamily

    if face == PLAIN:
        return typefaces()
    has = _registered(face, file_of(face))
    registerFontFamily(face, normal=face, bold=face, italic=face, boldItalic=face)
    return has


def _registered(name: str, file: str) -> frozenset[int]:
    from reportlab.pdfbase.pdfmetrics import registerFont
    from reportlab.pdfbase.ttfonts import TTFont

    with as_file(files("app.papers") / "fonts" / file) as path:
        font = TTFont(name, str(path))
    registerFont(font)
    return frozenset(font.face.charToGlyph)


def table(
    rows: Sequence[list[Any]], widths: Sequence[float], *, grid: bool = True, heads: int = 0
) -> "Table":
    """Rows of paragraphs, each row broken to the next page as a whole; `heads` of them again on every page.

    Args:
        rows: of paragraphs, or of lists of them.
        widths: of the columns, in points.
        grid: whether lines part the rows.
        heads: how many rows are headings.
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
    """Any text as a paragraph's markup: nothing in it is read as markup, nothing in it is lost."""
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
    """A paragraph.

    Args:
        markup: as ReportLab reads it; texts of the register go through `plain` first.
        size: of the type, in points.
        align: 0 left, 1 in the middle.
        indent: from the left, in points.
        after: room below, in points.
        keep: whether it stays with what follows.
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
    """A label, or a point's sign, beside the paragraph that follows."""
    from app.papers.qr import Margin

    return Margin(label, sign, PLAIN, 11, INDENT, keep=keep)
