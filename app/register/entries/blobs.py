"""Files of an entry: photo, letter, judgment, or the document of a loss of citizenship."""

from dataclasses import dataclass
from typing import Literal

BlobKind = Literal["photo", "letter", "citizenship_loss", "judgment"]


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored file: its bytes, SHA-256, kind and media type."""

    sha256: str
    kind: BlobKind
    media_type: str
    data: bytes
