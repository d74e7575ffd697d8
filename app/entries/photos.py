"""Photos: checked by decoding, stored without metadata."""

import base64
import binascii
import hashlib
import io
import struct
from typing import TYPE_CHECKING

from app.entries.blobs import Blob
from app.errors import Fault, PhotoInvalid

if TYPE_CHECKING:
    from PIL import Image as Pictures

LARGEST = 1024 * 1024
"""Bytes, decoded (contract section 2)."""

MOST_PIXELS = 16_000_000
"""More than a passport photo ever needs; a file of 62 kB may claim 64 million, which cost 430 MB to draw."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_ORIENTATION = 0x0112
_TURNS: dict[object, int] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""From EXIF's orientation to Pillow's `Transpose` that turns the picture upright."""

_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error)
"""What Pillow raises on data that was broken on its way, or on purpose."""


def take(media_type: str, data: str) -> Blob:
    """The photo in base64 text, decoded, checked and re-encoded without metadata.

    Re-encoding is what strips: whatever hid behind or between the pixels does not survive it. The orientation
    that a camera notes beside the pixels is applied first.

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
            drawn = _upright(image).convert(
                "RGBA" if form == "PNG" and image.has_transparency_data else "RGB"
            )
    except _UNREADABLE:
        raise _invalid("data", "undecodable", f"The data is no {form} picture.") from None
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, form, quality=90)
    return out.getvalue()


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
