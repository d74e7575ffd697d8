"""Files of an entry: photo, letter, judgment, or the document of a loss of citizenship."""

from dataclasses import dataclass
from typing import Literal

BlobKind = Literal["photo", "letter", "citizenship_loss", "judgment"]


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file.

    Attributes:
        sha256: SHA-256 of the bytes, in hexadecimal.
        kind: the photo, or the kind of document.
        media_type: its media type.
        data: its bytes.
    """

    sha256: str
    kind: BlobKind
    media_type: str
    data: bytes
