"""Versions in HTTP: strong entity tags, `If-Match`, `If-None-Match` (RFC 9110 sections 8.8.3, 13.1).

A tag is `"<version>-<rest>"`. The rest changes with everything else that changes the answer, such as `in_force` or
the viewer's rights. `If-Match` compares only the version, because an act is decided on a version.
"""

import re
from hashlib import blake2b
from typing import Annotated, Any, Final

from fastapi import Depends, Header
from starlette.responses import Response

from app.errors import StaleVersion, VersionRequired
from app.web.openapi_headers import carrying

_TAG = re.compile(r'\s*(?:"([0-9]{1,9})(?:-[\x21\x23-\x7e]*)?"|([0-9]{1,9}))\s*')
_OPAQUE = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')

VERSION_DEMANDED: Final = "The ETag of the version that was read: 428 without it, 412 if it is out of date."
"""Description of the header of a `RequiredVersion`; the generator of the OpenAPI document recognises it by this."""


def etag_of(version: int, *parts: object) -> str:
    """Return the strong tag of a resource's representation, quotes included.

    Args:
        version: the resource's version.
        parts: the other values that the representation depends on; compared by their `repr`.
    """
    rest = blake2b(repr(parts).encode(), digest_size=6).hexdigest()
    return f'"{version}-{rest}"'


def etag_of_bytes(version: int, body: bytes) -> str:
    """Return the strong tag of a representation, from the resource's version and a hash of `body`, quotes included."""
    return f'"{version}-{blake2b(body, digest_size=6).hexdigest()}"'


def expected_version(if_match: str | None) -> int:
    """Return the version of the resource that a caller has read, from the value of `If-Match`.

    The value is a tag of this service, a bare version number, or a list of these. The highest version in a list counts:
    a caller that has read version 4 does not intend to decide on version 3.

    Raises:
        VersionRequired: `If-Match` is missing, or is `*`, which names no version.
        StaleVersion: the value contains no version: for example only weak tags, or tags of another service.
    """
    if if_match is None or if_match.strip() in ("", "*"):
        raise VersionRequired("Send If-Match with the ETag of the version that was read.")
    found = [_TAG.fullmatch(tag) for tag in if_match.split(",")]
    versions = [int(tag[1] or tag[2]) for tag in found if tag]
    if not versions:
        raise StaleVersion("If-Match holds no strong ETag of this resource.")
    return max(versions)


async def _required_version(
    if_match: Annotated[
        str | None,
        Header(
            description=VERSION_DEMANDED,
            examples=['"3-8f1d0c5b2a7e"'],
        ),
    ] = None,
) -> int:
    return expected_version(if_match)


RequiredVersion = Annotated[int, Depends(_required_version)]
"""A route's parameter: the version in `If-Match`, which is required."""


async def _version_if_any(
    if_match: Annotated[
        str | None,
        Header(
            description="The ETag of the version that was read, 428 without it if there is one already; "
            "absent to add one.",
            examples=['"3-8f1d0c5b2a7e"'],
        ),
    ] = None,
) -> int | None:
    return None if if_match is None else expected_version(if_match)


VersionIfAny = Annotated[int | None, Depends(_version_if_any)]
"""A route's parameter: the version in `If-Match`, or None; for a PUT that can also create."""

IfNoneMatch = Annotated[str | None, Header(description="ETags that the caller holds.")]
"""A route's parameter: write `if_none_match: IfNoneMatch = None`, and see `not_modified`."""


UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    **carrying(200, "ETag"),
    304: {"description": "The copy that the caller holds is still good.", **carrying(304, "ETag")[304]},
}
"""The `responses=` of a route that answers with `not_modified`."""


def not_modified(if_none_match: str | None, etag: str) -> Response | None:
    """Return the 304 for a conditional GET if the caller has the current representation, or else None.

    Args:
        if_none_match: the request's `If-None-Match`.
        etag: the tag of the current representation; compared weakly (RFC 9110 section 13.1.2).
    """
    if if_none_match is None:
        return None
    if if_none_match.strip() == "*" or etag in _OPAQUE.findall(if_none_match):
        return Response(status_code=304, headers={"etag": etag})
    return None
