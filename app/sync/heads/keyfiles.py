"""The private keys of this machine: one PEM file for each, readable by its owner only.

A file's name begins with the key's kind: `ed25519`, `timed-ed25519` or `timed-ml-dsa-44`. An operator may put own
keys into the folder before the first `cekal migrate`.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from app.kit.private import write_private
from app.settings import Settings
from app.tlog.keys import KeyKind, KeyMalformed, SigningKey

FOLDER: Final = "signing-keys"
_SUFFIX: Final = ".pem"
_OTHERS: Final = 0o077
_NAMES: Final = {kind: kind.name.lower().replace("_", "-") for kind in KeyKind}


class SigningKeysRefused(RuntimeError):
    """The files of the private keys can't be used; the message explains the remedy."""


def folder_of(settings: Settings) -> Path:
    """Return the folder of the private keys, which may be missing."""
    return settings.signing_keys or settings.data_dir / FOLDER


def read_keys(folder: Path) -> list[SigningKey]:
    """Return all private keys in a folder, by file name; an empty list if the folder is missing.

    Raises:
        SigningKeysRefused: a file can't be read, may be read by others than its owner, has no kind of key in its name,
            or is not a key of this kind.
    """
    return [_read(path, kind) for path, kind in _files(folder)]


def write_key(folder: Path, key: SigningKey, name: str) -> Path:
    """Write a private key durably to a new file with mode 0600, and return the file's path.

    Args:
        folder: the folder; it is made with mode 0700 if it is missing.
        key: the key.
        name: the part of the file's name that distinguishes the key from others of its kind.
    """
    path = folder / f"{_NAMES[key.kind]}-{name}{_SUFFIX}"
    write_private(path, key.to_pem())
    return path


def _files(folder: Path) -> Iterator[tuple[Path, KeyKind]]:
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        kinds = [kind for kind, name in _NAMES.items() if path.name.startswith((f"{name}-", f"{name}."))]
        if not kinds:
            raise SigningKeysRefused(
                f"{path} is not named after a kind of key: {', '.join(_NAMES.values())}, a dash, and a name."
            )
        yield path, kinds[0]


def _read(path: Path, kind: KeyKind) -> SigningKey:
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SigningKeysRefused(f"{path} can be read by others: set its mode to 0600.")
            return SigningKey.from_pem(kind, file.read())
    except KeyMalformed as error:
        raise SigningKeysRefused(f"{path}: {error}.") from error
    except OSError as error:
        raise SigningKeysRefused(f"{path} can't be read: {error.strerror}.") from error
