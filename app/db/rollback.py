"""What a process knows about a database that was put back to an earlier state."""

from dataclasses import dataclass
from typing import Final

from app.errors import RolledBack

_SECONDS: Final = 60
"""Seconds after which to repeat a write that was refused; an operator must act first."""


@dataclass(frozen=True, slots=True)
class Rollback:
    """The evidence that a database was put back to an earlier state: known ledger records are missing, or are others.

    They are known from the highest ledger head that was signed, or that this process has read from the database.

    Attributes:
        origin: the name of the log in that head: the register's name and its epoch; "" if no name is known.
        known: the number of records that the ledger has according to that head.
        found: the number of records that the database has; None if its file was replaced and can't be compared.
    """

    origin: str
    known: int
    found: int | None

    def __str__(self) -> str:
        """Return what is known as a sentence without a full stop."""
        if self.found is None:
            return "the database's file was replaced under the running service"
        of = f" of {self.origin}" if self.origin else ""
        contradicts = "has" if self.found < self.known else "holds others among its"
        return f"{self.known} records{of} were signed or read, and the database {contradicts} {self.found}"

    def refusal(self) -> RolledBack:
        """Return the error to raise for each write: it explains the rollback and what the operator must do."""
        until = "ended the service, and run `cekal restore` if an older file was put there"
        if self.found is not None:
            until = "run `cekal restore`, which accepts the database as it is or puts a backup back"
        detail = f"The register was rolled back: {self}. Nothing is written until its operator has {until}."
        return RolledBack(detail, retry_after=_SECONDS)
