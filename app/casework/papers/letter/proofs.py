"""The proof of a letter's record as code, printed facts and explanation, without personal data (no I/O)."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from app.casework.papers import words
from app.casework.papers.domain import LetterHead, Proof, Standing
from app.casework.papers.letter import code
from app.kit.canonical import canonical
from app.ledger.domain import Record
from app.tlog.checkpoints import Checkpoint
from app.tlog.merkle import leaf_hash
from app.tlog.notes import Signature

_HOLDS: Final = "Kode QR memuat daun catatan ini dan jalur auditnya (RFC 9162), serta tanda tangan "
_VERIFIED: Final = (
    "Siapa pun dapat memeriksanya tanpa terhubung ke register, dengan kunci publik yang diperolehnya sendiri; bentuk "
    "kode dan program pemeriksanya (verify.py) terbuka. Kode ini tidak memuat data pribadi."
)
_EXPLAINED: Final = {
    Standing.WITNESSED: f"{_HOLDS}register dan para saksinya. {_VERIFIED}",
    Standing.PENDING: (
        f"{_HOLDS}register. Para saksi belum menandatangani ujung register yang mencakup catatan ini: mintalah surat "
        f"ini kembali untuk memperoleh kode yang disaksikan. {_VERIFIED}"
    ),
    Standing.UNWITNESSED: (
        f"{_HOLDS}register. Register ini tidak memakai saksi, sehingga kode ini hanya bersandar pada tanda tangan "
        f"register sendiri. {_VERIFIED}"
    ),
    Standing.BEYOND: (
        f"{_HOLDS}register. Tanda tangan para saksi tidak dapat dimuat dalam kode ini; berkas pembuktian memuatnya "
        f"sejak para saksi menandatangani. {_VERIFIED}"
    ),
}
_NO_HEAD: Final = (
    "Belum ada ujung register bertanda tangan yang mencakup catatan ini, sehingga surat ini tidak memuat kode QR. "
    "Mintalah surat ini kembali untuk memperoleh kode tersebut."
)
_NOT_YET: Final = "belum disaksikan (not yet witnessed)"
_SAID: Final = {
    Standing.PENDING: _NOT_YET,
    Standing.UNWITNESSED: "tidak memakai saksi (not witnessed)",
    Standing.BEYOND: "tanda tangannya ada dalam berkas pembuktian (not in this code)",
}
_TIME_BYTES: Final = 8


def proof_of(record: Record, head: LetterHead | None, path: Sequence[bytes]) -> Proof:
    """Return the proof that a record is in the ledger: the text of the QR code, printed facts, and an explanation.

    Args:
        record: the letter's record.
        head: the signed head that the code shows; None before one covers the record.
        path: the record's audit path to the head's root; empty without a head.
    """
    leaf = canonical(record.leaf)
    facts = [
        ("Catatan register nomor", f"{record.sequence} ({record.type.value}), {words.moment(record.at)}"),
        ("Data", f"{record.entry_id}, versi {record.version}"),
        ("Komitmen SHA-256 atas data pribadi", record.leaf["commitment"]),
        ("Hash daun catatan (RFC 9162)", leaf_hash(leaf).hex()),
    ]
    if head is None:
        return Proof(None, [*facts, ("Saksi", _NOT_YET)], _NO_HEAD)
    data = code.content(leaf, path, head.note)
    return Proof(code.text(data), [*facts, *_signed(head)], _EXPLAINED[head.standing])


def _signed(head: LetterHead) -> Iterator[tuple[str, str]]:
    checkpoint = Checkpoint.parse(head.note.text)
    own, *cosignatures = head.note.signatures
    yield f"Akar pohon Merkle dari {head.size} catatan", checkpoint.root.hex()
    yield "Register dan waktu tanda tangannya", _signer(own)
    yield "Saksi", _SAID.get(head.standing) or "\n".join(map(_signer, cosignatures))


def _signer(signature: Signature) -> str:
    at = datetime.fromtimestamp(int.from_bytes(signature.data[:_TIME_BYTES], "big"), UTC)
    return f"{signature.name},\n{words.moment(at)}"
