"""The days on which a request and its letter were received, also after returns (no I/O; R14, R18)."""

from datetime import date, datetime

from app.kit.clock import legal_day
from app.register.entries.domain import Basis, Entry
from app.register.entries.law.periods import Receipt
from app.register.entries.references import same_letter


def received_on(entry: Entry) -> date:
    """Return the legal day from which the seven days for a refusal of a request count (R18; UU 6/2011 art. 94(6)).

    For a first submission it is the stated day on which Immigration received the letter (`basis.received_on`), or else
    the day of the submission. For a resubmission it is `receipt.counted_on` (see `received_again`).
    """
    if entry.receipt is not None:
        return entry.receipt.counted_on
    return entry.basis.received_on or legal_day(entry.received_at)


def first_received_on(entry: Entry) -> date:
    """Return the legal day of a request's first receipt; the age of its letter is measured on that day (R14)."""
    return legal_day(_first_received_at(entry))


def received_again(fresh: Entry, returned: Entry) -> Receipt:
    """Return the receipt of a request that was returned and is now submitted again.

    The seven days for a refusal count from now, or from the stated day on which a new letter was received after the
    return. The age of a letter is measured at the first receipt of the request. If the letter was issued after that, it
    is measured at the resubmission.

    Args:
        fresh: an entry, at its first version, with the resubmitted content.
        returned: the request as it was returned.
    """
    counted_on = fresh.basis.received_on
    known = counted_on == returned.basis.received_on
    if counted_on is None or known or counted_on < legal_day(returned.rests_since or returned.updated_at):
        counted_on = legal_day(fresh.received_at)
    newer = fresh.basis.issued_on > first_received_on(returned)
    return Receipt(fresh.received_at if newer else _first_received_at(returned), counted_on)


def received_with(formal: Entry, urgent: Entry) -> Receipt | None:
    """Return the receipt of a formal entry that cites its urgent entry's letter; None if it cites another letter.

    The letter's age is measured when the urgent entry was first received (R14).

    Args:
        formal: the requested formal entry.
        urgent: the entry that it formalises.
    """
    if not same_decision(formal.basis, urgent.basis):
        return None
    return Receipt(_first_received_at(urgent), received_on(formal))


def same_decision(one: Basis, other: Basis) -> bool:
    """Return whether two legal grounds cite the same letter: equal dates, and numbers that are equal when folded."""
    return one.issued_on == other.issued_on and same_letter(one.number, other.number)


def _first_received_at(entry: Entry) -> datetime:
    return entry.created_at if entry.receipt is None else entry.receipt.first_at
