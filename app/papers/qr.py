"""What a letter draws by itself: the QR code, and the labels in the margin.

This module imports ReportLab; only `pdf` imports it, when a letter is made.
"""

from functools import lru_cache

from reportlab.graphics.barcode import qrencoder
from reportlab.platypus import Flowable

_QUIET = 4
"""Modules that stay white around the code (ISO/IEC 18004)."""


class QrCode(Flowable):
    """A QR code in a square of a given side, its quiet zone included."""

    def __init__(self, text: str, side: float) -> None:
        super().__init__()
        self.text, self.side = text, side

    def wrap(self, *_: float) -> tuple[float, float]:
        """Its size."""
        return self.side, self.side

    def draw(self) -> None:
        """Draw each row's dark modules, neighbours in one stroke."""
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
    """A label, and a point's sign, beside the paragraph that follows; it takes no room of its own."""

    def __init__(self, label: str, sign: str, font: str, size: float, indent: float, *, keep: bool) -> None:
        super().__init__()
        self.keepWithNext = int(keep)
        self.label, self.sign, self.font, self.size, self.indent = label, sign, font, size, indent

    def wrap(self, *_: float) -> tuple[float, float]:
        """No size."""
        return 0, 0

    def draw(self) -> None:
        """Draw on the line on which the paragraph below begins."""
        self.canv.setFont(self.font, self.size)
        y = -self.size
        if self.label:
            self.canv.drawString(0, y, self.label)
            self.canv.drawRightString(self.indent - 12, y, ":")
        if self.sign:
            self.canv.drawString(self.indent, y, self.sign)


@lru_cache(maxsize=1)  # a letter is laid out twice, and choosing among eight masks takes a tenth of a second
def encoded(text: str) -> list[list[bool]]:
    """A QR code's modules, row by row: medium error correction, all but the leaf in the alphanumeric set.

    Args:
        text: as `proofs.proof_of` makes it.
    """
    leaf = text.index("{")
    code = qrencoder.QRCode(None, qrencoder.QRErrorCorrectLevel.M)
    code.addData(qrencoder.QRAlphaNum(text[:leaf]))
    code.addData(qrencoder.QR8bitByte(text[leaf:]))
    code.make()
    return [[bool(module) for module in row] for row in code.modules]
