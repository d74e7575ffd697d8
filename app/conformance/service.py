"""Examining a running service: what `cekal conformance` does."""

from collections.abc import Iterator

import httpx2

from app import __version__
from app.conformance.feed import feed
from app.conformance.findings import Finding, examine
from app.conformance.manners import manners
from app.conformance.proof import proof
from app.conformance.session import CHANGES, PATIENCE, Session
from app.conformance.snapshot import snapshot
from app.tlog.keys import KeyMalformed, SignatureInvalid
from app.tlog.merkle import ProofInvalid
from app.tlog.notes import NoteMalformed

CHECKS = (*feed.all, *proof.all, *snapshot.all, *manners.all)
"""Every check, in the order in which they are made."""

_BROKEN: dict[type[Exception], str] = {
    SignatureInvalid: "A signature does not hold",
    ProofInvalid: "A proof does not hold",
    NoteMalformed: "A note is malformed",
    KeyMalformed: "A key is malformed",
    httpx2.HTTPError: "The service did not answer",
    LookupError: "An answer lacks a member",
    TypeError: "An answer has a member of another type",
    AttributeError: "An answer has a member of another type",
    ValueError: "An answer can't be read",
    StopIteration: "An answer ended too early",
}


class ServiceRefused(RuntimeError):
    """The service can't be examined at all; the message gives the reason."""


def examine_service(url: str, key: str, most: int) -> Iterator[Finding]:
    """Check whether a service keeps the promises of the API, and yield the finding of each check, in order.

    Args:
        url: the service's address.
        key: the access key of an integrator or an auditor.
        most: the largest number of records that are read from the ledger's beginning.

    Raises:
        ServiceRefused: the address can't be reached, or the key may not read the feed; raised when the first finding is
            requested.
    """
    with _client(url) as http:
        session = Session(http, key, most)
        try:
            status = session.get(CHANGES, params={"limit": 1}).status_code
        except httpx2.InvalidURL as error:
            raise ServiceRefused(f"{url} is no address: {error}.") from None
        except httpx2.HTTPError as error:
            raise ServiceRefused(f"{url} can't be reached: {error}.") from None
        if status in {httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN}:
            raise ServiceRefused(f"The key may not read the feed: {CHANGES} answered {status}.")
        yield from examine(CHECKS, session, _BROKEN)


def _client(url: str) -> httpx2.Client:
    agent = {"User-Agent": f"cekal-conformance/{__version__}"}
    return httpx2.Client(base_url=url, timeout=PATIENCE, follow_redirects=False, headers=agent)
