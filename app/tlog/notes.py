"""Signed notes (C2SP signed-note): a text, an empty line, and a line for each signature."""

import base64
import re
from dataclasses import dataclass
from typing import Self

LONGEST_NOTE = 128 * 1024
"""Bytes of the longest note that is read. Sixteen signatures of ML-DSA-44 take 52 kB."""

MOST_SIGNATURES = 64
KEY_ID_BYTES = 4
MEDIA_TYPE = "text/plain; charset=utf-8"

_DASH = "\N{EM DASH} "
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\x00-\x1f\ud800-\udfff]+")


class NoteMalformed(ValueError):
    """A text is not a signed note; the message gives the reason."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature line of a note: the name and the id of the key that signed, and the signature's bytes."""

    name: str
    key_id: bytes
    data: bytes

    def __str__(self) -> str:
        """Return the line, with its line end."""
        return f"{_DASH}{self.name} {base64.b64encode(self.key_id + self.data).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Return the signature in a line of a note; the line has no line break at its end.

        Raises:
            NoteMalformed: the line is not a signature line.
        """
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space or not is_key_name(name):
            raise NoteMalformed("a signature line is a dash, a key's name and base64")
        data = decode_base64(encoded)
        if len(data) <= KEY_ID_BYTES:
            raise NoteMalformed("a signature is shorter than its key id")
        return cls(name, data[:KEY_ID_BYTES], data[KEY_ID_BYTES:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text with its signatures (C2SP signed-note); whether the signatures are right is not known.

    Attributes:
        text: the signed text, with the line break at its end.
        signatures: the signatures, in the note's order.
    """

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        """Return the note as it is sent."""
        return f"{self.text}\n{''.join(map(str, self.signatures))}"

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the note in some bytes; its signatures are not verified.

        Raises:
            NoteMalformed: the bytes are not a signed note, are longer than `LONGEST_NOTE`, or have more than
                `MOST_SIGNATURES` signatures.
        """
        if len(data) > LONGEST_NOTE:
            raise NoteMalformed(f"a note has at most {LONGEST_NOTE} bytes")
        try:
            whole = data.decode()
        except UnicodeDecodeError as error:
            raise NoteMalformed("a note is UTF-8") from error
        if _CONTROL.search(whole):
            raise NoteMalformed("a note has no control characters")
        text, separator, lines = whole.rpartition("\n\n")
        if not separator or not lines.endswith("\n"):
            raise NoteMalformed("a note ends with an empty line and at least one signature line")
        signatures = parse_signatures(lines)
        return cls(f"{text}\n", signatures)


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Return the signatures in a text of signature lines, in order; each line must end with a line break.

    Raises:
        NoteMalformed: there is no line, there are too many, or one is not a signature line.
    """
    if not lines.endswith("\n"):
        raise NoteMalformed("the last signature line has no line end")
    parts = lines[:-1].split("\n")
    if len(parts) > MOST_SIGNATURES:
        raise NoteMalformed(f"a note has at most {MOST_SIGNATURES} signatures")
    return tuple(Signature.parse(line) for line in parts)


def is_key_name(name: str) -> bool:
    """Return whether a text may name a key: not empty, without space, plus sign, control character or surrogate."""
    return _NAME.fullmatch(name) is not None


def decode_base64(text: str) -> bytes:
    """Return the bytes in a text of standard base64 with its padding (RFC 4648 section 4).

    Raises:
        NoteMalformed: the text is not base64, or its unused bits are not zero, so that another text has the same bytes.
    """
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii.Error is one; a text that is not ASCII raises it too
        raise NoteMalformed("not base64") from error
    if base64.b64encode(data).decode() != text:  # unused bits that are not zero (RFC 4648 section 3.5)
        raise NoteMalformed("not the only base64 of these bytes")
    return data
