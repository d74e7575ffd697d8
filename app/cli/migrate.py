"""`cekal migrate`: creates a register, or upgrades its schema."""

import asyncio

import typer

_KEEP = "Back it up apart from the database, and copy it to every machine that serves this register."
_FORMER = "Backups of the database that were made before hold it still."


def migrate() -> None:
    """Create the register, or bring its schema up to date.

    Creates what is missing: tables, the empty ledger, and the reference data (agencies of UU 6/2011 art. 91,
    checkpoints, immigration offices), each once. Safe to repeat, and to run from several machines at once. Run it
    after each new version, before `cekal serve`, which refuses an older schema. Processes of the version before go on
    serving, unless CHANGELOG says that they can't.

    For example:

        cekal migrate

        CEKAL_DATABASE_URL=postgresql://cekal:secret@db/cekal cekal migrate

    The key of the keyed hashes of document numbers, the pepper, is made once, in the file key-pepper of CEKAL_DATA_DIR,
    unless CEKAL_KEY_PEPPER gives it. It is never in the database.

    The keys that sign the ledger's heads are made once too, in signing-keys of CEKAL_DATA_DIR or in CEKAL_SIGNING_KEYS.
    The register's name is stored: set CEKAL_REGISTER_NAME before the first time.

    Settings: CEKAL_DATABASE_URL; CEKAL_DATA_DIR; CEKAL_KEY_PEPPER; CEKAL_REGISTER_NAME; CEKAL_SIGNING_KEYS.
    """
    from app.access.pepper import PepperAct, pepper_path
    from app.cli.register import load_command_settings
    from app.db.addresses import shown_address
    from app.db.migrate import NEWEST
    from app.db.sessions import require_sessions
    from app.initialise import Initialised, initialise
    from app.sync.heads.keyfiles import folder_of
    from app.wiring import wired_runtime

    settings = load_command_settings()

    async def do() -> Initialised:
        runtime = wired_runtime(settings)
        try:
            await require_sessions(runtime.register)
            return await initialise(runtime)
        finally:
            await runtime.close()

    added = asyncio.run(do())
    typer.echo(f"{shown_address(settings.url)} has schema {NEWEST}.")
    typer.echo(f"Added: {added.agencies} agencies, {added.checkpoints} checkpoints, {added.offices} offices.")
    where = pepper_path(settings)
    messages = {
        PepperAct.MADE: f"The key of the keyed hashes was made in {where}. {_KEEP}",
        PepperAct.MOVED: f"The key of the keyed hashes was moved out of the database, to {where}. {_KEEP} {_FORMER}",
        PepperAct.REMOVED: "CEKAL_KEY_PEPPER is the key of the keyed hashes; the unused one that the database held is "
        "no longer in it.",
    }
    if added.pepper in messages:
        typer.echo(messages[added.pepper])
    if added.signing_keys:
        typer.echo(
            f"The keys that sign the ledger's heads are in {folder_of(settings)}. Copy the folder to a safe place, and "
            "to every machine that may sign; publish the public keys (`cekal keys list`)."
        )
    if added.without_agency:
        named = ", ".join(added.without_agency)
        typer.echo(
            f"Integrators of no agency: {named}. They are shown nobody's personal data. Make them anew with "
            "--agency, and end these with `cekal client revoke`."
        )
