"""`cekal verify`: checks whether the whole register agrees with itself and with every head that was signed."""

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FAILED
from app.cli.printing import print_json, progress
from app.cli.register import with_register

if TYPE_CHECKING:
    from app.maintenance.verification.service import Verified
    from app.runtime import Runtime

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def verify(as_json: Json = False) -> None:
    """Verify the whole register; exit code 0 if everything holds, 1 with what differs.

    Every ledger record is read: its number, its leaf and the hashes above it, the personal part to which the leaf
    commits. Every head that was ever signed is compared with the records and with the register's keys, and so is every
    head that a letter shows. Every entry is compared with its versions, and each version with the ledger's record.
    Every hit is compared with its check and the audit trail, every recorded duty with its act, every clearance with its
    records of the ledger. Every check, receipt, act of the audit trail and version is compared with the batch in which
    it was sealed. The command may run beside a service, and changes nothing.

    For example:

        cekal verify

        cekal verify --json

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    verified = with_register(_verify)
    if as_json:
        print_json(_as_json(verified))
    else:
        _print(verified)
    if not verified.holds:
        raise typer.Exit(FAILED)


async def _verify(runtime: "Runtime") -> "Verified":
    from app.maintenance.verification.service import verify

    return await verify(runtime, progress)


def _as_json(verified: "Verified") -> dict[str, object]:
    return {
        "holds": verified.holds,
        "records": verified.records,
        "heads": verified.heads,
        "cosignatures": verified.cosignatures,
        "letters": verified.letters,
        "entries": verified.entries,
        "duties": verified.duties,
        "clearances": verified.clearances,
        "digests": verified.digests,
        "computed": verified.computed,
        "hits": verified.hits,
        "lines": verified.lines,
        "unsealed": verified.unsealed,
        "unsigned": verified.unsigned,
        "abandoned": verified.abandoned,
        "differences": [each._asdict() for each in verified.differences],
    }


def _print(verified: "Verified") -> None:
    typer.echo(
        f"{verified.records} ledger records, {verified.heads} signed heads, {verified.entries} entries, "
        f"{verified.hits} hits and {verified.lines} lines of the query log verified."
    )
    if verified.digests:
        typer.echo(
            f"{verified.digests} sealed digests verified, the newest {verified.computed} from the records."
        )
    if verified.unsigned:
        typer.echo(f"The last {verified.unsigned} records are in no signed head yet.")
    if verified.cosignatures:
        typer.echo(f"{verified.cosignatures} signatures of witnesses verified.")
    if verified.letters:
        typer.echo(f"{verified.letters} heads that letters show verified.")
    if verified.unsealed:
        typer.echo(f"The last {verified.unsealed} checks, receipts, acts and versions are not sealed yet.")
    if verified.abandoned:
        sizes = ", ".join(map(str, verified.abandoned))
        typer.echo(f"Signed before a restore, and beyond the records now: heads of {sizes} records.")
    for where, what in verified.differences:
        typer.echo(f"{where}: {what}")
    typer.echo("Everything holds." if verified.holds else f"{len(verified.differences)} differences.")
