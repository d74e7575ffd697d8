"""A witness's name and keys: made when it first starts, and never changed."""

import re
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.kit.private import is_open_to_others, write_private
from app.tlog.keys import KeyKind, KeyMalformed, SigningKey, VerifierKey
from app.tlog.notes import Signature

FOLDER: Final = "keys"
_FILES: Final = {KeyKind.TIMED_ED25519: "ed25519.pem", KeyKind.TIMED_ML_DSA_44: "ml-dsa-44.pem"}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,199}")


class IdentityRefused(RuntimeError):
    """The witness's name or keys are not those of its first start, or can't be used; the message gives the remedy."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A witness's name and its two private keys, a timestamped Ed25519 key and an ML-DSA-44 key."""

    name: str
    keys: tuple[SigningKey, ...]

    @property
    def vkeys(self) -> tuple[VerifierKey, ...]:
        """The public keys with the witness's name, in the order of `keys`."""
        return tuple(key.verifier(self.name) for key in self.keys)

    def cosign(self, text: str, time: int) -> tuple[Signature, ...]:
        """Return the signature of a checkpoint's text by each key, dated at the POSIX time `time`.

        Raises:
            SignatureInvalid: the text is not a checkpoint, or its origin is too long.
        """
        return tuple(key.sign(self.name, text, time) for key in self.keys)


def default_name() -> str:
    """Return the machine's host name, as the name of a witness; `witness` if the host name has a wrong form."""
    name = socket.gethostname()
    return name if _NAME.fullmatch(name) else "witness"


def expect_name(name: str) -> str:
    """Return the name unchanged if it has the form of a witness's name; else raise IdentityRefused.

    Raises:
        IdentityRefused: the name has characters other than ASCII letters, digits, dots, hyphens, underscores and
            slashes, does not begin with a letter or digit, or is longer than 200 characters.
    """
    if not _NAME.fullmatch(name):
        raise IdentityRefused("A witness's name is like a host: letters, digits, dots, hyphens and slashes.")
    return name


def take_keys(data_dir: Path, *, make: bool) -> tuple[SigningKey, ...]:
    """Return a witness's two private keys from the folder `keys` in its own folder; at the first start, make them.

    Args:
        data_dir: the witness's folder.
        make: True at the first start: new keys are made, and the folder `keys` must be missing. False: the keys must
            exist.

    Raises:
        IdentityRefused: a key is missing, malformed, or may be read by other users of the machine; or `make` is true
            and the folder `keys` exists.
        OSError: a key can't be read or written.
    """
    folder = data_dir / FOLDER
    if make and folder.exists():
        raise IdentityRefused(
            f"{folder} has keys, and the witness's memory is gone: it would cosign a second past. Put its file back "
            "as it was last, or begin as a new witness in another folder. If the first start was cut, delete the keys."
        )
    return tuple(_take(folder / file, kind, make=make) for kind, file in _FILES.items())


def _take(path: Path, kind: KeyKind, *, make: bool) -> SigningKey:
    try:
        pem = path.read_bytes()
    except FileNotFoundError:
        if not make:
            raise IdentityRefused(
                f"{path} is missing: with another key the witness would be another one. Put it back."
            ) from None
        write_private(path, SigningKey.generate(kind).to_pem())
        pem = path.read_bytes()
    if is_open_to_others(path) or is_open_to_others(path.parent):
        raise IdentityRefused(
            f"Other users of this machine may read {path}: chmod 600 the file, chmod 700 its folder."
        )
    try:
        return SigningKey.from_pem(kind, pem)
    except KeyMalformed as error:
        raise IdentityRefused(f"{path}: {error}.") from None
