"""Photos: checked by decoding, stored without metadata."""

import base64
import binascii
import hashlib
import io
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from app.entries.blobs import Blob
from app.errors import Fault, PhotoInvalid

if TYPE_CHECKING:
    from PIL import Image as Pictures

LARGEST = 1024 * 1024
"""Bytes, decoded (contract section 2)."""

MOST_PIXELS = 4_000_000
"""Four times a passport photo at 600 dots an inch; a file of 46 kB may claim 16 million, which cost seconds to draw."""

PIXELS_WORTH_TRYING = 1_000_000
"""Up to which a PNG's best compression is tried: it takes ten times as long as the usual one, seconds above."""

SMALL = 8 * 1024
"""Bytes up to which a redrawn photo may be larger than what was sent: tables alone take some hundred."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_QUALITIES = (90, 80, 65, 50, 35, 20)
_COLOURS = 256
_FAST_OCTREE = 2  # the one method that takes transparency
_ORIENTATION = 0x0112
_TURNS: dict[object, int] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""From EXIF's orientation to Pillow's `Transpose` that turns the picture upright."""

_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error)
"""What Pillow raises on data that was broken on its way, or on purpose."""


def take(media_type: str, data: str) -> Blob:
    """The photo in base64 text, decoded, checked and re-encoded without metadata.

    Re-encoding is what strips: whatever hid behind or between the pixels does not survive it. The orientation
    that a camera notes beside the pixels is applied first. No photo grows by it: what was compressed more than we
    would is compressed as much again, and what can't be is drawn smaller.

    Raises:
        PhotoInvalid: no base64, too large, no image, another type than stated, or too many pixels.
    """
    if media_type not in _FORMATS:
        raise _invalid("media_type", "type", "A photo is image/jpeg or image/png.")
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise _invalid("data", "base64", "The photo's data is no base64 text.") from None
    if len(raw) > LARGEST:
        raise _invalid("data", "size", "A photo has at most 1 MiB.")
    clean = _redraw(raw, _FORMATS[media_type])
    return Blob(hashlib.sha256(clean).hexdigest(), "photo", media_type, clean)


def _redraw(raw: bytes, form: str) -> bytes:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None  # its check only warns; the one below refuses, before a pixel is drawn
    try:
        with Image.open(io.BytesIO(raw), formats=[form]) as image:
            if image.width * image.height > MOST_PIXELS:
                raise _invalid("data", "pixels", f"A photo has at most {MOST_PIXELS} pixels.")
            image.load()
            drawn = _upright(image).convert(_mode(image, form))
    except _UNREADABLE:
        raise _invalid("data", "undecodable", f"The data is no {form} picture.") from None
    drawn.info.clear()
    return _encoded(drawn, form, max(len(raw), SMALL))


def _mode(image: "Pictures.Image", form: str) -> str:
    if form == "PNG" and image.has_transparency_data:
        return "RGBA"
    return image.mode if form == "PNG" and image.mode in {"1", "L", "P"} else "RGB"


def _encoded(drawn: "Pictures.Image", form: str, most: int) -> bytes:
    """A picture in at most so many bytes: as well as that allows, smaller where nothing else does."""
    while True:
        for picture, options in _ways(drawn, form):
            out = io.BytesIO()
            picture.save(out, form, **options)
            if out.tell() <= most or max(drawn.size) == 1:
                return out.getvalue()
        drawn = drawn.resize((max(1, drawn.width // 2), max(1, drawn.height // 2)))


def _ways(drawn: "Pictures.Image", form: str) -> Iterator[tuple["Pictures.Image", dict[str, Any]]]:
    """How a picture may be encoded, the best first."""
    if form == "JPEG":
        for quality in _QUALITIES:
            yield drawn, {"quality": quality}
        return
    best = {"optimize": True} if drawn.width * drawn.height <= PIXELS_WORTH_TRYING else {}
    yield drawn, {}
    if best:
        yield drawn, best
    if drawn.mode in {"RGB", "RGBA"}:
        yield drawn.quantize(_COLOURS, method=_FAST_OCTREE), best


def _upright(image: "Pictures.Image") -> "Pictures.Image":
    """The picture as the camera's orientation means it; as it is where that can't be read."""
    from PIL import Image

    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION))
    except _UNREADABLE:
        return image
    return image if turn is None else image.transpose(Image.Transpose(turn))


def _invalid(member: str, code: str, detail: str) -> PhotoInvalid:
    return PhotoInvalid(detail, faults=[Fault(f"/subject/photo/{member}", code, detail)])
