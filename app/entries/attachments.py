"""The wire of attachments: scans and files that are sent in a body and must hash to what the body says."""

import base64
import binascii
import hashlib
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from app.entries.blobs import Blob, BlobKind
from app.errors import Fault, Invalid
from app.web.wire import WireIn

LARGEST: Final = 1024 * 1024
"""Bytes, decoded."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class AttachmentIn(WireIn):
    """A scan or file."""

    media_type: Literal["application/pdf", "image/jpeg", "image/png"]
    data: Annotated[str, Field(max_length=LARGEST * 2, description="base64")]

    def taken(self, kind: BlobKind, sha256: str, pointer: str) -> Blob:
        """The attachment's bytes.

        Args:
            kind: what they are.
            sha256: what they must hash to.
            pointer: where the attachment is in the body.

        Raises:
            Invalid: it is no base64, too large, or hashes to something else.
        """
        pointer = f"{pointer}/data"
        try:
            data = base64.b64decode(self.data, validate=True)
        except (binascii.Error, ValueError):
            raise _invalid(pointer, "base64", "The attachment's data is no base64 text.") from None
        if len(data) > LARGEST:
            raise _invalid(pointer, "size", "An attachment has at most 1 MiB.")
        if hashlib.sha256(data).hexdigest() != sha256:
            raise _invalid(pointer, "sha256", "The attachment does not hash to the `sha256` beside it.")
        return Blob(sha256, kind, self.media_type, data)


def _invalid(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid(detail, faults=[Fault(pointer, code, detail)])
