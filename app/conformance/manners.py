"""Checks of what every call must do: keys, problems, media types, HEAD, compression, request ids.

Each check returns one sentence about what was seen. A check raises Failed if the service breaks the promise, and
Skipped if the promise can't be checked.
"""

import secrets

from httpx2 import codes

from app.conformance.findings import Checks, Skipped
from app.conformance.session import (
    CHANGES,
    EVENTS,
    JSON,
    LINES,
    Session,
    expect,
    expect_kind,
    expect_problem,
    media_type,
    read_json,
)

manners = Checks[Session]()

_OWN_PATHS = (CHANGES, "/v1/head")


@manners.promise("key", "A call without a key is 401 unauthenticated, and says how to authenticate.")
def call_without_key(session: Session) -> str:
    """Check that calls without a key are refused as 401 and ask for a Bearer key.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    for path in _OWN_PATHS:
        answer = session.get(path, keyless=True)
        expect_problem(answer, 401, "unauthenticated")
        expect(
            answer.headers.get("www-authenticate", "").lower().startswith("bearer"),
            f"The 401 of {path} does not ask for a Bearer key.",
        )
    return f"{' and '.join(_OWN_PATHS)} are refused."


@manners.promise("problems", "An unknown path and an unknown parameter are problem documents.")
def ask_wrongly(session: Session) -> str:
    """Check that an unknown path and wrong parameters are refused with problem documents.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    expect_problem(session.get(f"{CHANGES}/nothing-here"), 404, "not-found")
    for params in ({"nonsense": "1"}, {"limit": "501"}, {"limit": "many"}):
        problem = expect_problem(session.get(CHANGES, params=params), 422, "validation")
        named = [each.get("name") for each in problem.get("errors", ())]
        expect(named == list(params), f"The problem of the parameter {next(iter(params))} does not name it.")
    return "One path and three parameters are refused; each parameter is named."


@manners.promise(
    "accept", "What a call can't answer is 406 not-acceptable; the feed's format follows Accept."
)
def ask_for_another_format(session: Session) -> str:
    """Check that an unknown media type is refused as 406, and that the feed follows `Accept`.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    for path in _OWN_PATHS:
        expect_problem(session.get(path, "image/png"), 406, "not-acceptable")
    for accept, kind in (
        (f"{LINES};q=0.5, {JSON}", JSON),
        (f"{JSON};q=0.5, image/png, {LINES}", LINES),
        ("*/*", JSON),
    ):
        answer = session.get(CHANGES, accept, params={"limit": 1})
        expect_kind(answer, 200, kind)
        expect("accept" in _names(answer.headers.get("vary", "")), "The feed's Vary does not name Accept.")
    return "image/png is refused; preferences are followed, and Vary names Accept."


@manners.promise("head-method", "HEAD answers as GET does, without content.")
def ask_for_the_head_alone(session: Session) -> str:
    """Check that HEAD answers like GET, without content.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    for path, accept in ((CHANGES, JSON), (CHANGES, LINES), (CHANGES, EVENTS), ("/v1/head", JSON)):
        answer = session.get(path, accept, method="HEAD")
        expect(answer.status_code == codes.OK, f"HEAD {path} answered {answer.status_code} as {accept}.")
        expect(media_type(answer) == accept, f"HEAD {path} answered {media_type(answer)} as {accept}.")
        expect(not answer.content, f"HEAD {path} has content.")
    expect(
        session.get(CHANGES, method="HEAD", keyless=True).status_code == codes.UNAUTHORIZED,
        "HEAD needs no key.",
    )
    return "Four answers without content; without a key it is refused."


@manners.promise(
    "compression", "A compressed page has the same content, and is not sent to a caller who refuses it."
)
def ask_for_compression(session: Session) -> str:
    """Check that a page compressed by gzip has the same records, and that a caller that refuses gzip gets it plain.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    params = {"limit": 50}
    plain = session.get(CHANGES, params=params, headers={"Accept-Encoding": "identity"})
    packed = session.get(CHANGES, params=params, headers={"Accept-Encoding": "gzip"})
    ends = [{name: read_json(each)[name] for name in ("cursor", "more")} for each in (plain, packed)]
    expect("content-encoding" not in plain.headers, "A page is compressed for a caller who refuses it.")
    found = packed.headers.get("content-encoding", "identity")
    expect(found in {"gzip", "identity"}, f"A page comes as {found} to a caller who accepts gzip.")
    numbers = [[item["sequence"] for item in read_json(each)["items"]] for each in (plain, packed)]
    shorter = min(map(len, numbers))  # a record may come in between
    expect(numbers[0][:shorter] == numbers[1][:shorter], "The compressed page has other records.")
    expect(
        numbers[0] != numbers[1] or ends[0]["cursor"] == ends[1]["cursor"],
        "The compressed page ends elsewhere.",
    )
    if found == "gzip":
        expect(
            "accept-encoding" in _names(packed.headers.get("vary", "")), "Vary does not name Accept-Encoding."
        )
    return f"{len(numbers[1])} records, {found}."


@manners.promise("etag", "The API's document has an ETag, with which it is not sent again.")
def ask_again_for_the_same(session: Session) -> str:
    """Check that the OpenAPI document has an ETag, and that a request with this ETag is answered with 304.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
        Skipped: the service has no `/v1/openapi.json`.
    """
    path = "/v1/openapi.json"
    answer = session.get(path)
    if answer.status_code == codes.NOT_FOUND:
        raise Skipped(f"There is no {path} here.")
    read_json(answer)
    tag = str(answer.headers.get("etag", ""))
    expect(bool(tag), f"{path} has no ETag.")
    again = session.get(path, headers={"If-None-Match": tag})
    expect(
        again.status_code == codes.NOT_MODIFIED, f"With its ETag {path} is answered by {again.status_code}."
    )
    return f"{path} is not sent again."


@manners.promise("request-id", "A request's X-Request-Id comes back, and one is made where there is none.")
def send_request_ids(session: Session) -> str:
    """Check that an answer repeats the request's `X-Request-Id`, and has a new one if the request has none.

    Returns:
        One sentence about what was seen.

    Raises:
        Failed: the service breaks this promise.
    """
    sent = f"conformance-{secrets.token_hex(8)}"
    found = session.get("/v1/head", headers={"X-Request-Id": sent}).headers.get("x-request-id")
    expect(found == sent, f"The id {sent} came back as {found}.")
    refused = session.get("/v1/head", keyless=True, headers={"X-Request-Id": sent})
    problem = expect_problem(refused, 401, "unauthenticated")
    expect(problem["request_id"] == sent, "A problem has another request_id than the request.")
    expect(bool(session.get("/v1/head").headers.get("x-request-id")), "An answer has no X-Request-Id.")
    return "An id comes back in the header and in a problem."


def _names(text: str) -> set[str]:
    return {each.strip().lower() for each in text.split(",")}
