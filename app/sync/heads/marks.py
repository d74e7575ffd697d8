"""The mark: the highest signed head, kept in a file outside the database, and what it shows of a database (no I/O)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Self

from app.db.rollback import Rollback
from app.sync.heads.domain import PublicKey
from app.tlog.checkpoints import Checkpoint
from app.tlog.keys import SignatureInvalid, VerifierKey
from app.tlog.notes import Note, NoteMalformed
from app.tlog.signed import open_checkpoint


class MarkRefused(Exception):
    """The content of the mark's file can't be trusted; the message gives the reason, as part of a sentence."""


@dataclass(frozen=True, slots=True)
class Mark:
    """The mark: origin, size and root of the highest signed head, kept in a file outside the database.

    A database that does not continue this head was rolled back to an earlier state.

    Attributes:
        origin: the origin under which the head was signed: the register's name, a slash and the epoch.
        size: the head's number of records.
        root: the Merkle root of these records.
    """

    origin: str
    size: int
    root: bytes

    @property
    def epoch(self) -> str:
        """The epoch in the origin, which is the part behind the last slash."""
        return self.origin.rpartition("/")[2]

    @classmethod
    def open(cls, note: bytes, name: str | None, keys: Iterable[PublicKey]) -> Self:
        """Return the mark in a note, after verifying that one of the register's keys has signed it.

        Args:
            note: the signed checkpoint.
            name: the register's name; None if the register has none, so that any name is accepted.
            keys: the public keys of the register that are known in its database and on this machine.

        Raises:
            MarkRefused: the note is not a signed checkpoint, names another register, or has no valid signature by one
                of the keys.
        """
        try:
            parsed = Note.parse(note)
            checkpoint = Checkpoint.parse(parsed.text)
        except NoteMalformed:
            raise MarkRefused("it holds no signed head") from None
        stated = checkpoint.origin.rpartition("/")[0]
        if name is not None and stated != name:
            raise MarkRefused(f"it is the mark of another register, {stated}")
        try:
            open_checkpoint(parsed, [VerifierKey(checkpoint.origin, key.kind, key.public) for key in keys])
        except SignatureInvalid:
            raise MarkRefused("none of this register's keys has signed it, or it was changed") from None
        return cls(checkpoint.origin, checkpoint.size, checkpoint.root)

    def contradicts(
        self, epoch: str, size: int, root: bytes | None, former: Collection[str]
    ) -> Rollback | None:
        """Return the evidence that a database was rolled back to an earlier state; None if it continues the mark.

        If the database has the mark's epoch, it must have the mark's root at the mark's size. If it has another epoch,
        the mark's epoch must be among `former`: then the database was restored with `cekal restore`, and the mark is
        older.

        Args:
            epoch: the database's epoch.
            size: the database's number of records.
            root: the root of as many of the database's first records as the mark has; None if the database has fewer,
                or has another epoch.
            former: the earlier epochs that the database knows, and the epochs whose loss was accepted; needed only if
                the database has another epoch than the mark.
        """
        continues = root == self.root if epoch == self.epoch else self.epoch in former
        return None if continues else Rollback(self.origin, self.size, size)
