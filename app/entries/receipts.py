"""On which days a request, and its letter, were received, however often it was returned; pure (R14, R18)."""

from datetime import date, datetime

from app.entries.domain import Basis, Entry
from app.entries.periods import Receipt
from app.entries.references import same_letter
from app.kit.clock import legal_day


def received_on(entry: Entry) -> date:
    """The legal day on which a request, as it was last submitted, was received (UU 6/2011 art. 94(6); R18).

    The letter may have reached Immigration before it was entered here: `basis.received_on` says so.
    """
    if entry.receipt is not None:
        return entry.receipt.counted_on
    return entry.basis.received_on or legal_day(entry.received_at)


def first_received_on(entry: Entry) -> date:
    """The legal day up to which the age of a request's letter is counted (R14)."""
    return legal_day(_first_received_at(entry))


def received_again(fresh: Entry, returned: Entry) -> Receipt:
    """The receipt of a resubmission.

    Its seven days count from the day on which it came here, or on which another letter was received since the
    return. Its letter stays as old as it was when it was first received; one that was issued since then has its
    own day.

    Args:
        fresh: the content with which it is submitted again, as a first version.
        returned: the request as it was returned.
    """
    counted_on = fresh.basis.received_on
    known = counted_on == returned.basis.received_on
    if counted_on is None or known or counted_on < legal_day(returned.rests_since or returned.updated_at):
        counted_on = legal_day(fresh.received_at)
    newer = fresh.basis.issued_on > first_received_on(returned)
    return Receipt(fresh.received_at if newer else _first_received_at(returned), counted_on)


def received_with(formal: Entry, urgent: Entry) -> Receipt | None:
    """The receipt of a formal entry whose letter came with its urgent entry: as old as it was then (R14).

    None where the formal decision is a letter of its own.

    Args:
        formal: as it is asked for.
        urgent: the entry that it formalises.
    """
    if not same_decision(formal.basis, urgent.basis):
        return None
    return Receipt(_first_received_at(urgent), received_on(formal))


def same_decision(one: Basis, other: Basis) -> bool:
    """Whether two grounds rest on the same letter."""
    return one.issued_on == other.issued_on and same_letter(one.number, other.number)


def _first_received_at(entry: Entry) -> datetime:
    return entry.created_at if entry.receipt is None else entry.receipt.first_at
