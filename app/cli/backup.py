"""`cekal backup` and `cekal restore`: backing up the whole register, and restoring it."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.failures import Refused
from app.cli.printing import print_json, progress
from app.cli.register import expect_register, load_command_settings, with_register

if TYPE_CHECKING:
    from app.maintenance.backups.finishing import Finished
    from app.maintenance.backups.inventory import Inventory
    from app.maintenance.backups.restoring import Restored
    from app.maintenance.verification.service import Verified
    from app.runtime import Runtime
    from app.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]


def backup(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where it goes: a new folder, or an empty one.")
    ],
    as_json: Json = False,
) -> None:
    """Back up the whole register, also while it is served.

    Everything that was acknowledged before the backup's moment is in it: entries, checks, photos, keys, the ledger. On
    SQLite both files are copied as they are at that one moment. On PostgreSQL pg_dump must be in PATH, in the server's
    version or a newer one. Then the copy is checked: the files' integrity, the number of rows of each table, the
    ledger's Merkle root. DIR contains `inventory.json` only after all checks have passed.

    A backup never contains the pepper and the signing keys, which must be kept apart from backups (`inventory.json`
    says where this machine keeps the pepper, `cekal keys list` shows the public keys). Nor does it contain TLS keys or
    secrets among the settings. Encrypt the backup: it holds everything that the register knows.

    For example:

        cekal backup backups/2026-11-29

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR.
    """
    inventory = asyncio.run(_back_up(load_command_settings(), folder))
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(inventory))
        return
    _print_backup(folder, inventory)


async def _back_up(settings: "Settings", folder: Path) -> "Inventory":
    from app.db.sessions import require_sessions
    from app.maintenance.backups.making import back_up
    from app.wiring import wired_runtime

    expect_register(settings)
    runtime = wired_runtime(settings)
    try:
        await require_sessions(runtime.register)
        return await back_up(runtime, folder, progress)
    finally:
        await runtime.close()


def _print_backup(folder: Path, inventory: "Inventory") -> None:
    from app.kit.clock import rfc3339
    from app.maintenance.backups.inventory import checks_among

    size = sum(each.size for each in inventory.files.values())
    checks = checks_among(inventory.rows)
    typer.echo(f"{folder} holds the register as of {rfc3339(inventory.moment)}, {size:,} bytes, checked:")
    typer.echo(
        f"{inventory.ledger.size} ledger records (root {inventory.ledger.root}), {checks} checks, "
        f"{inventory.photos} photos."
    )
    typer.echo(
        f"Not in it: the pepper ({inventory.pepper}) and the signing keys. Keep copies of these elsewhere; encrypt "
        "this one."
    )


def restore(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="The backup; without it the database that is there is accepted."
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Move a register that is there already aside; on PostgreSQL, drop it."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Restore a backup as the register of the settings, or accept a database that was restored by other means.

    The register continues in a new epoch, which its ledger records. Record numbers continue, and every reader with an
    older cursor gets 410 and must begin again. Duty officers and admins are notified. The backup is verified before
    anything is changed, and the whole register at the end. End `cekal serve` before this command, and start it
    afterwards: then it no longer answers 503 `register-rolled-back`.

    The mark (the file CEKAL_MARK_FILE with the highest signed head) shows how many records are lost. The first head of
    the new epoch becomes the new mark; it is signed here if this machine has the signing keys.

    With --replace, the files of the former register are moved into a folder beside it on SQLite; on PostgreSQL its
    tables are dropped. Without DIR nothing is put back, and the database is accepted as it is: use this after
    PostgreSQL's own tools have restored it, by WAL or from a snapshot of its disk. Exit code 1 if the verification at
    the end finds differences.

    For example:

        cekal restore backups/2026-11-29

        cekal restore backups/2026-11-29 --replace

        cekal restore

    Settings: CEKAL_DATABASE_URL or CEKAL_DATA_DIR; CEKAL_KEY_PEPPER; CEKAL_MARK_FILE, CEKAL_SIGNING_KEYS.
    """
    if folder is None and replace:
        raise Refused("Without DIR nothing is put back, so there is nothing to replace.", usage=True)
    if folder is None:
        restored = with_register(_accept, expect_accepted=False)
    else:
        restored = asyncio.run(_restore(folder, replace=replace))
    finished, verified = with_register(_finish)
    if as_json:
        print_json(_as_json(restored, finished, verified))
    else:
        _print_restored(restored)
        _print_finished(restored, finished, verified)
    if not verified.holds:
        raise typer.Exit(1)


async def _accept(runtime: "Runtime") -> "Restored":
    from app.maintenance.backups.restoring import accept

    return await accept(runtime, progress)


async def _restore(folder: Path, *, replace: bool) -> "Restored":
    from app.db.sessions import require_sessions
    from app.maintenance.backups.restoring import restore as put_back
    from app.wiring import wired_runtime

    settings = load_command_settings()
    runtime = wired_runtime(settings)
    try:
        await require_sessions(runtime.register)
    finally:
        await runtime.close()
    return await put_back(settings, folder, wired_runtime, progress, replace=replace)


async def _finish(runtime: "Runtime") -> "tuple[Finished, Verified]":
    from app.maintenance.backups.finishing import finish
    from app.maintenance.verification.service import verify

    return await finish(runtime), await verify(runtime, progress)


def _as_json(restored: "Restored", finished: "Finished", verified: "Verified") -> dict[str, Any]:
    from app.kit.clock import rfc3339

    return {
        "epoch": restored.begun.new,
        "old_epoch": restored.begun.old,
        "kept_records": restored.begun.size,
        "moment": rfc3339(restored.moment),
        "replaced": str(restored.aside) if restored.aside else None,
        "lost_records": restored.lost.records if restored.lost else None,
        "lost_checks": restored.lost.checks if restored.lost else None,
        "ended_again": restored.ended_again,
        "pepper": restored.pepper,
        "marked_records": restored.conceded.known if restored.conceded else None,
        "lost_by_mark": restored.conceded.lost if restored.conceded else None,
        "unsigned": finished.unsigned,
        "mark": finished.mark,
        "mark_put_aside": str(finished.aside) if finished.aside else None,
        "holds": verified.holds,
        "settings": {name: {"then": then, "now": now} for name, (then, now) in restored.differing.items()},
    }


def _print_restored(restored: "Restored") -> None:
    from app.kit.clock import rfc3339

    begun = restored.begun
    typer.echo(
        f"The register has {begun.size} records of before and goes on in epoch {begun.new}. What was acknowledged "
        f"after {rfc3339(restored.moment)} may be missing: have it entered again."
    )
    if restored.lost is not None:
        lost = restored.lost
        typer.echo(
            f"The register that was replaced had {lost.records} more records and {lost.checks} more checks."
        )
    if restored.aside is not None:
        typer.echo(f"It was moved to {restored.aside}: erase it when nobody needs it any more.")
    if restored.ended_again is None:
        typer.echo(
            "Keys and accounts that were ended after that work again: end them again (`cekal client revoke`)."
        )
    else:
        typer.echo(f"{restored.ended_again} accounts and keys that had been ended since were ended again.")
    for name, (then, now) in restored.differing.items():
        typer.echo(f"CEKAL_{name.upper()} was {then!r} and is {now!r}.")
    if restored.schema is not None:
        typer.echo(f"Its schema was {restored.schema} and is up to date: run `cekal migrate` for the rest.")
    if restored.pepper is not None:
        typer.echo(f"Before `cekal serve`: {restored.pepper}")


def _print_finished(restored: "Restored", finished: "Finished", verified: "Verified") -> None:
    if restored.conceded is None:
        typer.echo("No mark says whether more records existed (CEKAL_MARK_FILE).")
    elif restored.conceded.lost is None:
        typer.echo(
            f"The mark is of {restored.conceded.known} records, and the last of these are others here: records "
            "that were written beside this register are lost."
        )
    else:
        typer.echo(f"The mark knows {restored.conceded.lost} records that are lost.")
    if finished.unsigned is not None:
        typer.echo(f"No head is signed yet: {finished.unsigned}.")
    if finished.aside is not None:
        typer.echo(f"The former mark could not be used, and is now {finished.aside}.")
    if finished.mark is not None:
        typer.echo(f"Not in order: {finished.mark}.")
    if verified.holds:
        typer.echo(
            f"Verified: {verified.records} records, {verified.heads} heads and {verified.entries} entries hold."
        )
    else:
        typer.echo(f"It does not hold: {len(verified.differences)} differences. `cekal verify` lists them.")
