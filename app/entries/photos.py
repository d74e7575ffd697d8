"""Photos: checked by decoding, stored without metadata."""

import base64
import binascii
import hashlib
import io
import warnings

from app.entries.store import Blob
from app.errors import Fault, PhotoInvalid

LARGEST = 1024 * 1024
"""Bytes, decoded (contract section 2)."""

_LARGEST_SIDE = 8000
_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}


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
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(raw), formats=[form]) as image:
                if max(image.size) > _LARGEST_SIDE:
                    raise _invalid("data", "pixels", f"A photo has at most {_LARGEST_SIDE} pixels a side.")
                image.load()
                upright = ImageOps.exif_transpose(image)
                drawn = upright.convert("RGB" if form == "JPEG" or upright.mode == "CMYK" else "RGBA")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _invalid("data", "undecodable", f"The data is no {form} picture.") from None
    drawn.info.clear()
    out = io.BytesIO()
    drawn.save(out, form, quality=90)
    return out.getvalue()


def _invalid(member: str, code: str, detail: str) -> PhotoInvalid:
    return PhotoInvalid(detail, faults=[Fault(f"/subject/photo/{member}", code, detail)])
