"""Bytes that are kept beside an entry: a photo, a letter, a judgment, the document of a loss of citizenship."""

from dataclasses import dataclass
from typing import Literal

BlobKind = Literal["photo", "letter", "citizenship_loss", "judgment"]


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes, and what they are."""

    sha256: str
    kind: BlobKind
    media_type: str
    data: bytes
