"""Keys that sign checkpoints: plain Ed25519, and the two timestamped kinds (C2SP signed-note, tlog-cosignature)."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from app.tlog.checkpoints import Checkpoint
from app.tlog.notes import KEY_ID_BYTES, NoteMalformed, Signature, decode_base64, is_key_name

LONGEST_NAME = 255
"""Greatest number of bytes of a key's name or an origin: what ML-DSA-44 signs has one byte for the length."""

LATEST_TIME = 2**63 - 1
"""The largest POSIX time that a timestamped signature may have (C2SP tlog-cosignature, "Format")."""

_TIME_BYTES = 8
_LABEL = b"subtree/v1\n\x00"
_KEY_ID = re.compile(r"[0-9a-f]{8}")


class KeyKind(IntEnum):
    """The algorithms of keys. Each value is the byte that identifies the algorithm in C2SP signed-note."""

    ED25519 = 0x01
    """Signs the note's text; has no time."""
    TIMED_ED25519 = 0x04
    """Signs the time and the note's text."""
    TIMED_ML_DSA_44 = 0x06
    """Signs a structure of the signer's name, the time, origin, size and root (FIPS 204)."""


_PUBLIC_BYTES: Final = {
    KeyKind.ED25519: 32,
    KeyKind.TIMED_ED25519: 32,
    KeyKind.TIMED_ML_DSA_44: 1312,
}


class SignatureInvalid(ValueError):
    """A signature is wrong, or none of the trusted keys has signed; the message names the key or the log."""


class KeyMalformed(ValueError):
    """A text or a file is not a key of the expected kind; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key: the name of its signer (a log's origin or a witness's name), its algorithm and its bytes."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The key's id in signature lines: the first four bytes of the hash of name, kind and key (C2SP)."""
        named = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        """Return the key as a vkey (C2SP signed-note, "Verifier keys")."""
        material = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Return the key in a vkey: a text of name, key id and key, joined by plus signs (C2SP signed-note).

        Raises:
            KeyMalformed: the text is not a vkey of a known kind, or its id does not belong to its name and key.
        """
        name, _, rest = vkey.partition("+")
        key_id, plus, encoded = rest.partition("+")
        if not plus or not is_key_name(name) or not _KEY_ID.fullmatch(key_id):
            raise KeyMalformed("a vkey is a name, eight hexadecimal digits and base64, joined by plus signs")
        try:
            material = decode_base64(encoded)
            kind = KeyKind(material[0])
        except (NoteMalformed, IndexError, ValueError) as error:
            raise KeyMalformed("the key is of no known kind: Ed25519, or a cosigner's") from error
        key = cls(name, kind, material[1:])
        if len(key.public) != _PUBLIC_BYTES[kind]:
            raise KeyMalformed(f"a key of this kind has {_PUBLIC_BYTES[kind]} bytes")
        if key.key_id.hex() != key_id:
            raise KeyMalformed("the key's id does not belong to its name and key")
        return key

    def verify(self, text: str, signature: Signature) -> int | None:
        """Raise SignatureInvalid unless the bytes of a signature are this key's signature of a checkpoint's text.

        The signature's name and key id are not compared.

        Returns:
            The POSIX time in the signature; None for a plain Ed25519 signature, which has no time.

        Raises:
            SignatureInvalid: the bytes are not this key's signature of the text.
        """
        if self.kind is KeyKind.ED25519:
            self._verify(signature.data, text.encode())
            return None
        time = int.from_bytes(signature.data[:_TIME_BYTES], "big")
        if time > LATEST_TIME:
            raise SignatureInvalid(f"the signature of {self.name} has an impossible time")
        self._verify(signature.data[_TIME_BYTES:], _message(self.kind, self.name, text, time))
        return time

    def _verify(self, signature: bytes, message: bytes) -> None:
        try:
            if self.kind is KeyKind.TIMED_ML_DSA_44:
                MLDSA44PublicKey.from_public_bytes(self.public).verify(signature, message)
            else:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError) as error:
            raise SignatureInvalid(f"the signature of {self.name} is wrong") from error


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key. It has no name: the signer's name is an argument of each signature, as a log's origin changes."""

    kind: KeyKind
    private: Ed25519PrivateKey | MLDSA44PrivateKey = field(repr=False)

    @classmethod
    def generate(cls, kind: KeyKind) -> Self:
        """Return a new random key of a kind."""
        if kind is KeyKind.TIMED_ML_DSA_44:
            return cls(kind, MLDSA44PrivateKey.generate())
        return cls(kind, Ed25519PrivateKey.generate())

    @classmethod
    def from_pem(cls, kind: KeyKind, pem: bytes) -> Self:
        """Return the key in a PEM file with PKCS#8, without a password.

        Raises:
            KeyMalformed: the bytes are not such a file, or the key is not of the kind's algorithm.
        """
        try:
            private = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyMalformed("not a private key in PEM (PKCS#8) without a password") from error
        wanted = MLDSA44PrivateKey if kind is KeyKind.TIMED_ML_DSA_44 else Ed25519PrivateKey
        if not isinstance(private, wanted):
            raise KeyMalformed(f"a key of another algorithm than {kind.name}")
        return cls(kind, private)

    def to_pem(self) -> bytes:
        """Return the key as PEM with PKCS#8, without a password."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> bytes:
        """The bytes of the public key."""
        return self.private.public_key().public_bytes_raw()

    def verifier(self, name: str) -> VerifierKey:
        """Return the public key as a verifier key; `name` is the name of the signer, a log or a witness."""
        return VerifierKey(name, self.kind, self.public)

    def sign(self, name: str, text: str, time: int) -> Signature:
        """Return the signature of a checkpoint's text by this key, under a signer's name.

        Args:
            name: the signer's name: a witness's name, or a log's origin.
            text: the text of the note.
            time: the POSIX time of the signature; a plain Ed25519 signature does not contain it.

        Raises:
            SignatureInvalid: only for a key of ML-DSA-44: `text` is not a checkpoint, or `name` or the checkpoint's
                origin is empty or longer than 255 bytes.
        """
        if self.kind is KeyKind.ED25519:
            signed = self.private.sign(text.encode())
        else:
            timed = time.to_bytes(_TIME_BYTES, "big")
            signed = timed + self.private.sign(_message(self.kind, name, text, time))
        return Signature(name, self.verifier(name).key_id, signed)


def _message(kind: KeyKind, name: str, text: str, time: int) -> bytes:
    """Return the bytes that a timestamped key signs (C2SP tlog-cosignature).

    Raises:
        SignatureInvalid: the text is not a checkpoint, so that ML-DSA-44 can't have signed it.
    """
    if kind is KeyKind.TIMED_ED25519:
        return f"cosignature/v1\ntime {time}\n{text}".encode()
    try:
        checkpoint = Checkpoint.parse(text)
        parts = (_short(name), time.to_bytes(_TIME_BYTES, "big"), _short(checkpoint.origin))
    except NoteMalformed as error:
        raise SignatureInvalid(str(error)) from error
    extent = (0).to_bytes(8, "big") + checkpoint.size.to_bytes(8, "big")
    return _LABEL + b"".join(parts) + extent + checkpoint.root


def _short(name: str) -> bytes:
    """Return a name behind the byte of its length.

    Raises:
        NoteMalformed: the name is empty or longer than `LONGEST_NAME`.
    """
    data = name.encode()
    if not 1 <= len(data) <= LONGEST_NAME:
        raise NoteMalformed(f"a name has 1 to {LONGEST_NAME} bytes")
    return bytes([len(data)]) + data
