"""Reading a letter as its reader would: the words, the pages as pictures, the QR code, and the proof in it."""

import base64
import hashlib
import io
import json
import re

import pypdf
import pypdfium2
import zxingcpp
from PIL import Image

A4 = (595, 842)
"""Points."""


def pages(document: bytes) -> list[pypdf.PageObject]:
    return list(pypdf.PdfReader(io.BytesIO(document)).pages)


def text(document: bytes) -> str:
    """All words of a letter, line breaks as spaces, without what stands at the foot of each page."""
    words = " ".join(" ".join(page.extract_text().split()) for page in pages(document))
    return re.sub(r"Nomor \S+ Halaman \d+ dari \d+ ?", "", words)


def packed(words: str) -> str:
    """Words without the spaces at which lines may break."""
    return "".join(words.split())


def pictures(document: bytes, dpi: int = 100) -> list[Image.Image]:
    """Each page as it is printed, in grey."""
    with pypdfium2.PdfDocument(document) as opened:
        drawn = []
        for page in opened:
            bitmap = page.render(scale=dpi / 72, grayscale=True)
            drawn.append(bitmap.to_pil().copy())
            bitmap.close()
            page.close()
        return drawn


def qr_text(document: bytes, dpi: int = 150) -> str:
    """The text of the letter's one QR code, read from the printed pages."""
    kind = zxingcpp.BarcodeFormat.QRCode  # or lines of text are now and then taken for a code of bars
    found = [code.text for page in pictures(document, dpi) for code in zxingcpp.read_barcodes(page, kind)]
    (code,) = found
    return code


def proved(code: str) -> tuple[dict[str, object], int, str] | None:
    """Leaf, tree size and root of a letter's QR code, if its audit path leads from the leaf to the root."""
    name, form, size, root, path, leaf = code.split("/", 5)
    assert (name, form) == ("CEKAL", "1")
    steps = _base32(path)
    here = hashlib.sha256(b"\0" + leaf.encode()).digest()
    index, last = int(json.loads(leaf)["sequence"]) - 1, int(size) - 1
    for start in range(0, len(steps), 32):
        step = steps[start : start + 32]
        if index & 1 or index == last:
            here = hashlib.sha256(b"\1" + step + here).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            here = hashlib.sha256(b"\1" + here + step).digest()
        index, last = index >> 1, last >> 1
    if last != 0 or here != _base32(root):
        return None
    return json.loads(leaf), int(size), here.hex()


def _base32(said: str) -> bytes:
    return base64.b32decode(said + "=" * (-len(said) % 8))
