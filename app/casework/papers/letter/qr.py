"""The drawn elements of a letter: the QR code, and the labels in the margin.

This module imports ReportLab; only `pdf` imports it, when a letter is made.
"""

from functools import lru_cache

from reportlab.graphics.barcode import qrencoder
from reportlab.platypus import Flowable

from app.casework.papers.letter.code import PREFIX
from app.casework.papers.letter.parts import MM

_SMALLEST, _LARGEST = 58 * MM, 100 * MM
_MODULE = 0.6 * MM
"""Side of a module, as far as the code is within its bounds: 3.5 dots of a page scanned with 150 dots an inch."""
_QUIET = 4
"""Width of the quiet zone around the code, in modules (ISO/IEC 18004)."""


class QrCode(Flowable):
    """A QR code in a square, with its quiet zone.

    The side is 0.6 mm for each module (dot) of the code and the quiet zone, but at least 58 and at most 100 mm.

    Args:
        text: the text of a letter's code.

    Attributes:
        side: the square's side in points.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        needed = (len(encoded(text)) + 2 * _QUIET) * _MODULE
        self.side = min(max(_SMALLEST, needed), _LARGEST)

    def wrap(self, *_: float) -> tuple[float, float]:
        """Return the code's width and height in points."""
        return self.side, self.side

    def draw(self) -> None:
        """Draw the QR code: the dark modules of each row, adjacent ones as one rectangle."""
        modules = encoded(self.text)
        unit = self.side / (len(modules) + 2 * _QUIET)
        for row, dark in enumerate(modules):
            y = self.side - (row + 1 + _QUIET) * unit
            begin = None
            for column, on in enumerate([*dark, False]):
                if on and begin is None:
                    begin = column
                elif not on and begin is not None:
                    x, width = (begin + _QUIET) * unit, (column - begin) * unit
                    self.canv.rect(x, y, width, unit, stroke=0, fill=1)
                    begin = None


class Margin(Flowable):
    """A label and a point's sign in the margin, on the first line of the next paragraph; it takes no space.

    Args:
        label: the label, without the colon that is printed after it; empty for neither label nor colon.
        sign: the sign of a point, such as "a."; empty for none.
        font: name of the typeface.
        size: type size in points.
        indent: distance of the sign from the left edge, in points.
        keep: whether the label stays on the page of the next element.
    """

    def __init__(self, label: str, sign: str, font: str, size: float, indent: float, *, keep: bool) -> None:
        super().__init__()
        self.keepWithNext = int(keep)
        self.label, self.sign, self.font, self.size, self.indent = label, sign, font, size, indent

    def wrap(self, *_: float) -> tuple[float, float]:
        """Return the size of this flowable to ReportLab: 0 by 0, because it is drawn in the margin."""
        return 0, 0

    def draw(self) -> None:
        """Draw the label and the sign at the height of the first line of the paragraph below."""
        self.canv.setFont(self.font, self.size)
        y = -self.size
        if self.label:
            self.canv.drawString(0, y, self.label)
            self.canv.drawRightString(self.indent - 12, y, ":")
        if self.sign:
            self.canv.drawString(self.indent, y, self.sign)


@lru_cache(maxsize=1)  # a letter is laid out twice, and choosing among eight masks takes a tenth of a second
def encoded(text: str) -> list[list[bool]]:
    """Return the modules of the QR code for a text, row by row from the top; True is dark.

    The code has the medium level of error correction. `PREFIX` is encoded in alphanumeric mode, the number after it in
    numeric mode.

    Args:
        text: the text of a letter's code.
    """
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(qrencoder.QRAlphaNum(PREFIX))
    code.addData(qrencoder.QRNumber(text.removeprefix(PREFIX)))
    code.make()
    return [[bool(module) for module in row] for row in code.modules]
