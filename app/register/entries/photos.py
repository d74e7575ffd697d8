"""Validation of photos by decoding, and their storage without metadata."""

import base64
import binascii
import hashlib
import io
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from app.errors import Fault, PhotoInvalid
from app.register.entries.blobs import Blob

if TYPE_CHECKING:
    from PIL import Image as Pictures

LARGEST = 1024 * 1024
"""Maximum size in bytes, after decoding."""

MAX_PIXELS = 4_000_000
"""Maximum number of pixels: four times a passport photo at 600 dpi.

A file of 46 kB may claim 16 million pixels, which take seconds to decode.
"""

PIXELS_WORTH_TRYING = 1_000_000
"""Maximum number of pixels for a PNG's best compression, which takes ten times as long as the usual one."""

SMALL = 8 * 1024
"""Size in bytes that a re-encoded photo may always have, even if the original was smaller; tables take some hundred."""

_FORMATS = {"image/jpeg": "JPEG", "image/png": "PNG"}
_QUALITIES = (90, 80, 65, 50, 35, 20)
_MIDDLE_TABLE = 3688
"""Sum of the standard luminance table (ITU-T T.81, table K.1), which JPEG encoders use as it is at quality 50."""

_COLOURS = 256
_FAST_OCTREE = 2  # the only method that supports transparency
_ORIENTATION = 0x0112
_TURNS: dict[object, int] = {2: 0, 3: 3, 4: 1, 5: 5, 6: 4, 7: 6, 8: 2}
"""Map from EXIF's orientation to Pillow's `Transpose` that turns the picture upright."""

_UNREADABLE = (OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, struct.error)
"""Exceptions that Pillow raises on damaged or malicious data."""


def take(media_type: str, data: str) -> Blob:
    """Decode a photo from base64 text, validate it and re-encode it without metadata. Returns it as a file.

    Re-encoding removes everything except the pixels. The orientation in the camera's metadata is applied first. The
    result is not larger in bytes than the original, except for very small photos; quality or size is reduced if needed.

    Args:
        media_type: the stated media type: `image/jpeg` or `image/png`.
        data: the photo in base64.

    Raises:
        PhotoInvalid: the data are no base64, too large, no image, of another type than stated, or have too many pixels.
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

    Image.MAX_IMAGE_PIXELS = None  # its check only warns; the one below refuses before any pixel is decoded
    try:
        with Image.open(io.BytesIO(raw), formats=[form]) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _invalid("data", "pixels", f"A photo has at most {MAX_PIXELS} pixels.")
            image.load()
            drawn = _upright(image).convert(_mode(image, form))
            best = _quality_of(image)
    except _UNREADABLE:
        raise _invalid("data", "undecodable", f"The data is no {form} picture.") from None
    drawn.info.clear()
    return _encoded(drawn, form, best, max(len(raw), SMALL))


def _quality_of(image: "Pictures.Image") -> int:
    """Return the best quality to encode a picture anew as JPEG: at most that of its own luminance table, if it has one.

    A finer table would add bytes and no detail, and seldom fits in the size of the original.
    """
    table: Sequence[int] | None = getattr(image, "quantization", {}).get(0)
    if not table:
        return _QUALITIES[0]
    percent = 100 * sum(table) / _MIDDLE_TABLE
    quality = 100 - percent / 2 if percent <= 100 else 5000 / percent  # noqa: PLR2004 - as libjpeg scales its tables
    return min(max(1, round(quality)), _QUALITIES[0])


def _mode(image: "Pictures.Image", form: str) -> str:
    if form == "PNG" and image.has_transparency_data:
        return "RGBA"
    return image.mode if form == "PNG" and image.mode in {"1", "L", "P"} else "RGB"


def _encoded(drawn: "Pictures.Image", form: str, best: int, most: int) -> bytes:
    """Encode a picture in at most `most` bytes, with the best quality possible, or else in a smaller size.

    `best` is the quality that is tried first for a JPEG.
    """
    while True:
        for picture, options in _encodings(drawn, form, best):
            out = io.BytesIO()
            picture.save(out, form, **options)
            if out.tell() <= most or max(drawn.size) == 1:
                return out.getvalue()
        drawn = drawn.resize((max(1, drawn.width // 2), max(1, drawn.height // 2)))


def _encodings(
    drawn: "Pictures.Image", form: str, best_quality: int
) -> Iterator[tuple["Pictures.Image", dict[str, Any]]]:
    """Yield the options to encode a picture, best quality first."""
    if form == "JPEG":
        for quality in (best_quality, *(each for each in _QUALITIES if each < best_quality)):
            yield drawn, {"quality": quality}
        return
    best = {"optimize": True} if drawn.width * drawn.height <= PIXELS_WORTH_TRYING else {}
    yield drawn, {}
    if best:
        yield drawn, best
    if drawn.mode in {"RGB", "RGBA"}:
        yield drawn.quantize(_COLOURS, method=_FAST_OCTREE), best


def _upright(image: "Pictures.Image") -> "Pictures.Image":
    """Return the picture turned upright by the camera's orientation; unchanged where that can't be read."""
    from PIL import Image

    try:
        turn = _TURNS.get(image.getexif().get(_ORIENTATION))
    except _UNREADABLE:
        return image
    return image if turn is None else image.transpose(Image.Transpose(turn))


def _invalid(member: str, code: str, detail: str) -> PhotoInvalid:
    return PhotoInvalid(detail, faults=[Fault(f"/subject/photo/{member}", code, detail)])
