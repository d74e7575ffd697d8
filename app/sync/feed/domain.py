"""Which part of a ledger record a reader may see (no I/O; API section 6)."""

from app.access.domain import IMMIGRATION, Role
from app.actor import Actor
from app.ledger.domain import Closures


def within_scope(entry_id: str | None, agency: str | None, actor: Actor, closures: Closures) -> bool:
    """Return whether a reader may see the personal part of a record.

    Auditors see that of every record, Immigration's integrators and replicas that of every agency, others that of their
    own agency. Of a sealed entry only auditors see more than the leaf: a machine is not a person that a seal names
    (R61). An auditor that is barred from the entry does not. An integrator without an agency, which can no longer be
    registered, sees no personal data. Counters and gates do not read the register: they check one traveller at a time
    (R48).

    Args:
        entry_id: the entry that the record is about; None without one.
        agency: the agency that owns it.
        actor: the reader.
        closures: the sealed entries, and the persons barred from each.
    """
    if entry_id is not None and actor.person in closures.barred.get(entry_id, ()):
        return False
    if actor.holds(Role.AUDITOR):
        return True
    if actor.agency is None or entry_id in closures.closed:
        return False
    return actor.agency in {IMMIGRATION, agency}
