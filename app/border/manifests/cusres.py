"""Writing the response (CUSRES) to a passenger list in UN/EDIFACT (no I/O).

A response has a group of ERP, RFF, ERC and FTX for each passenger, in the order of the list, and repeats the sender's
references. The codes 0Z and 1Z in ERC are those of published responses; 2Z and 4Z are additions of this register. FTX
gives each code in words.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from app.border.manifests.domain import Item, Manifest, Status
from app.border.manifests.edifact import Written, write
from app.border.manifests.paxlst import Envelope

CODES: Final = {
    Status.BOARD: ("0Z", "OK TO BOARD"),
    Status.DO_NOT_BOARD: ("1Z", "DO NOT BOARD"),
    Status.CONTACT: ("2Z", "CONTACT IMMIGRATION BEFORE BOARDING"),
    None: ("4Z", "NOT ANSWERED - CORRECT THE PASSENGER AND SEND AGAIN"),
}
"""The code of ERC and the words of FTX, by status; None is the status of a passenger that could not be checked."""

_US: Final = ("CEKAL",)
_VERSION: Final = ("D", "05B", "UN", "IATA")
_LONGEST_REFERENCE: Final = 14
"""Greatest length of an interchange's reference (ISO 9735, data element 0020)."""


def reply(manifest: Manifest, items: Sequence[Item], at: datetime) -> bytes:
    """Return the EDIFACT message CUSRES that answers a manifest, as bytes of an interchange.

    The manifest may have been sent as JSON or as PAXLST. `items` are its passengers with their answers, in the order of
    the list; `at` is the time of the answer.
    """
    return write(_segments(manifest, items, at), _charset(manifest.envelope))


def _charset(envelope: Envelope | None) -> str:
    return envelope.charset if envelope else "ascii"


def _segments(manifest: Manifest, items: Sequence[Item], at: datetime) -> Iterator[Written]:
    envelope = manifest.envelope or Envelope()
    ours, theirs = envelope.recipient or _US, envelope.sender or (manifest.client_id,)
    reference = envelope.reference or manifest.id[-_LONGEST_REFERENCE:]
    made = (f"{at:%y%m%d}", f"{at:%H%M}")
    version = envelope.message[1:] or _VERSION
    number = envelope.message_reference or "1"
    yield ("UNB", envelope.syntax, ours, theirs, made, reference, "", envelope.application)
    if envelope.grouped:
        yield ("UNG", "CUSRES", ours, theirs, made, "1", "UN", version[:2])
    message = [
        ("UNH", number, ("CUSRES", *version), envelope.access_reference),
        ("BGM", "962"),
        *_journey(manifest, envelope),
        *(segment for item in items for segment in _passenger(item)),
    ]
    yield from message
    yield ("UNT", str(len(message) + 1), number)
    if envelope.grouped:
        yield ("UNE", "1", "1")
    yield ("UNZ", "1", reference)


def _journey(manifest: Manifest, envelope: Envelope) -> Iterator[Written]:
    if envelope.transaction:
        yield ("RFF", ("TN", envelope.transaction))
    if manifest.flight:
        yield ("RFF", ("AF", manifest.flight))
    departs, arrives = manifest.times
    for qualifier, time in (("189", departs or manifest.departs_at), ("232", arrives)):
        if time is not None:
            yield ("DTM", (qualifier, f"{time:%y%m%d%H%M}", "201"))
    for qualifier, place in (("125", manifest.origin), ("87", manifest.destination)):
        if place:
            yield ("LOC", qualifier, place)


def _passenger(item: Item) -> Iterator[Written]:
    code, words = CODES[item.status]
    yield ("ERP", "2")
    if item.locator:
        yield ("RFF", ("AVF", item.locator))
    yield ("RFF", ("ABO", item.reference or str(item.position + 1)))
    yield ("ERC", code)
    yield ("FTX", "AAP", "", "", words)
