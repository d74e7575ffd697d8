"""Which part of a ledger record a reader may see (no I/O; API section 6)."""

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.ledger.domain import Closures


def within_scope(entry_id: str | None, agency: str | None, actor: Actor, closures: Closures) -> bool:
    """Return whether a reader of the feed may see the personal part of a record.

    The caller must have checked that the actor may read the feed at all (`READERS`). The first rule that fits decides:

    - Of an entry that was erased since the record was read, nobody sees it.
    - A person that is barred from the entry, because the entry may be about them, does not see it.
    - An auditor sees it.
    - If the entry is or was sealed, no other reader sees it (R61).
    - A client of Immigration sees it, a client of another agency only if that agency owns the entry, and a client
      without an agency does not.

    Args:
        entry_id: the entry that the record is about; None if it is about none.
        agency: code of the agency that owns the record's entry; None without one.
        actor: the reader.
        closures: the entries that are or were sealed, and who must not see them; they must cover `entry_id`.
    """
    if entry_id in closures.erased:
        return False
    if entry_id is not None and actor.person in closures.barred.get(entry_id, ()):
        return False
    if actor.holds(Role.AUDITOR):
        return True
    if actor.agency is None or entry_id in closures.closed:
        return False
    return actor.agency in {IMMIGRATION, agency}
