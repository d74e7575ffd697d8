"""Bytes that are kept beside an entry: a photo, a letter."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes: a photo or a letter."""

    sha256: str
    kind: str
    media_type: str
    data: bytes
