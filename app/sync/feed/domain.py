"""Which part of a ledger record a reader may see (no I/O; API section 6)."""

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.ledger.domain import Closures


def within_scope(entry_id: str | None, agency: str | None, actor: Actor, closures: Closures) -> bool:
    """Return whether a reader of the feed may see the personal part of a record.

    An auditor may see every personal part, unless a seal bars the auditor from the entry. Other readers may never see
    the personal part of a sealed entry's record (R61). Of other records, Immigration's clients may see all personal
    parts, clients of another agency those of that agency, and clients without an agency none.

    Args:
        entry_id: the entry that the record is about; None if it is about none.
        agency: code of the agency that owns the record's entry; None without one.
        actor: the reader.
        closures: the sealed entries, and the persons barred from each; they must cover `entry_id`.
    """
    if entry_id is not None and actor.person in closures.barred.get(entry_id, ()):
        return False
    if actor.holds(Role.AUDITOR):
        return True
    if actor.agency is None or entry_id in closures.closed:
        return False
    return actor.agency in {IMMIGRATION, agency}
