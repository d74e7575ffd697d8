"""The entries that an act ends, such as a revocation or a judgment (no I/O)."""

from dataclasses import dataclass

from app.register.entries.domain import Entry


@dataclass(frozen=True, slots=True)
class Ending:
    """The entries that an act ends.

    Attributes:
        ended: running entries, which end.
        closed: requests without a decision, which are rejected.
        judged: if the act is a judgment, entries that it concerns and that are over already; it is recorded on them.
        related: other running or undecided entries of the same case that may be against the same person; each becomes a
            task, because an officer must decide. If the act is a judgment, entries with the other measure are among
            them.
        case_version: a number that grows with each change of the entries of the case (see `Dossier.case_version`); 0 if
            the act ends nothing in any case.
    """

    ended: tuple[Entry, ...] = ()
    closed: tuple[Entry, ...] = ()
    judged: tuple[Entry, ...] = ()
    related: tuple[Entry, ...] = ()
    case_version: int = 0

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the entries and requests that the act ends, sorted."""
        return tuple(sorted(entry.id for entry in (*self.ended, *self.closed)))
