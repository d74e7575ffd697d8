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
    """The result of the last step of a restoration: whether a head was signed and the mark written.

    Attributes:
        unsigned: why no head was signed, and where the keys are expected; None if one was.
        mark: why the mark could not be written; None if it could, or if there was no head to write yet.
        aside: the path to which an unusable mark was moved; None without one.
    """

    unsigned: str | None
    mark: str | None
    aside: Path | None


async def finish(runtime: Runtime) -> Finished:
    """Sign the first head of a restored register's epoch, where this machine can, and make it the mark.

    A machine without the keys keeps the mark of the former epoch, which does not apply to the new one; the first head
    that another machine signs replaces it.
    """
    signer = Signer(runtime)
    with suppress(IntegrityError):  # a running service was first
        await signer.sign()
    aside = await keeper_of(runtime).reset(runtime)
    return Finished(signer.failing, keeper_of(runtime).fault, aside)
