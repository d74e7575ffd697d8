"""The format of a letter's code: a record's proof in few bytes, written as digits; pure functions.

    CEKAL/2/<number>

The number is decimal; in base 256, the largest digit first, it is

    1 byte    2, the format
    1 byte    length of the origin, then the origin in UTF-8
    8 bytes   number of records of the tree
    1 byte    number of hashes of the audit path, then 32 bytes each, from the leaf upwards
    1 byte    number of signatures, then 76 bytes each: the key's id (4), POSIX time (8), Ed25519 signature (64)
    the rest  the leaf in its RFC 8785 form; its `sequence` is the index, from 1

Numbers of bytes are big-endian. The root is not in it: it is computed from leaf and path, and the signatures hold only
for the right one. The first signature is the register's, the others are cosignatures of witnesses (C2SP
tlog-cosignature, Ed25519).

Digits, since many scanners spoil bytes: they take a code's bytes for text in some encoding, and what is copied from
their screen is another code. Ten bits of a QR code hold three digits, so digits cost 0.3 % more than bytes.
"""

from collections.abc import Sequence
from typing import Final

from app.tlog.keys import VerifierKey
from app.tlog.notes import Note

PREFIX: Final = "CEKAL/2/"
LARGEST: Final = 2190
"""Bytes of the largest content. ReportLab draws codes up to version 39, of 5294 digits with medium error correction."""

_FORMAT = 2


def chosen(note: Note, log: VerifierKey, quorum: Sequence[VerifierKey]) -> Note:
    """Return a signed checkpoint (`note`) with only the signatures that a letter's code contains.

    The code contains the signature of the register's key `log`, then one signature of each witness's key in `quorum`,
    in that order.

    Raises:
        KeyError: the note lacks one of these signatures.
    """
    by = {(each.name, each.key_id): each for each in note.signatures}
    return Note(note.text, tuple(by[key.name, key.key_id] for key in (log, *quorum)))


def content(leaf: bytes, path: Sequence[bytes], note: Note) -> bytes:
    """Return the bytes of a letter's code: the checkpoint, the audit path, the signatures and the leaf.

    Args:
        leaf: the record's leaf in its RFC 8785 form.
        path: the record's audit path to the checkpoint's root, from the leaf upwards.
        note: a checkpoint, with signatures of `TIMED_ED25519` keys only.
    """
    origin, size, _ = note.text.encode().split(b"\n", 2)
    signatures = [each.key_id + each.data for each in note.signatures]
    parts = (
        bytes([_FORMAT, len(origin)]) + origin,
        int(size).to_bytes(8, "big"),
        bytes([len(path)]) + b"".join(path),
        bytes([len(signatures)]) + b"".join(signatures),
        leaf,
    )
    return b"".join(parts)


def text(data: bytes) -> str:
    """Return a code's bytes as the text of the QR code: `PREFIX` and a decimal number."""
    return f"{PREFIX}{digits(data)}"


def digits(data: bytes) -> str:
    """Return the decimal digits of the big-endian number that the bytes are; an empty text for no bytes or only zeros.

    `str` is not used, because Python may be configured to refuse so many digits.
    """
    number, groups = int.from_bytes(data, "big"), []
    while number:
        number, group = divmod(number, 10**18)
        groups.append(f"{group:018d}")
    return "".join(reversed(groups)).lstrip("0")
