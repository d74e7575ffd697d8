"""Drawing of words in scripts with letters that join, stack or change places, as HarfBuzz shapes them.

A drawing consists of the outlines of the words, and of the same words as invisible text over it, so that they can be
searched, copied and read aloud. HarfBuzz is imported when the first such word is drawn.
"""

from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Any, Final

from app.casework.papers.letter import legible

if TYPE_CHECKING:
    import uharfbuzz
    from reportlab.pdfgen.canvas import Canvas

_FILLED: Final = 0
_INVISIBLE: Final = 3
"""PDF's text rendering modes: filled, and neither filled nor stroked (ISO 32000-1, table 106)."""
_NON_ZERO = 1
"""PDF's fill rule for overlapping strokes of a glyph: non-zero winding number."""


@dataclass(frozen=True, slots=True)
class Part:
    """Words in one typeface and direction; lengths in the typeface's own units.

    Attributes:
        face: name of the typeface.
        text: the words in reading order.
        leftwards: whether the text is written from right to left.
        glyphs: from left to right, each as (number in the typeface, advance, offset to the right, offset upwards).
    """

    face: str
    text: str
    leftwards: bool
    glyphs: tuple[tuple[int, int, int, int], ...]

    @property
    def advance(self) -> int:
        """The width of the part, in the typeface's own units."""
        return sum(advance for _, advance, _, _ in self.glyphs)


@dataclass(frozen=True, slots=True)
class Drawing:
    """Words to draw, with a type size in points; ReportLab's paragraphs handle a drawing as an inline picture."""

    parts: tuple[Part, ...]
    size: float

    @property
    def width(self) -> float:
        """The width in points."""
        return float(sum(part.advance * self.size / _font(part.face).face.upem for part in self.parts))

    def draw(self, canvas: "Canvas", x: float, y: float) -> None:
        """Draw the words, beginning at the point (x, y) of their baseline, in points from the lower left."""
        for part in self.parts:
            font = _font(part.face)
            scale = self.size / font.face.upem
            path = _Outline(canvas.beginPath(), scale, x, y)
            at = 0
            for glyph, advance, right, up in part.glyphs:
                path.move((at + right) * scale, up * scale)
                font.draw_glyph_with_pen(glyph, path)
                at += advance
            canvas.drawPath(path.path, stroke=0, fill=1, fillMode=_NON_ZERO)
            self._write_invisibly(canvas, part, x, y)
            x += part.advance * scale

    def _write_invisibly(self, canvas: "Canvas", part: Part, x: float, y: float) -> None:
        """Write the words as invisible text over their outlines, with the same width.

        The text is written from left to right, as PDF readers expect.
        """
        from reportlab.pdfbase.pdfmetrics import stringWidth

        letters = part.text[::-1] if part.leftwards else part.text
        width = stringWidth(letters, part.face, self.size)
        if not width:
            return
        text = canvas.beginText(x, y)
        text.setFont(part.face, self.size)
        text.setTextRenderMode(_INVISIBLE)
        text.setHorizScale(100 * part.advance * self.size / _font(part.face).face.upem / width)
        text.textOut(letters)
        text.setHorizScale(100)
        text.setTextRenderMode(_FILLED)
        canvas.drawText(text)


class _Outline:
    """A fontTools pen that writes a glyph's outline, moved and scaled, into a path of the page."""

    def __init__(self, path: Any, scale: float, x: float, y: float) -> None:
        self.path = path
        self._scale, self._x0, self._y0 = scale, x, y
        self._x, self._y = x, y
        self._last = (0.0, 0.0)

    def move(self, right: float, up: float) -> None:
        self._x, self._y = self._x0 + right, self._y0 + up

    def moveTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - a pen's methods are named so
        self._last = point
        self.path.moveTo(*self._at(point))

    def lineTo(self, point: tuple[float, float]) -> None:  # noqa: N802 - a pen's methods are named so
        self._last = point
        self.path.lineTo(*self._at(point))

    def qCurveTo(self, by: tuple[float, float], to: tuple[float, float]) -> None:  # noqa: N802 - as above
        (x0, y0), (x1, y1), (x2, y2) = self._last, by, to
        first = (x0 + 2 * (x1 - x0) / 3, y0 + 2 * (y1 - y0) / 3)
        second = (x2 + 2 * (x1 - x2) / 3, y2 + 2 * (y1 - y2) / 3)
        self.curveTo(first, second, to)

    def curveTo(  # noqa: N802 - as above
        self, first: tuple[float, float], second: tuple[float, float], to: tuple[float, float]
    ) -> None:
        self._last = to
        self.path.curveTo(*self._at(first), *self._at(second), *self._at(to))

    def closePath(self) -> None:  # noqa: N802 - as above
        self.path.close()

    def _at(self, point: tuple[float, float]) -> tuple[float, float]:
        return self._x + point[0] * self._scale, self._y + point[1] * self._scale


def drawing(label: str, size: float, glyphs: legible.Glyphs) -> Drawing:
    """Return the drawing of the words in a label.

    Args:
        label: the label of an `<onDraw>` element that `legible.marked_up` wrote, with the words and their direction.
        size: type size in points.
        glyphs: function that takes a typeface's name and returns its code points.
    """
    return Drawing(tuple(_shaped(part) for part in legible.drawn_from(label, glyphs)), size)


def _shaped(piece: legible.Piece) -> Part:
    import uharfbuzz

    assert piece.face is not None, "what no typeface has is not drawn"
    buffer = uharfbuzz.Buffer()
    buffer.add_str(piece.text)
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if piece.leftwards else "ltr"
    uharfbuzz.shape(_font(piece.face), buffer)
    return Part(
        piece.face,
        piece.text,
        piece.leftwards,
        tuple(
            (info.codepoint, place.x_advance, place.x_offset, place.y_offset)
            for info, place in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True)
        ),
    )


@cache
def _font(name: str) -> "uharfbuzz.Font":
    import uharfbuzz

    with as_file(files(__package__) / "fonts" / file_of(name)) as path:
        return uharfbuzz.Font(uharfbuzz.Face(path.read_bytes()))


def file_of(face: str) -> str:
    """Return the name of a typeface's file in `app/casework/papers/letter/fonts`."""
    return f"{face}.ttf"


@cache
def canvas_class() -> "type[Canvas]":
    """Return a subclass of ReportLab's canvas that can draw a `Drawing` where a paragraph places it as a picture."""
    from reportlab.pdfgen.canvas import Canvas

    class Drawn(Canvas):
        def drawImage(self, image: Any, x: float, y: float, *args: Any, **kwargs: Any) -> Any:  # noqa: N802
            if isinstance(image, Drawing):
                return image.draw(self, x, y)
            return super().drawImage(image, x, y, *args, **kwargs)

    return Drawn
