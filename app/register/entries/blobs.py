"""Files of an entry: photo, letter, judgment, or the document of a loss of citizenship."""

from dataclasses import dataclass
from typing import Literal

BlobKind = Literal["photo", "letter", "citizenship_loss", "judgment"]


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of an entry, with its bytes.

    Attributes:
        sha256: SHA-256 of the bytes, in hexadecimal.
        kind: `photo`, or the kind of document: `letter`, `citizenship_loss` or `judgment`.
        media_type: the media type, for example `image/jpeg`.
        data: the bytes.
    """

    sha256: str
    kind: BlobKind
    media_type: str
    data: bytes
