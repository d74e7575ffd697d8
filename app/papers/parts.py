"""The parts that a letter is set from: typefaces, paragraphs, tables, labels in the margin.

As `pdf`, it imports ReportLab only when a letter is made.
"""

from collections.abc import Sequence
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Literal

from app.papers import legible

if TYPE_CHECKING:
    from reportlab.platypus import Flowable, Paragraph, Table

PLAIN, BOLD = "LiberationSerif", "LiberationSerif-Bold"
MM = 72 / 25.4
INDENT = 32 * MM


@cache
def typefaces() -> frozenset[int]:
    """Make the typefaces known to ReportLab, once a process; gives the code points that both have."""
    from reportlab.pdfbase.pdfmetrics import registerFont, registerFontFamily
    from reportlab.pdfbase.ttfonts import TTFont

    has = []
    for name, file in ((PLAIN, "LiberationSerif-Regular.ttf"), (BOLD, "LiberationSerif-Bold.ttf")):
        with as_file(files("app.papers") / "fonts" / file) as path:
            font = TTFont(name, str(path))
        registerFont(font)
        has.append(frozenset(font.face.charToGlyph))
    registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    return has[0] & has[1]


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
    return legible.marked_up(words, typefaces())


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
    return Paragraph(markup, style)


def margin(label: str, sign: str = "", *, keep: bool = False) -> "Flowable":
    """A label, or a point's sign, beside the paragraph that follows."""
    from app.papers.qr import Margin

    return Margin(label, sign, PLAIN, 11, INDENT, keep=keep)
