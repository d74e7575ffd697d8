"""Salted commitments to texts: a record that has the commitment can be verified even after its texts are erased."""

import hashlib
from secrets import token_bytes

import msgspec

_encode = msgspec.json.Encoder().encode


def commit(*texts: str | None, salt: bytes | None = None) -> tuple[bytes, bytes]:
    """Return a new salted commitment to texts, or with `salt` compute an earlier commitment again, to verify it.

    Args:
        texts: the texts, in an order that never changes.
        salt: the salt of the earlier commitment; None makes a new one of 32 random bytes.

    Returns:
        The salt, and the commitment: SHA-256 over the salt and the JSON list of the texts. Without the salt, the
        commitment reveals nothing about the texts.
    """
    salt = salt or token_bytes(32)
    return salt, hashlib.sha256(salt + _encode(texts)).digest()
