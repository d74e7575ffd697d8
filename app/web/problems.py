"""Errors as RFC 9457 problem documents: the only place that maps the application's errors to HTTP statuses.

Every error is answered with `application/problem+json`: errors of the application, content that FastAPI refused,
unknown paths, and unexpected exceptions. No document contains a value from the request, the name of a class, or SQL.
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.db.faults import outage, seconds_to_wait
from app.errors import CekalError, Fault, RolledBack, Unavailable, UnsupportedCoding
from app.kit.logs import current_request_id
from app.web.catalogue import CATALOGUE
from app.web.faults import as_member, in_request
from app.web.methods import allowed_methods

MEDIA_TYPE = "application/problem+json"
MAX_FAULTS = 500
"""Largest number of faults in one answer; a hostile body could contain a million."""

CHALLENGE = 'Bearer realm="cekal"'
"""The value of `WWW-Authenticate` in every 401 (RFC 9110 section 11.6.1, RFC 6750 section 3)."""

_SLUG_OF_STATUS = {
    401: "unauthenticated",
    403: "wrong-role",
    404: "not-found",
    405: "method-not-allowed",
    406: "not-acceptable",
    408: "request-timeout",
    413: "body-too-large",
    415: "unsupported-media-type",
    429: "rate-limited",
    502: "unavailable",
    503: "unavailable",
    504: "unavailable",
}
_UNREADABLE_BODY = "There was an error parsing the body"
"""FastAPI's message for a body that isn't UTF-8 or nests too deeply."""

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


def problem_document(
    slug: str,
    detail: str | None = None,
    *,
    errors: Iterable[Fault | Mapping[str, str]] = (),
    extra: Mapping[str, Any] | None = None,
    instance: str | None = None,
) -> dict[str, Any]:
    """Return a problem document (RFC 9457) as a JSON object, for example for a failed row of a batch.

    Args:
        slug: the name of the kind of problem in the catalogue.
        detail: what happened this time, in English and without personal data; None takes the cause in the catalogue.
        errors: the single faults, if there are several or they have a location; `MAX_FAULTS` are shown at most.
        extra: further members; one with the name of a standard member, such as `type`, is ignored.
        instance: URI reference of this occurrence; None leaves the member out.

    Raises:
        KeyError: the catalogue has no problem with this slug.
    """
    kind = CATALOGUE[slug]
    document: dict[str, Any] = {
        "type": kind.type,
        "title": kind.title,
        "title_id": kind.title_id,
        "status": kind.status,
        "detail": kind.cause if detail is None else detail,
    }
    if instance is not None:
        document["instance"] = instance
    faults = [as_member(each) if isinstance(each, Fault) else dict(each) for each in errors]
    if faults:
        document["errors"] = faults[:MAX_FAULTS]
    for name, value in (extra or {}).items():
        document.setdefault(name, value)
    document["request_id"] = current_request_id()
    return document


def problem_response(
    slug: str,
    detail: str | None = None,
    *,
    errors: Iterable[Fault | Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
    instance: str | None = None,
) -> Response:
    """Return an answer with a problem document (RFC 9457). A raw endpoint can call it as an ASGI application.

    Args:
        slug: the name of the kind of problem in the catalogue.
        detail: what happened this time, in English and without personal data; None takes the cause in the catalogue.
        errors: the single faults, if there are several or they have a location; `MAX_FAULTS` are shown at most.
        headers: further headers of the answer.
        extra: further members of the document; one with the name of a standard member, such as `type`, is ignored.
        instance: URI reference of this occurrence; None leaves the member out.

    Raises:
        KeyError: the catalogue has no problem with this slug.
    """
    document = problem_document(slug, detail, errors=errors, extra=extra, instance=instance)
    response = Response(_encode(document), document["status"], headers, MEDIA_TYPE)
    if slug == "unauthenticated":
        response.headers.setdefault("www-authenticate", CHALLENGE)
    return response


def document_of(error: CekalError) -> dict[str, Any]:
    """Return the problem document of an error of the application."""
    return problem_document(error.slug, error.detail, errors=error.faults, extra=error.extra)


def answer(scope: Scope, error: Exception) -> Response:
    """Return the answer, with a problem document, to a request that raised this exception.

    Errors of this application, FastAPI's errors and outages of a database have problems of their own. Every other
    exception is logged and answered with 500.
    """
    match error:
        case CekalError():
            return _answer_to_ours(error)
        case RequestValidationError():
            return _answer_to_refused(error)
        case HTTPException():
            return _answer_to_http(scope, error)
        case _ if (why := outage(error)) is not None:
            unavailable = Unavailable(f"The call can't be served: {why}.", retry_after=seconds_to_wait(why))
            unavailable.__cause__ = error
            return _answer_to_ours(unavailable)
        case _:
            _log.error("unexpected error", exc_info=error)
            return problem_response("internal")


def install(app: FastAPI) -> None:
    """Register the handlers that turn every error of this application into a problem document."""

    async def handle(request: Request, error: Exception) -> Response:
        return answer(request.scope, error)

    for kind in (CekalError, RequestValidationError, HTTPException, Exception):
        app.add_exception_handler(kind, handle)


def _answer_to_ours(error: CekalError) -> Response:
    headers = {} if error.retry_after is None else {"retry-after": str(error.retry_after)}
    if isinstance(error, UnsupportedCoding):  # RFC 9110 section 15.5.16: not about the media type
        headers["accept-encoding"] = "identity"
    # each outage, and each rollback of the register, is logged once, when it begins
    logged = isinstance(error, RolledBack) or (
        error.__cause__ is not None and outage(error.__cause__) is not None
    )
    if CATALOGUE[error.slug].status >= 500 and not logged:  # noqa: PLR2004 - HTTP's own border of the server's faults
        _log.warning("could not serve", exc_info=error, extra={"slug": error.slug})
    return problem_response(error.slug, error.detail, errors=error.faults, headers=headers, extra=error.extra)


def _answer_to_refused(error: RequestValidationError) -> Response:
    listed = error.errors()
    if any(each["type"] == "json_invalid" for each in listed):
        return problem_response("malformed-json")
    if isinstance(error.body, bytes | bytearray):  # not announced as JSON, so not parsed
        return problem_response("unsupported-media-type")
    faults = in_request(listed[: MAX_FAULTS + 1], error.body)
    count = f"the first {MAX_FAULTS}" if len(faults) > MAX_FAULTS else str(len(faults))
    return problem_response("validation", f"The request has faults; {count} listed in errors.", errors=faults)


def _answer_to_http(scope: Scope, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    slug = _SLUG_OF_STATUS.get(error.status_code)
    if slug is None:
        unreadable = error.detail == _UNREADABLE_BODY
        slug = "internal" if error.status_code >= 500 else "malformed-json" if unreadable else "bad-request"  # noqa: PLR2004
    if slug == "method-not-allowed":
        headers["Allow"] = ", ".join(allowed_methods(scope)) or headers.get("Allow", "")
    return problem_response(slug, headers=headers)
