"""The content of a letter's QR code: a proof of the ledger's record, without personal data; pure functions.

    CEKAL/1/<size>/<root>/<path>/<leaf>

`size` is the number of records of the tree, `root` its RFC 9162 root, `path` the audit path's hashes one after
the other, `leaf` the record's leaf in its RFC 8785 form. Root and path are base 32 (RFC 4648) without padding:
the part before the leaf is then in the QR code's alphanumeric set, which takes 5.5 bits a character, so that
a hash costs 286 bits where base64url in bytes would cost 344. The leaf's `sequence` gives its index.

The tree is the one that the record itself completed: `size` is the record's own sequence. Such a tree never
changes, so the letter of a version has the same bytes for ever; and its path holds left neighbours only, on
average half as many as in a larger tree. Any later root of the register contains it, which a consistency proof
(RFC 9162 section 2.1.4) shows.
"""

import base64

from app.casework.papers import words
from app.casework.papers.domain import Proof
from app.kit.canonical import canonical
from app.ledger.domain import Inclusion, Record
from app.tlog.merkle import leaf_hash

_FORMAT = "CEKAL/1"


def proof_of(record: Record, inclusion: Inclusion) -> Proof:
    """Return the proof that a record is in the ledger, for the QR code and as printed facts."""
    leaf = canonical(record.leaf)
    parts = (_FORMAT, str(inclusion.size), _base32(inclusion.root), _base32(b"".join(inclusion.path)))
    return Proof(
        text="/".join((*parts, leaf.decode())),
        facts=(
            ("Catatan register nomor", f"{record.sequence} ({record.type.value}), {words.moment(record.at)}"),
            ("Data", f"{record.entry_id}, versi {record.version}"),
            ("Komitmen SHA-256 atas data pribadi", record.leaf["commitment"]),
            ("Hash daun catatan (RFC 9162)", leaf_hash(leaf).hex()),
            (f"Akar pohon Merkle dari {inclusion.size} catatan", inclusion.root.hex()),
        ),
    )


def _base32(value: bytes) -> str:
    return base64.b32encode(value).decode().rstrip("=")
