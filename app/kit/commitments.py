"""Salted commitments to texts that may be erased later, so that what commits to them verifies afterwards too."""

import hashlib
from secrets import token_bytes

import msgspec

_encode = msgspec.json.Encoder().encode


def commit(*texts: str | None, salt: bytes | None = None) -> tuple[bytes, bytes]:
    """Return a salted commitment to texts, or compute an earlier one again for its verification.

    Args:
        texts: the texts, in an order that never changes.
        salt: the random bytes of an earlier commitment that is verified; without them, new ones are made.

    Returns:
        The salt, 32 random bytes, and SHA-256 over it and the JSON list of the texts. Without its salt a commitment
        reveals nothing.
    """
    salt = salt or token_bytes(32)
    return salt, hashlib.sha256(salt + _encode(texts)).digest()
