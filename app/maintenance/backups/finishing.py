"""The end of a restoration: the new epoch's first head is signed, and becomes the mark."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import IntegrityError

from app.runtime import Runtime
from app.sync.heads.keeper import keeper_of
from app.sync.heads.signing import Signer


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of the last step of a restoration: whether a head was signed, and whether the mark was written.

    The mark is a file outside the database that names the highest signed head.

    Attributes:
        unsigned: why no head was signed; None if this process or a running service has signed one. For missing keys,
            this text names the folder in which they are expected.
        mark: why the mark's file could not be written; None if it was written, or if there was no head to write yet.
        aside: the path to which an unusable mark file was renamed; None if the file was usable or missing.
    """

    unsigned: str | None
    mark: str | None
    aside: Path | None


async def finish(runtime: Runtime) -> Finished:
    """Sign the first head of a restored register's new epoch, and write it to the mark's file.

    The head has at most the first 20,000 records; a service that is started later signs heads with the others. If this
    machine has no signing keys, nothing is signed, and the mark of the former epoch stays. That mark does no harm: it
    is not compared with the new epoch, and the first head that another machine signs replaces it.

    Raises:
        RolledBack: the database was rolled back again since the new epoch began.
        HeadMissing: the ledger has no head.
        OSError: an unusable mark file can't be renamed.
    """
    signer = Signer(runtime)
    with suppress(IntegrityError):  # a running service was first
        await signer.sign()
    aside = await keeper_of(runtime).reset(runtime)
    return Finished(signer.failing, keeper_of(runtime).fault, aside)
