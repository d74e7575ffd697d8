"""Reading a letter as its reader would: the words, the pages as pictures, the QR code, and the proof in it."""

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


def read_code(code: str) -> tuple[str, int, list[bytes], list[bytes], bytes]:
    """Origin, size, path, signatures and leaf of a letter's code, read byte by byte."""
    number = int(re.fullmatch(r"CEKAL/2/([1-9][0-9]*)", code)[1])  # type: ignore[index]
    read = io.BytesIO(number.to_bytes((number.bit_length() + 7) // 8, "big")).read
    assert read(1) == b"\2"
    origin = read(read(1)[0]).decode()
    size = int.from_bytes(read(8), "big")
    path = [read(32) for _ in range(read(1)[0])]
    signatures = [read(76) for _ in range(read(1)[0])]
    return origin, size, path, signatures, read()


def proved(code: str) -> tuple[dict[str, object], int, str]:
    """Leaf and tree size of a letter's code, and the root to which its audit path leads."""
    _, size, path, _, leaf = read_code(code)
    here = hashlib.sha256(b"\0" + leaf).digest()
    index, last = int(json.loads(leaf)["sequence"]) - 1, size - 1
    for step in path:
        if index & 1 or index == last:
            here = hashlib.sha256(b"\1" + step + here).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            here = hashlib.sha256(b"\1" + here + step).digest()
        index, last = index >> 1, last >> 1
    assert last == 0, "the path is too short"
    return json.loads(leaf), size, here.hex()
