"""Request bodies of attachments: scans and files, which must match the SHA-256 in the body."""

import base64
import binascii
import hashlib
from typing import Annotated, Final, Literal

from pydantic import Field, StringConstraints

from app.errors import Fault, Invalid
from app.register.entries.blobs import Blob, BlobKind
from app.web.wire import WireIn

LARGEST: Final = 1024 * 1024
"""Maximum size in bytes, after decoding."""

Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


MediaType = Literal["application/pdf", "image/jpeg", "image/png"]


class AttachmentIn(WireIn):
    """A scan or file in base64, with its media type."""

    media_type: MediaType
    """Media type of the file."""
    data: Annotated[str, Field(max_length=LARGEST * 2)]
    """The file, in base64; at most 1 MiB decoded."""

    def taken(self, kind: BlobKind, sha256: str, pointer: str) -> Blob:
        """Return the attachment, decoded and compared with its SHA-256, as a file.

        Args:
            kind: the kind of file.
            sha256: the expected SHA-256 of the decoded bytes, in hexadecimal.
            pointer: JSON pointer of the attachment in the request's body, for the error.

        Raises:
            Invalid: the data are not base64, are larger than `LARGEST`, or have another SHA-256.
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
