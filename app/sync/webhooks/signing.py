"""Secrets of endpoints, and the headers that sign a delivery (Standard Webhooks 1.0.0).

A database, or its backup, alone is of no use to sign: the secrets in it are encrypted under a key that is derived from
the register's pepper, which is kept outside.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_SECRET_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_PURPOSE: Final = b"cekal webhook secrets 1"


class SecretsUnreadable(Exception):
    """The encrypted secrets of an endpoint can't be decrypted; the message gives the remedy."""


@dataclass(frozen=True, slots=True)
class Secrets:
    """The two secrets of an endpoint, with which each request is signed in two ways (Standard Webhooks).

    Attributes:
        shared: the secret that the receiver has too, for the signatures `v1` (HMAC-SHA256).
        seed: the private key for the signatures `v1a` (Ed25519); the receiver has the public key.
    """

    shared: bytes
    seed: bytes

    @classmethod
    def generate(cls) -> Self:
        """Make new random secrets."""
        return cls(secrets.token_bytes(_SECRET_BYTES), secrets.token_bytes(_SECRET_BYTES))

    @property
    def shared_text(self) -> str:
        """The shared secret as text: `whsec_` and base64. It is shown to the endpoint's owner once."""
        return "whsec_" + base64.b64encode(self.shared).decode()

    @property
    def public_text(self) -> str:
        """The public key with which receivers verify `v1a` signatures: `whpk_` and base64; it is not secret."""
        key = Ed25519PrivateKey.from_private_bytes(self.seed).public_key()
        return "whpk_" + base64.b64encode(key.public_bytes_raw()).decode()

    def encrypt(self, pepper: bytes, endpoint_id: str) -> bytes:
        """Return the secrets encrypted for the database: only the pepper and this endpoint's id decrypt them."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + _cipher(pepper).encrypt(nonce, self.shared + self.seed, endpoint_id.encode())

    @classmethod
    def decrypt(cls, kept: bytes, pepper: bytes, endpoint_id: str) -> Self:
        """Return the secrets of this endpoint from the encrypted bytes `kept`.

        Raises:
            SecretsUnreadable: they were encrypted with another pepper, for another endpoint, or changed.
        """
        nonce, text = kept[:_NONCE_BYTES], kept[_NONCE_BYTES:]
        try:
            both = _cipher(pepper).decrypt(nonce, text, endpoint_id.encode())
        except InvalidTag:
            raise SecretsUnreadable("The endpoint's secrets can't be read: rotate them.") from None
        return cls(both[:_SECRET_BYTES], both[_SECRET_BYTES:])


@lru_cache(maxsize=4)
def _cipher(pepper: bytes) -> AESGCM:
    return AESGCM(HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(pepper))


@lru_cache(maxsize=2048)
def _private_key(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def signed_headers(
    message_id: str, timestamp: int, body: bytes, signers: Sequence[Secrets]
) -> dict[str, str]:
    """Return the header fields that sign a request, by name: `webhook-id`, `webhook-timestamp`, `webhook-signature`.

    Args:
        message_id: id of the event, without a dot.
        timestamp: time of the attempt, in seconds since 1970.
        body: the exact bytes of the request's body.
        signers: the secrets that sign: the present ones, and the former ones during an overlap. Each adds two
            signatures.
    """
    signed = b"%b.%d.%b" % (message_id.encode(), timestamp, body)
    signatures = [
        *(("v1", hmac.digest(each.shared, signed, hashlib.sha256)) for each in signers),
        *(("v1a", _private_key(each.seed).sign(signed)) for each in signers),
    ]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(
            f"{name},{base64.b64encode(data).decode()}" for name, data in signatures
        ),
    }
