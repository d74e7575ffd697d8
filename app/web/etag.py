"""Versions on the wire: strong entity tags, `If-Match`, `If-None-Match` (RFC 9110 sections 8.8.3, 13.1).

A tag is `"<version>-<rest>"`. The rest changes with whatever else changes the answer, such as `in_force` or
what the viewer may see; `If-Match` compares the version alone, since an act is decided on a version.
"""

import re
from hashlib import blake2b
from typing import Annotated, Any, Final

from fastapi import Depends, Header
from starlette.responses import Response

from app.errors import StaleVersion, VersionRequired

_TAG = re.compile(r'\s*(?:"([0-9]{1,9})(?:-[\x21\x23-\x7e]*)?"|([0-9]{1,9}))\s*')
_OPAQUE = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')

VERSION_DEMANDED: Final = "The ETag of the version that was read: 428 without it, 412 if it is out of date."
"""How the header of a `RequiredVersion` is described; by this the OpenAPI document knows it."""


def etag_of(version: int, *parts: object) -> str:
    """The strong tag of a resource's representation, quotes included.

    Args:
        version: the resource's version.
        parts: whatever else the representation depends on; compared by their `repr`.
    """
    rest = blake2b(repr(parts).encode(), digest_size=6).hexdigest()
    return f'"{version}-{rest}"'


def expected_version(if_match: str | None) -> int:
    """The version that an `If-Match` names: a tag, a bare version, or a list of them.

    Of a list the newest counts: who has read version 4 does not mean to decide on version 3.

    Raises:
        VersionRequired: there is no `If-Match`, or it is `*`, which names no version.
        StaleVersion: none of the tags is a strong one of ours; a weak tag never matches here.
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
"""A route's parameter: the version in `If-Match`, without which the route is not entered."""


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
"""A route's parameter: the version in `If-Match`, None without it; for a PUT that may also add."""

IfNoneMatch = Annotated[str | None, Header(description="ETags that the caller holds.")]
"""A route's parameter: write `if_none_match: IfNoneMatch = None`, and see `not_modified`."""


UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {
    304: {"description": "The copy that the caller holds is still good."}
}
"""The `responses=` of a route that answers with `not_modified`."""


def not_modified(if_none_match: str | None, etag: str) -> Response | None:
    """The 304 that a conditional GET gets when the caller's copy is still good, or None.

    Args:
        if_none_match: the request's `If-None-Match`.
        etag: the tag of the representation that would be sent; compared weakly (RFC 9110 section 13.1.2).
    """
    if if_none_match is None:
        return None
    if if_none_match.strip() == "*" or etag in _OPAQUE.findall(if_none_match):
        return Response(status_code=304, headers={"etag": etag})
    return None
